/**
 * BERT's tokenizer for texts without regard to case: words are cut into the longest pieces that its vocabulary has.
 *
 * It follows the fast tokenizer of Hugging Face (BertTokenizerFast), which the processors of published networks load. That one's tables of
 * characters are those of Unicode 8; characters that came later may be marks, punctuation or nothing there and letters here.
 */
import { CorruptedModelPackageError, ModelInputError } from "../errors.js";

const MARKS = { filling: "[PAD]", unknown: "[UNK]", start: "[CLS]", end: "[SEP]", mask: "[MASK]" } as const;

/** Longer words are unknown, whatever they are made of. */
const LONGEST_WORD = 100;
/** Inside a word. */
const CONTINUED = "##";

/** Marks that stand in a text as such are themselves; in small letters they are words in brackets. */
const MARK = /(\[(?:PAD|UNK|CLS|SEP|MASK)\])/;
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Co}\p{Cs}\ufffd]/gu;
const IDEOGRAPH =
  /[\u4e00-\u9fff\u3400-\u4dbf\u{20000}-\u{2a6df}\u{2a700}-\u{2b73f}\u{2b740}-\u{2b81f}\u{2b920}-\u{2ceaf}\uf900-\ufaff\u{2f800}-\u{2fa1f}]/gu;
/** Of ASCII also what Unicode calls symbols. */
const WORD = /[\p{P}$+<=>^`|~]|[^ \p{P}$+<=>^`|~]+/gu;

/** Small letters without accents, single spaces of one kind, ideographs apart. */
function normalize(text: string): string {
  return Array.from(
    text
      .replaceAll(INVISIBLE, (character) => ("\t\n\r".includes(character) ? " " : ""))
      .replaceAll(/\p{White_Space}/gu, " ")
      .replaceAll(IDEOGRAPH, " $& ")
      .normalize("NFD")
      .replaceAll(/\p{Mn}/gu, ""),
    // One by one: a sigma at the end of a word is none here.
    (letter) => letter.toLowerCase(),
  ).join("");
}

/** As decoders of the original do it, so that phrases read like text. */
const TIDY: readonly (readonly [string, string])[] = [
  ...[".", "?", "!", ",", "n't", "'m", "'s", "'ve", "'re"].map((sign) => [` ${sign}`, sign] as const),
  [" ' ", "'"],
];

export class BertTokenizer {
  /** Ids of the marks. */
  readonly filling: number;
  readonly start: number;
  readonly end: number;
  readonly #unknown: number;
  readonly #ids: ReadonlyMap<string, number>;
  readonly #tokens: ReadonlyMap<number, string>;

  /** @throws CorruptedModelPackageError for a vocabulary without BERT's marks. */
  constructor(ids: ReadonlyMap<string, number>) {
    const missing = Object.values(MARKS).find((mark) => !ids.has(mark));
    if (missing !== undefined)
      throw new CorruptedModelPackageError(`The vocabulary has no token ${missing}; it is not that of BERT. Export the package again.`, {
        kind: "artefact",
      });
    const idOf = (mark: string): number => ids.get(mark) as number;
    this.#ids = ids;
    this.#tokens = new Map(Array.from(ids, ([token, id]) => [id, token]));
    this.#unknown = idOf(MARKS.unknown);
    this.filling = idOf(MARKS.filling);
    this.start = idOf(MARKS.start);
    this.end = idOf(MARKS.end);
  }

  /** Ids of a text, without marks of its start and end. @throws ModelInputError for what is not a text. */
  encode(text: string): number[] {
    if (typeof text !== "string") throw new ModelInputError(`Expected a text but received ${typeof (text as unknown)}.`);
    return text.split(MARK).flatMap((part, index) => (index % 2 === 1 ? [this.#ids.get(part) as number] : this.#encodePlain(part)));
  }

  /** Words of tokens, in the small letters in which they are known. */
  decode(ids: readonly number[]): string {
    const words = ids.map((id) => this.#tokens.get(id) ?? MARKS.unknown);
    const text = words.map((word, index) => (index > 0 && word.startsWith(CONTINUED) ? word.slice(2) : ` ${word}`)).join("");
    return TIDY.reduce((tidied, [found, sign]) => tidied.replaceAll(found, sign), text).trim();
  }

  #encodePlain(text: string): readonly number[] {
    return (normalize(text).match(WORD) ?? []).flatMap((word) => this.#pieces(word));
  }

  #pieces(word: string): readonly number[] {
    const letters = Array.from(word);
    if (letters.length > LONGEST_WORD) return [this.#unknown];
    const pieces: number[] = [];
    for (let from = 0; from < letters.length;) {
      let to = letters.length;
      let id: number | undefined;
      for (; to > from; to--) {
        id = this.#ids.get((from > 0 ? CONTINUED : "") + letters.slice(from, to).join(""));
        if (id !== undefined) break;
      }
      if (id === undefined) return [this.#unknown];
      pieces.push(id);
      from = to;
    }
    return pieces;
  }
}
