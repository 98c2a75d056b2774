/** Reading JSON that arrives from outside: bounded, leniently coerced where published packages need it, one error for all. */
import { z } from "zod";

import { CorruptedModelPackageError } from "../errors.js";
import { logger } from "../logger.js";
import { closest } from "../options.js";

/** Larger configuration files than this exist only by mistake or malice. */
const MAXIMUM_CHARACTERS = 16 * 1024 * 1024;
const MAXIMUM_DEPTH = 64;

export interface FileContext {
  /** File the text came from, for messages. */
  readonly path: string;
}

export function corrupted(path: string, problem: string, cause?: unknown): CorruptedModelPackageError {
  return new CorruptedModelPackageError(`${path}: ${problem}`, { path, kind: "config", ...(cause === undefined ? {} : { cause }) });
}

/** Brackets nested deeper than any real file; told without recursion, since recursion is what such a file attacks. */
function nestingDepth(text: string): number {
  let depth = 0;
  let deepest = 0;
  let inString = false;
  for (let index = 0; index < text.length; index++) {
    const character = text[index];
    if (inString) {
      if (character === "\\") index++;
      else if (character === '"') inString = false;
    } else if (character === '"') inString = true;
    else if (character === "{" || character === "[") deepest = Math.max(deepest, ++depth);
    else if (character === "}" || character === "]") depth--;
  }
  return deepest;
}

/** @throws CorruptedModelPackageError */
export function parseJson(text: string, { path }: FileContext): unknown {
  if (text.length > MAXIMUM_CHARACTERS)
    throw corrupted(path, `the file has ${text.length} characters; at most ${MAXIMUM_CHARACTERS} are read.`);
  if (nestingDepth(text) > MAXIMUM_DEPTH) throw corrupted(path, `values are nested more than ${MAXIMUM_DEPTH} deep.`);
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
  const outcome = schema.safeParse(value);
  if (outcome.success) return outcome.data;
  const problems = outcome.error.issues
    .slice(0, 5)
    .map((issue) => `${issue.path.length === 0 ? "the root" : issue.path.join(".")}: ${issue.message}`);
  const more = outcome.error.issues.length - problems.length;
  throw corrupted(context.path, `${problems.join("; ")}${more > 0 ? `; and ${more} more` : ""}.`, outcome.error);
}

/** Text or number to a number where the text is plainly one. Published packages do hold numeric strings. */
function numeric(value: unknown): unknown {
  if (typeof value !== "string" || !/^\s*[+-]?(\d+\.?\d*|\.\d+)\s*$/.test(value)) return value;
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
  for (const key of Object.keys(value)) {
    if (known.includes(key)) continue;
    const plain = (word: string): string => word.replaceAll(/[-_]/g, "").toLowerCase();
    const suggestion = known.find((candidate) => plain(candidate) === plain(key)) ?? (key.length > 4 ? closest(key, known) : null);
    if (suggestion !== null && !(suggestion in value))
      logger().warn(`${path}: "${key}" in ${where} is not known and was ignored; "${suggestion}" is probably meant.`);
  }
}
