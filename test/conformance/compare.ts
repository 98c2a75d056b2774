/** The comparison rules of the vectors. Each function returns the first difference as text, or null. */
import { decodeArray, decodeRle, isVectorArray, isVectorRleMasks, type VectorArray, type VectorRleMasks } from "./values.js";

export interface Tolerance {
  readonly abs?: number;
  readonly rel?: number;
  readonly mean_abs?: number;
  readonly int_abs?: number;
  readonly mask_fraction?: number;
}

type Kind = "float" | "byte" | "integer" | "mask";

function kindOf(dtype: string): Kind {
  if (dtype === "bool") return "mask";
  if (dtype === "uint8") return "byte";
  return dtype.startsWith("float") ? "float" : "integer";
}

/** Kinds of element that may stand for the expected one; the width of a number never matters. */
const ACCEPTED: Readonly<Record<Kind, readonly Kind[]>> = {
  float: ["float"],
  byte: ["byte", "float"],
  integer: ["integer", "byte"],
  mask: ["mask", "byte"],
};

/** For messages: one line, and short however large the value is. */
function show(value: unknown): string {
  const plain = (_key: string, item: unknown): unknown => (typeof item === "bigint" ? `${item}n` : item);
  const text = value instanceof Error ? String(value) : ((JSON.stringify(value, plain) as string | undefined) ?? String(value));
  return text.length > 120 ? `${text.slice(0, 117)}...` : text;
}

/** Which elements take part; everything by default. */
type Selection = (index: number) => boolean;

function compareElements(
  expected: ArrayLike<number>,
  actual: ArrayLike<number>,
  allowed: { readonly absolute: number; readonly relative: number; readonly mean: number | undefined },
  path: string,
  selected: Selection = () => true,
): string | null {
  let total = 0;
  let count = 0;
  for (let index = 0; index < expected.length; index++) {
    if (!selected(index)) continue;
    count++;
    const [wanted, got] = [expected[index]!, actual[index]!];
    if (wanted === got || Object.is(wanted, got)) continue;
    const difference = Math.abs(wanted - got);
    // An infinite allowance would let anything pass for an expected infinity.
    if (!Number.isFinite(wanted) || !(difference <= allowed.absolute + allowed.relative * Math.abs(wanted)))
      return `${path}[${index}]: ${wanted} expected, got ${got}`;
    total += difference;
  }
  const mean = total / Math.max(count, 1);
  return allowed.mean !== undefined && mean > allowed.mean ? `${path}: mean difference ${mean}, at most ${allowed.mean} expected` : null;
}

function compareShare(expected: ArrayLike<number>, actual: ArrayLike<number>, tolerance: Tolerance, path: string): string | null {
  let different = 0;
  for (let index = 0; index < expected.length; index++) if (expected[index] !== actual[index]) different++;
  return different > (tolerance.mask_fraction ?? 0) * expected.length ? `${path}: ${different} of ${expected.length} pixels differ` : null;
}

function compareArrayHeads(expected: VectorArray, actual: unknown, path: string): string | null {
  if (!isVectorArray(actual)) return `${path}: an array expected, got ${show(actual)}`;
  if (!ACCEPTED[kindOf(expected.dtype)].includes(kindOf(actual.dtype))) return `${path}: ${expected.dtype} expected, got ${actual.dtype}`;
  return expected.shape.join() === actual.shape.join()
    ? null
    : `${path}: shape ${show(expected.shape)} expected, got ${show(actual.shape)}`;
}

/** Floats within a tolerance, bytes within `abs`, other integers within `int_abs`, masks by their share of differing pixels. */
export function compareArrays(
  expected: VectorArray,
  actual: unknown,
  tolerance: Tolerance,
  path: string,
  selected?: Selection,
): string | null {
  const difference = compareArrayHeads(expected, actual, path);
  if (difference !== null) return difference;
  const [wanted, got] = [decodeArray(expected), decodeArray(actual as VectorArray)];
  if (wanted.length !== got.length) return `${path}: ${wanted.length} elements expected, got ${got.length}`;
  const mean = tolerance.mean_abs;
  switch (kindOf(expected.dtype)) {
    case "mask":
      return compareShare(wanted, got, tolerance, path);
    case "float":
      return compareElements(wanted, got, { absolute: tolerance.abs ?? 1e-4, relative: tolerance.rel ?? 1e-5, mean }, path, selected);
    case "byte":
      return compareElements(wanted, got, { absolute: tolerance.abs ?? 0, relative: 0, mean }, path, selected);
    case "integer":
      return compareElements(wanted, got, { absolute: tolerance.int_abs ?? 0, relative: 0, mean: undefined }, path, selected);
  }
}

