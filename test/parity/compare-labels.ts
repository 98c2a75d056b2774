/** Labels of whole pictures against the fixtures. */
import type { Classification, MultiLabelClassification } from "../../src/index.js";
import type { ExpectedClassification, ExpectedMultiLabel } from "./expected.js";

function compareProbabilities(expected: readonly number[], actual: Float32Array, tolerance: number): string | null {
  if (expected.length !== actual.length) return `${expected.length} probabilities expected, got ${actual.length}`;
  const wrong = expected.findIndex((value, id) => !(Math.abs(value - (actual[id] ?? NaN)) <= tolerance));
  return wrong < 0 ? null : `probability of class ${wrong}: ${expected[wrong]} expected, got ${actual[wrong]}`;
}

export function compareClassification(expected: ExpectedClassification, actual: Classification, tolerance: number): string | null {
  const difference = compareProbabilities(expected.confidence, actual.probabilities, tolerance);
  if (difference !== null) return difference;
  // Two classes as probable as each other may change places.
  const lead = (expected.confidence[expected.class_id] ?? NaN) - (expected.confidence[actual.classId] ?? NaN);
  if (!(lead <= tolerance)) return `class ${expected.class_id} expected, got ${actual.classId}`;
  const same = actual.classId === expected.class_id;
  return same && actual.className !== expected.class_name ? `class name ${expected.class_name} expected, got ${actual.className}` : null;
}

/** @param margin a label closer to the threshold than the tolerance may appear or be missing. */
export function compareMultiLabel(
  expected: ExpectedMultiLabel,
  actual: MultiLabelClassification,
  tolerance: number,
  margin: number | null,
): string | null {
  const difference = compareProbabilities(expected.confidence, actual.probabilities, tolerance);
  if (difference !== null || (margin !== null && margin < tolerance)) return difference;
  if (expected.class_ids.join() !== actual.classIds.join())
    return `labels ${expected.class_ids.join()} expected, got ${actual.classIds.join()}`;
  const names = actual.labels.map(({ className }) => className).join();
  return expected.class_names.join() === names ? null : `class names ${expected.class_names.join()} expected, got ${names}`;
}
