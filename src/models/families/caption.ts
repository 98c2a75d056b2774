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

/**
 * "a cat. remote control.": the classes in small letters, a full stop after each. Stops that a class ends with are that one.
 *
 * @param contextLength most tokens, marks included.
 * @throws ModelInputError for a class without words, and for classes that do not fit together; `index` is the place of the first one.
 */
export function captionOf(classes: readonly string[], tokenizer: BertTokenizer, contextLength: number): Caption {
  const separator = tokenizer.encode(SEPARATOR);
  const ids = [tokenizer.start];
  const places = classes.map((name, index) => {
    const tokens = tokenizer.encode(name.replace(/[\s.]+$/u, ""));
    const own = tokens.flatMap((token, place) => (separator.includes(token) ? [] : [ids.length + place]));
    if (own.length === 0) throw new ModelInputError(`The class ${JSON.stringify(name)} has no word. Name what to look for.`, { index });
    ids.push(...tokens, ...separator);
    if (ids.length + 1 > contextLength) {
      throw new ModelInputError(
        `The classes up to "${name.slice(0, 40)}" have ${ids.length + 1} tokens; this model reads ${contextLength} of all classes of a call together, marks and stops included. Name fewer, or ask several times.`,
        { index },
      );
    }
    return own;
  });
  ids.push(tokenizer.end);
  return { ids, places };
}
