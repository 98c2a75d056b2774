/** CLIP's vocabulary, 49408 tokens of which the last two mark where a text starts and ends, in the two ways in which it is used. */
import { ModelInputError } from "../errors.js";
import { BytePairs } from "./byte-pairs.js";
import { cleanText } from "./cleaning.js";
import { HtmlEntities } from "./html-entities.js";
import type { Tokenizer } from "./types.js";

const START = "<|startoftext|>";
const END = "<|endoftext|>";

/** How a text becomes words. */
interface Rules {
  readonly words: (text: string) => readonly string[];
  /** Words that are tokens as they are. */
  readonly marks: ReadonlyMap<string, number>;
}

/**
 * Marks, endings of English words, letters, single digits, and runs of anything else. Texts are in lower case already; the long s is
 * the one other letter that counts as an s whatever the case, and U+0345 is lost between the classes, as it is in the original.
 */
const WORDS = /<\|[s\u017f]tartoftext\|>|<\|endoftext\|>|'[s\u017f]|'t|'re|'ve|'m|'ll|'d|\p{L}+|\p{N}|[^\s\p{L}\p{N}\u0345]+/gu;

/** As Hugging Face's fast tokenizer cuts texts for OWLv2: exclamation marks, which fill texts up, are tokens of their own. */
const OWL_WORDS = /<\|startoftext\|>|<\|endoftext\|>|!|'s|'t|'re|'ve|'m|'ll|'d|\p{L}+|\p{N}|[^\s\p{L}\p{N}!]+/gu;

class PairTokenizer implements Tokenizer {
  constructor(
    private readonly pairs: BytePairs,
    private readonly rules: Rules,
  ) {}

  encodeAll(texts: readonly string[], contextLength: number): Int32Array {
    const result = new Int32Array(texts.length * contextLength);
    texts.forEach((text, index) => result.set(this.#encode(text, index, contextLength), index * contextLength));
    return result;
  }

  #encode(text: string, index: number, contextLength: number): readonly number[] {
    if (typeof text !== "string") throw new ModelInputError(`Expected a text but received ${typeof (text as unknown)}.`, { index });
    const tooLong = (found: string): ModelInputError =>
      new ModelInputError(
        `The text "${text.slice(0, 40)}${text.length > 40 ? "..." : ""}" has ${found} tokens; this model reads ${contextLength}, marks of start and end included. Shorten it.`,
        { index },
      );
    const words = this.rules.words(text);
    // Merging takes time by the square of a word's length: what cannot fit is not tried.
    const bytes = words.reduce((sum, word) => sum + Buffer.byteLength(word), 0);
    if (bytes > contextLength * this.pairs.longestToken) throw tooLong(`at least ${Math.ceil(bytes / this.pairs.longestToken)}`);
    const ids = [START, ...words, END].flatMap((word) => this.rules.marks.get(word) ?? this.pairs.encode(word));
    if (ids.length > contextLength) throw tooLong(String(ids.length));
    return ids;
  }
}

/** Asked for at the first call; a failure is forgotten, so that a repaired installation helps a running process. */
function once<T>(load: () => Promise<T>): () => Promise<T> {
  let loaded: Promise<T> | null = null;
  return () => {
    loaded ??= load().catch((error: unknown) => {
      loaded = null;
      throw error;
    });
    return loaded;
  };
}

const loadPairs = once(() => BytePairs.load());

const marksOf = (pairs: BytePairs): readonly (readonly [string, number])[] => [
  [START, pairs.size],
  [END, pairs.size + 1],
];

/** CLIP's own tokenizer. Its vocabulary, 0.2 MB that come with this package, is read at the first call. @throws MissingDependencyError */
export const loadClipTokenizer = once(async (): Promise<Tokenizer> => {
  const [pairs, entities] = await Promise.all([loadPairs(), HtmlEntities.load()]);
  return new PairTokenizer(pairs, { words: (text) => cleanText(text, entities).match(WORDS) ?? [], marks: new Map(marksOf(pairs)) });
});

/**
 * OWLv2's tokenizer: the vocabulary of CLIP, texts in lower case and otherwise as they are. Letters are made lower one by one, without
 * regard to their place in a word.
 * @throws MissingDependencyError
 */
export const loadOwlTokenizer = once(async (): Promise<Tokenizer> => {
  const pairs = await loadPairs();
  const lower = (text: string): string => Array.from(text.normalize("NFC"), (letter) => letter.toLowerCase()).join("");
  return new PairTokenizer(pairs, { words: (text) => lower(text).match(OWL_WORDS) ?? [], marks: new Map([...marksOf(pairs), ["!", 0]]) });
});
