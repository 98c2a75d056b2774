/** Reading JSON that arrives from outside: bounded, leniently coerced where published packages need it, one error for all. */
import * as z from "zod";

import { CorruptedModelPackageError } from "../errors.js";
import { logger } from "../logger.js";
import { closest } from "../options.js";
import type { FileContext } from "./types.js";

/** Larger configuration files than this exist only by mistake or malice. */
const MAXIMUM_CHARACTERS = 16 * 1024 * 1024;
const MAXIMUM_DEPTH = 64;
/** Ten times what a description of a thousand classes with key points takes; each wrong value costs an entry in the report. */
const MAXIMUM_VALUES = 200_000;
/** Comparing words costs their lengths multiplied, and both are up to whoever wrote the file. */
const MAXIMUM_COMPARED_KEYS = 20;
const MAXIMUM_COMPARED_LENGTH = 64;

export function corrupted(path: string, problem: string, cause?: unknown): CorruptedModelPackageError {
  return new CorruptedModelPackageError(`${path}: ${problem}`, { path, kind: "config", ...(cause === undefined ? {} : { cause }) });
}

/** How deep brackets are nested, and about how many values there are; without recursion, since that is what bombs attack. */
function measure(text: string): { readonly depth: number; readonly values: number } {
  let depth = 0;
  let deepest = 0;
  let values = 1;
  let inString = false;
  for (let index = 0; index < text.length; index++) {
    const character = text[index];
    if (inString) {
      if (character === "\\") index++;
      else if (character === '"') inString = false;
    } else if (character === '"') inString = true;
    else if (character === ",") values++;
    else if (character === "{" || character === "[") {
      values++;
      deepest = Math.max(deepest, ++depth);
    } else if (character === "}" || character === "]") depth--;
  }
  return { depth: deepest, values };
}

/** @throws CorruptedModelPackageError */
export function parseJson(text: string, { path }: FileContext): unknown {
  if (text.length > MAXIMUM_CHARACTERS)
    throw corrupted(path, `the file has ${text.length} characters; at most ${MAXIMUM_CHARACTERS} are read.`);
  const { depth, values } = measure(text);
  if (depth > MAXIMUM_DEPTH) throw corrupted(path, `values are nested ${depth} deep; at most ${MAXIMUM_DEPTH} are read.`);
  if (values > MAXIMUM_VALUES) throw corrupted(path, `the file holds ${values} values; at most ${MAXIMUM_VALUES} are read.`);
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    if (text.startsWith("\uFEFF"))
      throw corrupted(path, "the file starts with a byte-order mark, which JSON does not allow. Save it as UTF-8 without one.", error);
    throw corrupted(
      path,
      `not valid JSON (${error instanceof Error ? error.message : String(error)}). Export the package again or mend the file.`,
      error,
    );
  }
}

/** Parses text by a schema; the error names every offending field. @throws CorruptedModelPackageError */
export function parseJsonAs<Schema extends z.ZodType>(schema: Schema, text: string, context: FileContext): z.output<Schema> {
  const value = parseJson(text, context);
  const outcome = validate(schema, value, context);
  if (outcome.success) return outcome.data;
  const problems = outcome.error.issues
    .slice(0, 5)
    .map(({ path, message }) => `${shorten(path.join(".") || "the root")}: ${shorten(message)}, found ${foundAt(value, path)}`);
  const more = outcome.error.issues.length - problems.length;
  const rest = more > 0 ? `; and ${more} more` : "";
  throw corrupted(context.path, `${problems.join("; ")}${rest}. Correct the file or export the package again.`, outcome.error);
}

function validate<Schema extends z.ZodType>(schema: Schema, value: unknown, { path }: FileContext): z.ZodSafeParseResult<z.output<Schema>> {
  try {
    return schema.safeParse(value);
  } catch (error) {
    // Collecting hundreds of thousands of issues overflows the stack inside the validator.
    throw corrupted(path, "too many values are of the wrong kind to name them. Export the package again.", error);
  }
}

/** Keys of the file appear in messages, and may be of any length. */
function shorten(text: string): string {
  return text.length > 200 ? `${text.slice(0, 200)}...` : text;
}

/** What stands at a path, short enough for a message. */
function foundAt(root: unknown, path: readonly PropertyKey[]): string {
  let value = root;
  for (const key of path) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return "nothing";
    value = (value as Readonly<Record<PropertyKey, unknown>>)[key];
  }
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === "object" && value !== null) return "an object";
  return typeof value === "string" ? JSON.stringify(shorten(value)) : String(value);
}

/** Text or number to a number where the text is plainly one. Published packages do hold numeric strings. */
function numeric(value: unknown): unknown {
  // Exactly one way to match any text: with "\d+\.?\d*" a long row of digits took minutes.
  if (typeof value !== "string" || !/^\s*[+-]?(?:\d+(?:\.\d*)?|\.\d+)\s*$/.test(value)) return value;
  return Number(value);
}

/** An integer, also as `640.0` or `"640"`. */
export const integer = z.preprocess(numeric, z.int());
export const number = z.preprocess(numeric, z.number());

const TRUE_WORDS = ["true", "1", "yes", "on", "t", "y"];
const FALSE_WORDS = ["false", "0", "no", "off", "f", "n"];

/** A boolean, also as 0, 1 or one of the usual words. */
export const boolean = z.preprocess((value) => {
  if (value === 1 || value === 0) return value === 1;
  if (typeof value !== "string") return value;
  const word = value.toLowerCase();
  if (TRUE_WORDS.includes(word)) return true;
  return FALSE_WORDS.includes(word) ? false : value;
}, z.boolean());

/** Absent, null and a value: null for the first two. */
export function optional<Schema extends z.ZodType>(schema: Schema) {
  return schema.nullish().transform((value) => (value ?? null) as z.output<Schema> | null);
}

/** Unknown keys are allowed, but one that looks like a known key is probably a mistake that silently changes results. */
export function warnOfNearMisses(value: unknown, known: readonly string[], where: string, { path }: FileContext): void {
  if (typeof value !== "object" || value === null) return;
  const unknown = Object.keys(value).filter((key) => key.length <= MAXIMUM_COMPARED_LENGTH && !known.includes(key));
  for (const key of unknown.slice(0, MAXIMUM_COMPARED_KEYS)) {
    const plain = (word: string): string => word.replaceAll(/[-_]/g, "").toLowerCase();
    const suggestion = known.find((candidate) => plain(candidate) === plain(key)) ?? (key.length > 4 ? closest(key, known) : null);
    if (suggestion !== null && !(suggestion in value))
      logger().warn(`${path}: "${key}" in ${where} is not known and was ignored; "${suggestion}" is probably meant.`);
  }
}
