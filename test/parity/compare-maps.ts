/** Class maps of pictures against the fixtures. */
import type { SemanticSegmentation } from "../../src/index.js";
import type { ExpectedSegmentation } from "./expected.js";

/** Share of the pixels that may be of another class: those at borders, where two classes are as probable as each other. */
const DIFFERENT = 0.001;
const OUTLIERS = 0.01;

function* pixelsOf(runs: readonly number[]): Generator<number> {
  for (let index = 0; index < runs.length; index += 2) for (let count = runs[index + 1]!; count > 0; count--) yield runs[index]!;
}

export function compareSegmentation(expected: ExpectedSegmentation, actual: SemanticSegmentation, tolerance: number): string | null {
  const [height, width] = expected.size;
  if (height !== actual.height || width !== actual.width) return `${width} x ${height} expected, got ${actual.width} x ${actual.height}`;
  let different = 0;
  let pixel = 0;
  for (const id of pixelsOf(expected.segmentation_map_rle)) if (id !== actual.classMap[pixel++]) different++;
  if (pixel !== actual.classMap.length) return `${pixel} pixels expected, got ${actual.classMap.length}`;
  if (different > DIFFERENT * pixel) return `${different} of ${pixel} pixels differ`;
  const { sample_flat_index: places, sample_value: values } = expected.confidence;
  const wrong = places.filter((place, k) => !(Math.abs((actual.confidence[place] ?? NaN) - (values[k] ?? NaN)) <= tolerance));
  // A pixel at its threshold may have its confidence or 0.
  return wrong.length > OUTLIERS * places.length
    ? `${wrong.length} of ${places.length} confidences differ, the first at ${wrong[0]}`
    : null;
}
