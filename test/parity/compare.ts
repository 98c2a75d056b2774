/** Predictions and network inputs against the fixtures, with the tolerances that the fixtures state. */
import type { Geometry } from "../../src/index.js";
import { compareValues } from "../conformance/compare.js";
import { encodeGeometry } from "../conformance/values.js";
import type { ExpectedDetections, TensorSummary } from "./expected.js";

export interface Tolerances {
  /** Samples of the network input, in its own scale. */
  readonly input: number;
  /** Share of the samples that may exceed it. */
  readonly inputOutliers: number;
  readonly confidence: number;
  /** Pixels, before rounding. */
  readonly box: number;
}

/** For network inputs that are exact to the bit: all but those with contrast enhancement. */
export const EXACT: Tolerances = { input: 1e-6, inputOutliers: 0, confidence: 1e-4, box: 0.02 };

/** What decides the tolerances in a package's inference_config.json. */
export interface InputSettings {
  readonly image_pre_processing?: { readonly contrast?: { readonly enabled?: boolean } | null } | null;
  readonly network_input?: { readonly scaling_factor?: number | null; readonly normalization?: readonly (readonly number[])[] | null };
}

/** Contrast enhancement may differ by a few grey levels, which weigh more where the input is divided by less. */
export function tolerancesFor(settings: InputSettings, contrastSwitchedOff: boolean): Tolerances {
  if (contrastSwitchedOff || settings.image_pre_processing?.contrast?.enabled !== true) return EXACT;
  const { scaling_factor: scale, normalization } = settings.network_input ?? {};
  const greyLevel = 1 / (scale ?? 1) / Math.min(1, ...(normalization?.[1] ?? []));
  return { input: 2.5 * greyLevel, inputOutliers: 0.02, confidence: 5e-3, box: 0.3 };
}

/** A pixel of a large picture is less than one of the network's. */
export function scaled(
  tolerances: Tolerances,
  { originalSize, inferenceSize }: Pick<Geometry, "originalSize" | "inferenceSize">,
): Tolerances {
  const factor = Math.max(1, originalSize.width / inferenceSize.width, originalSize.height / inferenceSize.height);
  return { ...tolerances, box: tolerances.box * factor };
}

export function compareInput(
  expected: TensorSummary,
  actual: { readonly data: ArrayLike<number>; readonly dims: readonly number[] },
  tolerances: Tolerances,
): string | null {
  if (expected.shape.join() !== actual.dims.join()) return `network input [${expected.shape.join()}] expected, got [${actual.dims.join()}]`;
  const bad = expected.sample_flat_index.filter(
    (position, k) => !(Math.abs((actual.data[position] ?? NaN) - (expected.sample_value[k] ?? NaN)) <= tolerances.input),
  );
  return bad.length > tolerances.inputOutliers * expected.sample_flat_index.length
    ? `${bad.length} of ${expected.sample_flat_index.length} samples of the network input differ, the first at ${bad[0]}`
    : null;
}

export function compareGeometry(expected: readonly unknown[], actual: readonly Geometry[]): string | null {
  return compareValues(expected, actual.map(encodeGeometry), {}, "metadata");
}

/** The columns of a result that are compared. */
export interface Columns {
  readonly length: number;
  readonly xyxy: ArrayLike<number>;
  readonly classId: ArrayLike<number>;
  readonly confidence: ArrayLike<number>;
  readonly classNames: readonly string[];
}

/** Places in the answer of this library, by number of the expected detection; null = none. */
export type Pairs = readonly (number | null)[];

/** Each expected detection takes the nearest free one of its class and confidence. */
export function pairUp(expected: ExpectedDetections, actual: Columns, tolerances: Tolerances): Pairs {
  const free = new Set(Array.from({ length: actual.length }, (_, place) => place));
  return expected.confidence.map((confidence, number) => {
    const distance = (place: number): number =>
      (expected.xyxy_unrounded[number] ?? []).reduce((sum, value, corner) => sum + Math.abs(value - actual.xyxy[4 * place + corner]!), 0);
    let nearest: number | null = null;
    for (const place of free) {
      if (actual.classId[place] !== expected.class_id[number]) continue;
      if (!(Math.abs(actual.confidence[place]! - confidence) <= tolerances.confidence)) continue;
      if (nearest === null || distance(place) < distance(nearest)) nearest = place;
    }
    if (nearest !== null) free.delete(nearest);
    return nearest;
  });
}

/** Detections may only change places with others of the same confidence. */
function compareOrder(pairs: Pairs, confidence: readonly number[], tolerance: number): string | null {
  for (const [later, place] of pairs.entries()) {
    for (const [earlier, other] of pairs.slice(0, later).entries()) {
      if (place === null || other === null || place > other) continue;
      if (Math.abs(confidence[earlier]! - confidence[later]!) > tolerance) return `detection ${later} comes before detection ${earlier}`;
    }
  }
  return null;
}

/** Rounding may go the other way where the value lies at the middle between two pixels. */
export function maySwing(value: number, tolerance: number): boolean {
  return Math.abs(Math.abs(value - Math.trunc(value)) - 0.5) <= tolerance;
}

function compareBox(
  expected: ExpectedDetections,
  number: number,
  exact: Columns,
  rounded: Columns,
  place: number,
  tolerance: number,
): string | null {
  for (let corner = 0; corner < 4; corner++) {
    const wanted = expected.xyxy_unrounded[number]?.[corner] ?? NaN;
    const got = exact.xyxy[4 * place + corner] ?? NaN;
    if (!(Math.abs(wanted - got) <= tolerance)) return `box ${number}, corner ${corner}: ${wanted} expected, got ${got}`;
    const pixel = expected.xyxy[number]?.[corner] ?? NaN;
    const pixelGot = rounded.xyxy[4 * place + corner] ?? NaN;
    if (!(Math.abs(pixel - pixelGot) <= (maySwing(wanted, tolerance) ? 1 : 0)))
      return `box ${number}, corner ${corner}, rounded: ${pixel} expected, got ${pixelGot}`;
  }
  return null;
}

/**
 * One picture's detections: count, classes, order, confidences and boxes, before and after rounding.
 *
 * @param thresholdMargin a candidate closer to the threshold than the confidence tolerance may appear or be missing.
 */
export function compareDetections(
  expected: ExpectedDetections,
  exact: Columns,
  rounded: Columns,
  tolerances: Tolerances,
  thresholdMargin: number | null,
): string | null {
  if (exact.length !== rounded.length) return `${exact.length} detections without rounding, ${rounded.length} with it`;
  const borderline = thresholdMargin !== null && thresholdMargin < tolerances.confidence ? 1 : 0;
  const count = expected.confidence.length;
  if (Math.abs(exact.length - count) > borderline) return `${count} detections expected, got ${exact.length}`;
  const pairs = pairUp(expected, exact, tolerances);
  const missing = pairs.flatMap((place, number) => (place === null ? [number] : []));
  const [first] = missing;
  if (first !== undefined && missing.length > borderline)
    return `detection ${first}: class ${expected.class_id[first]}, confidence ${expected.confidence[first]} expected, got none such`;
  const order = compareOrder(pairs, expected.confidence, tolerances.confidence);
  if (order !== null) return order;
  for (const [number, place] of pairs.entries()) {
    if (place === null) continue;
    const name = exact.classNames[exact.classId[place]!];
    if (name !== expected.class_name[number]) return `detection ${number}: class name ${expected.class_name[number]} expected, got ${name}`;
    const difference = compareBox(expected, number, exact, rounded, place, tolerances.box);
    if (difference !== null) return difference;
  }
  return null;
}
