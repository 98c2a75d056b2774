/** One sentence of all classes, as networks read that were trained on captions. */
import { ModelInputError } from "../../errors.js";
import type { BertTokenizer } from "../../text/index.js";

export interface Caption {
  /** Tokens between a mark of the start and one of the end. */
  readonly ids: readonly number[];
  /** For each class the places of its tokens in `ids`; separators are none. */
  readonly places: readonly (readonly number[])[];
}

const SEPARATOR = ".";
/** Letters of the longest word that is a token of its own, known or not. */
const LONGEST_WORD = 100;

/**
 * "a cat. remote control.": the classes in small letters, a full stop after each. Stops that a class ends with are that one.
 *
 * @param contextLength most tokens, marks included.
 * @throws ModelInputError for a class without words, and for classes that do not fit together; `index` is the place of the first one.
 */
export function captionOf(classes: readonly string[], tokenizer: BertTokenizer, contextLength: number): Caption {
  const separator = tokenizer.encode(SEPARATOR);
  const ids = [tokenizer.start];
  const tooLong = (name: string, index: number, found: string): ModelInputError =>
    new ModelInputError(
      `The classes up to "${name.slice(0, 40)}" have ${found} tokens; this model reads ${contextLength} of all classes of a call together, marks and stops included. Name fewer, or ask several times.`,
      { index },
    );
  const places = classes.map((name, index) => {
    // What cannot fit is not cut into tokens, which would take long.
    if (name.length > contextLength * LONGEST_WORD) throw tooLong(name, index, `more than ${contextLength}`);
    const tokens = tokenizer.encode(name);
    while (separator.includes(tokens.at(-1) ?? Number.NaN)) tokens.pop();
    const own = tokens.flatMap((token, place) => (separator.includes(token) ? [] : [ids.length + place]));
    if (own.length === 0)
      throw new ModelInputError(`The class ${JSON.stringify(name.slice(0, 40))} has no word. Name what to look for.`, { index });
    ids.push(...tokens, ...separator);
    if (ids.length + 1 > contextLength) throw tooLong(name, index, String(ids.length + 1));
    return own;
  });
  ids.push(tokenizer.end);
  return { ids, places };
}