/** Run-length masks as the pixels they stand for. */
function compareRleMasks(expected: VectorRleMasks, actual: unknown, tolerance: Tolerance, path: string): string | null {
  if (!isVectorRleMasks(actual)) return `${path}: run-length masks expected, got ${show(actual)}`;
  const { width, height } = expected.image_size;
  if (actual.image_size.width !== width || actual.image_size.height !== height)
    return `${path}.image_size: ${show(expected.image_size)} expected, got ${show(actual.image_size)}`;
  if (actual.counts.length !== expected.counts.length)
    return `${path}.counts: ${expected.counts.length} masks expected, got ${actual.counts.length}`;
  const decodeAll = (masks: VectorRleMasks): Uint8Array => Buffer.concat(masks.counts.map((counts) => decodeRle(counts, width * height)));
  return compareShare(decodeAll(expected), decodeAll(actual), tolerance, `${path}.counts`);
}

/** Where pixels may change their class, what is said about such a pixel beside the class map cannot be compared. */
function compareClassMap(expected: Fields, actual: Fields, tolerance: Tolerance, path: string): string | null {
  const map = expected["segmentation_map"] as VectorArray;
  const heads = compareArrayHeads(map, actual["segmentation_map"], `${path}.segmentation_map`);
  if (heads !== null) return heads;
  const [wanted, got] = [decodeArray(map), decodeArray(actual["segmentation_map"] as VectorArray)];
  if (wanted.length !== got.length) return `${path}.segmentation_map: ${wanted.length} elements expected, got ${got.length}`;
  return (
    compareShare(wanted, got, tolerance, `${path}.segmentation_map`) ??
    compareFields(expected, actual, path, (key, one, other) => {
      if (key === "segmentation_map") return null;
      const beside = isVectorArray(one) && kindOf(one.dtype) === "float" && one.shape.join() === map.shape.join();
      return beside
        ? compareArrays(one, other, tolerance, `${path}.${key}`, (index) => wanted[index] === got[index])
        : compareValues(one, other, tolerance, `${path}.${key}`);
    })
  );
}

type Fields = Readonly<Record<string, unknown>>;

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function compareFields(
  expected: Fields,
  actual: Fields,
  path: string,
  compare: (key: string, expected: unknown, actual: unknown) => string | null,
): string | null {
  for (const key of new Set([...Object.keys(expected), ...Object.keys(actual)])) {
    if (!(key in expected)) return `${path}.${key}: not expected`;
    if (!(key in actual)) return `${path}.${key}: missing`;
    const difference = compare(key, expected[key], actual[key]);
    if (difference !== null) return difference;
  }
  return null;
}

function compareNumbers(expected: number, actual: number, tolerance: Tolerance, path: string, isListItem: boolean): string | null {
  if (expected === actual || Object.is(expected, actual)) return null;
  const allowed = (tolerance.abs ?? 1e-6) + (tolerance.rel ?? (tolerance.abs === undefined ? 1e-6 : 0)) * Math.abs(expected);
  // Coordinates outside arrays are the integers of lists: [x, y], [x1, y1, x2, y2].
  const isCoordinate = isListItem && Number.isInteger(expected) && Number.isInteger(actual);
  return Math.abs(expected - actual) <= Math.max(allowed, isCoordinate ? (tolerance.int_abs ?? 0) : 0)
    ? null
    : `${path}: ${expected} expected, got ${actual}`;
}

/** Whole outputs. `expected` decides what is compared; keys that the implementation adds are differences. */
export function compareValues(
  expected: unknown,
  actual: unknown,
  tolerance: Tolerance = {},
  path = "output",
  isListItem = false,
): string | null {
  if (isVectorArray(expected)) return compareArrays(expected, actual, tolerance, path);
  if (isVectorRleMasks(expected)) return compareRleMasks(expected, actual, tolerance, path);
  if (typeof expected === "number" && typeof actual === "number") return compareNumbers(expected, actual, tolerance, path, isListItem);
  if (Array.isArray(expected) && Array.isArray(actual)) {
    if (expected.length !== actual.length) return `${path}: ${expected.length} items expected, got ${actual.length}`;
    for (const [index, item] of expected.entries()) {
      const difference = compareValues(item, actual[index], tolerance, `${path}[${index}]`, true);
      if (difference !== null) return difference;
    }
    return null;
  }
  if (isFields(expected) && isFields(actual)) {
    if (tolerance.mask_fraction !== undefined && isVectorArray(expected["segmentation_map"]))
      return compareClassMap(expected, actual, tolerance, path);
    return compareFields(expected, actual, path, (key, one, other) => compareValues(one, other, tolerance, `${path}.${key}`));
  }
  return Object.is(expected, actual) ? null : `${path}: ${show(expected)} expected, got ${show(actual)}`;
}
