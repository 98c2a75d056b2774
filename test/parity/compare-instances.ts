/** Masks and key points against the fixtures, once their boxes have been compared. */
import { decodeRle, type InstanceDetections, type KeyPoints } from "../../src/index.js";
import { EXACT, maySwing, pairUp, type Tolerances } from "./compare.js";
import type { ExpectedInstances, ExpectedKeyPoints } from "./expected.js";

/** Below this many pixels a border weighs more. */
const SMALL_MASK = 100;

/** Share of the pixels in either mask that are in both; 1 for two empty ones. */
function overlap(expected: Uint8Array, actual: Uint8Array): number {
  let both = 0;
  let either = 0;
  expected.forEach((value, pixel) => {
    const other = actual[pixel] ?? 0;
    both += value & other;
    either += value | other;
  });
  return either === 0 ? 1 : both / either;
}

export function compareMasks(expected: ExpectedInstances, actual: InstanceDetections, tolerances: Tolerances): string | null {
  const exact = tolerances.confidence === EXACT.confidence;
  for (const [number, place] of pairUp(expected, actual, tolerances).entries()) {
    const [wanted, got] = [expected.masks[number]!, place === null ? undefined : actual.masks.at(place)];
    if (got === undefined) continue;
    const { size } = wanted;
    if (size.join() !== `${got.height},${got.width}`) return `mask ${number}: ${size.join()} expected, got ${got.height},${got.width}`;
    const pixels = decodeRle(wanted);
    const area = pixels.reduce((sum, value) => sum + value, 0);
    const least = exact ? 0.999 : area < SMALL_MASK ? 0.95 : 0.99;
    const found = overlap(pixels, got.toDense());
    if (!(found >= least)) return `mask ${number}: an overlap of ${least} expected, got ${found}`;
  }
  return null;
}

export function compareKeyPoints(expected: ExpectedKeyPoints, exact: KeyPoints, rounded: KeyPoints, tolerances: Tolerances): string | null {
  const columns = { ...exact.detections, length: exact.length };
  for (const [number, place] of pairUp(expected, columns, tolerances).entries()) {
    if (place === null) continue;
    for (const [slot, confidence] of expected.keypoints_confidence[number]!.entries()) {
      const index = place * exact.slots + slot;
      const name = `instance ${number}, point ${slot}`;
      const got = exact.confidence[index] ?? NaN;
      if (!(Math.abs(got - confidence) <= tolerances.confidence)) return `${name}: confidence ${confidence} expected, got ${got}`;
      for (const axis of [0, 1]) {
        const wanted = expected.keypoints_xy_unrounded[number]![slot]![axis]!;
        const position = exact.xy[2 * index + axis] ?? NaN;
        if (!(Math.abs(position - wanted) <= tolerances.box)) return `${name}: ${wanted} expected, got ${position}`;
        const pixel = expected.keypoints_xy[number]![slot]![axis]!;
        const pixelGot = rounded.xy[2 * index + axis] ?? NaN;
        if (!(Math.abs(pixelGot - pixel) <= (maySwing(wanted, tolerances.box) ? 1 : 0)))
          return `${name}, rounded: ${pixel} expected, got ${pixelGot}`;
      }
    }
  }
  return null;
}
