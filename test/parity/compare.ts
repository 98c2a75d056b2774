/** Tolerances of the fixtures, for network inputs that are exact (all here are but contrast equalisation). */
import type { Detections, Geometry } from "../../src/index.js";
import { compareValues } from "../conformance/compare.js";
import { encodeGeometry } from "../conformance/values.js";
import type { ExpectedCase, ExpectedDetections, TensorSummary } from "./expected.js";

export interface Tolerances {
  /** Network input, and the share of samples that may exceed it. */
  readonly input: number;
  readonly inputOutliers: number;
  readonly confidence: number;
  /** Pixels, before rounding. */
  readonly box: number;
}

export const EXACT: Tolerances = { input: 1e-6, inputOutliers: 0, confidence: 1e-4, box: 0.02 };
/** Adaptive equalisation is not exact to the last level. */
export const CONTRAST: Tolerances = { input: 2.5 / 255, inputOutliers: 0.02, confidence: 5e-3, box: 0.3 };

/** Pixels of a large picture are worth less of the network's. */
export function scaled(tolerances: Tolerances, { originalSize, inferenceSize }: Geometry): Tolerances {
  const factor = Math.max(1, originalSize.width / inferenceSize.width, originalSize.height / inferenceSize.height);
  return { ...tolerances, box: tolerances.box * factor };
}

export function compareInput(
  expected: TensorSummary,
  actual: { readonly data: Float32Array; readonly dims: readonly number[] },
  tolerances: Tolerances,
): string | null {
  if (expected.shape.join() !== actual.dims.join()) return `network input [${actual.dims.join()}], expected [${expected.shape.join()}]`;
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

/** Pairs each expected detection with one of ours: by order, except among confidences that are closer than the tolerance. */
function pair(expected: ExpectedDetections, actual: Detections, tolerances: Tolerances): readonly number[] | string {
  if (expected.confidence.length !== actual.length) return `${actual.length} detections, expected ${expected.confidence.length}`;
  const free = new Set(Array.from({ length: actual.length }, (_, index) => index));
  const pairs: number[] = [];
  for (const [index, confidence] of expected.confidence.entries()) {
    const candidates = [...free].filter(
      (candidate) =>
        actual.classId[candidate] === expected.class_id[index] &&
        Math.abs((actual.confidence[candidate] ?? 0) - confidence) <= tolerances.confidence,
    );
    const distance = (candidate: number): number =>
      Math.abs((actual.xyxy[4 * candidate] ?? 0) - (expected.xyxy_unrounded[index]?.[0] ?? 0));
    const [best] = candidates.sort((a, b) => distance(a) - distance(b) || a - b);
    if (best === undefined) return `no detection of class ${expected.class_id[index]} with confidence ${confidence} (number ${index})`;
    const moved = Math.abs((expected.confidence[best] ?? 0) - confidence) > tolerances.confidence;
    if (best !== index && moved) return `detection ${index} stands at place ${best}`;
    free.delete(best);
    pairs.push(best);
  }
  return pairs;
}

function compareDetections(expected: ExpectedDetections, exact: Detections, rounded: Detections, tolerances: Tolerances): string | null {
  const pairs = pair(expected, exact, tolerances);
  if (typeof pairs === "string") return pairs;
  for (const [index, place] of pairs.entries()) {
    if (exact.classNames[exact.classId[place] ?? -1] !== expected.class_name[index])
      return `class name of detection ${index} is not ${expected.class_name[index]}`;
    for (let corner = 0; corner < 4; corner++) {
      const wanted = expected.xyxy_unrounded[index]?.[corner] ?? NaN;
      const got = exact.xyxy[4 * place + corner] ?? NaN;
      if (!(Math.abs(wanted - got) <= tolerances.box)) return `box ${index}, corner ${corner}: ${got}, expected ${wanted}`;
      const pixel = expected.xyxy[index]?.[corner] ?? NaN;
      // Rounding may go the other way where the value lies at the middle between two pixels.
      const atTheMiddle = Math.abs(Math.abs(wanted - Math.trunc(wanted)) - 0.5) <= tolerances.box;
      if (!(Math.abs(pixel - (rounded.xyxy[4 * place + corner] ?? NaN)) <= (atTheMiddle ? 1 : 0)))
        return `box ${index}, corner ${corner} rounds to ${rounded.xyxy[4 * place + corner]}, expected ${pixel}`;
    }
  }
  return null;
}

export function comparePredictions(
  expected: ExpectedCase,
  exact: readonly Detections[],
  rounded: readonly Detections[],
  tolerances: readonly Tolerances[],
): string | null {
  if (expected.predictions.length !== exact.length) return `${exact.length} results, expected ${expected.predictions.length}`;
  for (const [index, prediction] of expected.predictions.entries()) {
    const difference = compareDetections(
      prediction,
      exact[index] as Detections,
      rounded[index] as Detections,
      tolerances[index] as Tolerances,
    );
    if (difference !== null) return `picture ${index}: ${difference}`;
  }
  return null;
}
