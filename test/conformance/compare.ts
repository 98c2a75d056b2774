/** The comparison rules of the vectors. Each returns the first difference as text, or null. */
import { decodeArray, isVectorArray, type VectorArray } from "./values.js";

export interface Tolerance {
  readonly abs?: number;
  readonly rel?: number;
  readonly mean_abs?: number;
  readonly int_abs?: number;
  readonly mask_fraction?: number;
}

const FLOATS = ["float16", "float32", "float64"];

/** Arrays by element type: floats within a tolerance, bytes within `abs`, other integers within `int_abs`, masks by their share of differing pixels. */
export function compareArrays(expected: VectorArray, actual: VectorArray, tolerance: Tolerance, path: string): string | null {
  if (expected.shape.join() !== actual.shape.join())
    return `${path}: shape [${expected.shape.join()}] expected, got [${actual.shape.join()}]`;
  const wanted = decodeArray(expected);
  const got = decodeArray(actual);
  if (wanted.length !== got.length) return `${path}: ${wanted.length} elements expected, got ${got.length}`;
  if (expected.dtype === "bool") {
    let different = 0;
    for (let index = 0; index < wanted.length; index++) if (Boolean(wanted[index]) !== Boolean(got[index])) different++;
    const share = different / Math.max(wanted.length, 1);
    return share > (tolerance.mask_fraction ?? 0) ? `${path}: ${different} of ${wanted.length} mask pixels differ` : null;
  }
  const isFloat = FLOATS.includes(expected.dtype);
  const absolute = isFloat ? (tolerance.abs ?? 1e-4) : expected.dtype === "uint8" ? (tolerance.abs ?? 0) : (tolerance.int_abs ?? 0);
  const relative = isFloat ? (tolerance.rel ?? 1e-5) : 0;
  let total = 0;
  for (let index = 0; index < wanted.length; index++) {
    const [e, a] = [Number(wanted[index]), Number(got[index])];
    if (Object.is(e, a) || e === a) continue;
    const difference = Math.abs(e - a);
    if (!(difference <= absolute + relative * Math.abs(e))) return `${path}[${index}]: ${e} expected, got ${a}`;
    total += difference;
  }
  const mean = total / Math.max(wanted.length, 1);
  return tolerance.mean_abs !== undefined && mean > tolerance.mean_abs
    ? `${path}: mean difference ${mean} exceeds ${tolerance.mean_abs}`
    : null;
}

/** Whole outputs. `expected` decides what is compared; keys that the implementation adds are differences. */
export function compareValues(expected: unknown, actual: unknown, tolerance: Tolerance = {}, path = "output"): string | null {
  if (isVectorArray(expected)) {
    return isVectorArray(actual)
      ? compareArrays(expected, actual, tolerance, path)
      : `${path}: an array expected, got ${JSON.stringify(actual)}`;
  }
  if (typeof expected === "number" && typeof actual === "number") {
    const allowed = (tolerance.abs ?? 1e-6) + (tolerance.rel ?? (tolerance.abs === undefined ? 1e-6 : 0)) * Math.abs(expected);
    return Math.abs(expected - actual) <= allowed || Object.is(expected, actual) ? null : `${path}: ${expected} expected, got ${actual}`;
  }
  if (Array.isArray(expected) && Array.isArray(actual)) {
    if (expected.length !== actual.length) return `${path}: ${expected.length} items expected, got ${actual.length}`;
    return firstDifference(
      expected.map((item, index) => () => compareValues(item, (actual as unknown[])[index], tolerance, `${path}[${index}]`)),
    );
  }
  if (isRecord(expected) && isRecord(actual)) {
    const keys = new Set([...Object.keys(expected), ...Object.keys(actual)]);
    return firstDifference(
      [...keys].map((key) => () => {
        if (!(key in expected)) return `${path}.${key}: not expected`;
        return key in actual ? compareValues(expected[key], actual[key], tolerance, `${path}.${key}`) : `${path}.${key}: missing`;
      }),
    );
  }
  return Object.is(expected, actual) ? null : `${path}: ${JSON.stringify(expected)} expected, got ${JSON.stringify(actual)}`;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function firstDifference(comparisons: readonly (() => string | null)[]): string | null {
  for (const compare of comparisons) {
    const difference = compare();
    if (difference !== null) return difference;
  }
  return null;
}
