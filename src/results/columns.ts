/** Helpers for parallel columns. */
import { InvalidParameterError } from "../errors.js";
import type { ImageInfo, ImageJson, Provenance, ProvenanceJson, Timings } from "./types.js";

export type NumberColumn = Int32Array | Float32Array | Uint8Array | Uint16Array;

export function requireLength(name: string, actual: number, expected: number, meaning: string): void {
  if (actual === expected) return;
  throw new InvalidParameterError(
    `Column "${name}" has ${actual} elements, but ${meaning} makes ${expected}. All columns must describe the same rows.`,
    {
      parameter: name,
    },
  );
}

export function requireColumn(name: string, value: unknown, ...types: readonly (new (length: number) => NumberColumn)[]): void {
  if (types.some((type) => value instanceof type)) return;
  throw new InvalidParameterError(`Column "${name}" must be ${types.map(({ name: type }) => type).join(" or ")}.`, { parameter: name });
}

export function requireImageInfo({ width, height, exifOrientation }: ImageInfo): void {
  for (const [name, value] of Object.entries({ width, height })) {
    if (!(Number.isSafeInteger(value) && value > 0)) {
      throw new InvalidParameterError(`image.${name} must be a whole number of pixels above 0 but is ${String(value)}.`, {
        parameter: "image",
      });
    }
  }
  if (!(Number.isInteger(exifOrientation) && exifOrientation >= 1 && exifOrientation <= 8)) {
    throw new InvalidParameterError(`image.exifOrientation must be 1 to 8 but is ${String(exifOrientation)}.`, { parameter: "image" });
  }
}

/** Rows of `width` elements each, in the order of `rows`. */
export function takeRows<Column extends NumberColumn>(column: Column, rows: readonly number[], width: number): Column {
  const taken = new (column.constructor as new (length: number) => Column)(rows.length * width);
  rows.forEach((row, position) => taken.set(column.subarray(row * width, (row + 1) * width), position * width));
  return taken;
}

/** Index as in Array.prototype.at, or null when there is no such row. */
export function resolveIndex(index: number, length: number): number | null {
  const whole = Math.trunc(index) || 0;
  const row = whole < 0 ? whole + length : whole;
  return row >= 0 && row < length ? row : null;
}

/** The shortest decimal that is the same float32: 0.93 rather than 0.9300000071525574. */
export function shortestFloat(value: number): number {
  for (let digits = 1; digits < 9; digits++) {
    const candidate = Number(value.toPrecision(digits));
    if (Math.fround(candidate) === value) return candidate;
  }
  return value;
}

export function imageToJson({ width, height, source, exifOrientation, orientationApplied }: ImageInfo): ImageJson {
  return {
    width,
    height,
    ...(source === undefined ? {} : { source }),
    exif_orientation: exifOrientation,
    orientation_applied: orientationApplied,
  };
}

/** Microseconds are as fine as these clocks are worth. */
export function timingsToJson(timings: Timings | null): Timings | null {
  if (timings === null) return null;
  const round = (value: number): number => Math.round(value * 1000) / 1000;
  const { decodeImageMs, preprocessMs, inferenceMs, postprocessMs, totalMs } = timings;
  return {
    decodeImageMs: round(decodeImageMs),
    preprocessMs: round(preprocessMs),
    inferenceMs: round(inferenceMs),
    postprocessMs: round(postprocessMs),
    totalMs: round(totalMs),
  };
}

export function requireClassNames(classNames: unknown): void {
  if (Array.isArray(classNames) && classNames.every((name) => typeof name === "string")) return;
  throw new InvalidParameterError("classNames must be an array of strings.", { parameter: "classNames" });
}

/** A position in a column of `length` elements. */
export function requireIndex(name: string, index: number, length: number): void {
  if (Number.isInteger(index) && index >= 0 && index < length) return;
  throw new InvalidParameterError(`Column "${name}" points at ${index}, but there are ${length} values.`, { parameter: name });
}

/** How many items a caller wants. */
export function resolveCount(name: string, count: number): number {
  if (Number.isSafeInteger(count) && count >= 0) return count;
  throw new InvalidParameterError(`${name} must be a whole number that is not negative but is ${String(count)}.`, { parameter: name });
}

/** The part of a result's JSON that every kind has. */
export function provenanceToJson(
  result: Provenance & { readonly image: ImageInfo; readonly metadata: Readonly<Record<string, unknown>> },
): ProvenanceJson {
  const { image, servedBy, timings, metadata } = result;
  return {
    image: imageToJson(image),
    served_by: servedBy,
    timings: timingsToJson(timings),
    ...(Object.keys(metadata).length === 0 ? {} : { metadata }),
  };
}
