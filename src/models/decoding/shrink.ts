/** Bilinear interpolation that looks at four positions whatever the scale: torch's `interpolate` in mode "bilinear" without antialiasing. */
import type { Size } from "../../imaging/index.js";

const { fround } = Math;

/** For each output the two inputs between which it lies, and how far it is from the first. */
function places(inputs: number, outputs: number): readonly (readonly [first: number, second: number, share: number])[] {
  const scale = fround(inputs / outputs);
  return Array.from({ length: outputs }, (_, output) => {
    const centre = Math.max(fround(fround(scale * fround(output + 0.5)) - 0.5), 0);
    const first = Math.min(Math.trunc(centre), inputs - 1);
    return [first, Math.min(first + 1, inputs - 1), fround(centre - first)];
  });
}

/**
 * The upper left part of a map in another size.
 *
 * @param data float32 `[rows, stride]`.
 * @returns float32 `[to.height, to.width]`.
 */
export function interpolatePart(data: Float32Array, stride: number, part: Size, to: Size): Float32Array {
  const [columns, rows] = [places(part.width, to.width), places(part.height, to.height)];
  const result = new Float32Array(to.width * to.height);
  let at = 0;
  for (const [upper, lower, down] of rows) {
    const [above, below] = [data.subarray(upper * stride), data.subarray(lower * stride)];
    for (const [left, right, across] of columns) {
      const top = above[left]! * (1 - across) + above[right]! * across;
      const bottom = below[left]! * (1 - across) + below[right]! * across;
      result[at++] = top * (1 - down) + bottom * down;
    }
  }
  return result;
}
