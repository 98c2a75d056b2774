/** CLIP's tokenizer: 49408 tokens, of which the last two mark where a text starts and ends. */
import { ModelInputError } from "../errors.js";
import { BytePairs } from "./byte-pairs.js";
import { cleanText } from "./cleaning.js";
import { HtmlEntities } from "./html-entities.js";
import type { Tokenizer } from "./types.js";

const START = "<|startoftext|>";
const END = "<|endoftext|>";

/**
 * Marks, endings of English words, letters, single digits, and runs of anything else. Texts are in lower case already; the long s is
 * the one other letter that counts as an s whatever the case, and U+0345 is lost between the classes, as it is in the original.
 */
const WORDS = /<\|[s\u017f]tartoftext\|>|<\|endoftext\|>|'[s\u017f]|'t|'re|'ve|'m|'ll|'d|\p{L}+|\p{N}|[^\s\p{L}\p{N}\u0345]+/gu;

class ClipTokenizer implements Tokenizer {
  readonly #marks: ReadonlyMap<string, number>;

  constructor(
    private readonly pairs: BytePairs,
    private readonly entities: HtmlEntities,
  ) {
    this.#marks = new Map([
      [START, pairs.size],
      [END, pairs.size + 1],
    ]);
  }

  encodeAll(texts: readonly string[], contextLength: number): Int32Array {
    const result = new Int32Array(texts.length * contextLength);
    texts.forEach((text, index) => result.set(this.#encode(text, index, contextLength), index * contextLength));
    return result;
  }

  #encode(text: string, index: number, contextLength: number): readonly number[] {
    if (typeof text !== "string") throw new ModelInputError(`Expected a text but received ${typeof (text as unknown)}.`, { index });
    const tooLong = (found: string): ModelInputError =>
      new ModelInputError(
        `The text "${text.slice(0, 40)}${text.length > 40 ? "..." : ""}" has ${found} tokens; this model reads ${contextLength}, marks of start and end included. Shorten it, or embed its sentences one by one.`,
        { index },
      );
    const words = cleanText(text, this.entities).match(WORDS) ?? [];
    // Merging takes time by the square of a word's length: what cannot fit is not tried.
    const bytes = words.reduce((sum, word) => sum + Buffer.byteLength(word), 0);
    if (bytes > contextLength * this.pairs.longestToken) throw tooLong(`at least ${Math.ceil(bytes / this.pairs.longestToken)}`);
    const ids = [START, ...words, END].flatMap((word) => this.#marks.get(word) ?? this.pairs.encode(word));
    if (ids.length > contextLength) throw tooLong(String(ids.length));
    return ids;
  }
}

let loaded: Promise<Tokenizer> | null = null;

/** Reads the vocabulary at the first call; 0.2 MB that come with this package. @throws MissingDependencyError */
export function loadClipTokenizer(): Promise<Tokenizer> {
  loaded ??= Promise.all([BytePairs.load(), HtmlEntities.load()]).then(
    ([pairs, entities]) => new ClipTokenizer(pairs, entities),
    (error: unknown) => {
      loaded = null;
      throw error;
    },
  );
  return loaded;
}
