/** Texts in: what the text towers of networks read. */

/** Turns texts into the numbers that a network was trained on. */
export interface Tokenizer {
  /**
   * Each text between a mark of its start and one of its end, filled up with 0.
   *
   * @param texts any texts, also empty ones.
   * @param contextLength tokens that the network takes per text, both marks included.
   * @returns int32 `[texts, contextLength]`.
   * @throws ModelInputError for what is not a text or has more tokens than fit; `index` is its place in the list.
   */
  encodeAll(texts: readonly string[], contextLength: number): Int32Array;
}
