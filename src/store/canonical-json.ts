/** One text for one value, whatever the order it was built in: what the cache's hashes are taken of, shared with the Python library. */
import { createHash } from "node:crypto";

import { AssumptionError } from "../errors.js";

/** By code point, where JavaScript's own order goes by UTF-16 unit. */
function compareCodePoints(a: string, b: string): number {
  const [left, right] = [Array.from(a), Array.from(b)];
  for (let index = 0; index < Math.min(left.length, right.length); index++) {
    const order = (left[index]?.codePointAt(0) ?? 0) - (right[index]?.codePointAt(0) ?? 0);
    if (order !== 0) return order;
  }
  return left.length - right.length;
}

function text(value: string): string {
  return JSON.stringify(value).replace(/[\u007f-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** Shortest form that reads back the same; exponents have two digits and begin where Python's do. */
function number(value: number): string {
  if (!Number.isFinite(value))
    throw new AssumptionError(`${value} has no canonical JSON form. This is a bug of inference-models; please report it.`);
  if (Object.is(value, -0)) return "-0.0";
  if (Number.isInteger(value)) return BigInt(value).toString();
  const [digits = "", exponent] = value.toExponential().split("e");
  const power = Number(exponent);
  return power < -4 ? `${digits}e-${String(-power).padStart(2, "0")}` : String(value);
}

/**
 * Keys sorted by code point at every level, `", "` and `": "` between, ASCII alone. Properties that are undefined are left out. Integral
 * numbers are written as integers, since JavaScript does not tell 1 from 1.0.
 */
export function canonicalJson(value: unknown): string {
  switch (typeof value) {
    case "string":
      return text(value);
    case "number":
      return number(value);
    case "boolean":
      return String(value);
    case "object": {
      if (value === null) return "null";
      if (Array.isArray(value)) return `[${value.map(canonicalJson).join(", ")}]`;
      const entries = Object.entries(value)
        .filter(([, entry]) => entry !== undefined)
        .sort(([a], [b]) => compareCodePoints(a, b));
      return `{${entries.map(([key, entry]) => `${text(key)}: ${canonicalJson(entry)}`).join(", ")}}`;
    }
    default:
      throw new AssumptionError(`A ${typeof value} has no canonical JSON form. This is a bug of inference-models; please report it.`);
  }
}

/** SHA-256 of the canonical JSON, 64 hexadecimal digits. */
export function hashContent(value: unknown): string {
  return createHash("sha256").update(canonicalJson(value)).digest("hex");
}

/** Binds a cache entry to a key without keeping the key. */
export function credentialHash(apiKey: string | null): string {
  return hashContent({ api_key: apiKey });
}

/** A request parameter with the meaning of a set: each value once, sorted. null stays null, which means "not asked for". */
export function canonicalizeUnorderedValues(
  value: string | readonly string[] | null,
  { ignoreCase }: { readonly ignoreCase: boolean },
): readonly string[] | null {
  if (value === null) return null;
  const values = (typeof value === "string" ? [value] : value).map((one) => (ignoreCase ? one.toLowerCase() : one));
  return [...new Set(values)].sort(compareCodePoints);
}
