/**
 * Resizing of a square as OWLv2 prepares pictures (skimage's resize, in torch): a Gaussian blur when shrinking, then bilinear without
 * antialiasing. The two make one set of weights. The addon's twin is native/image/gaussian.h: same operations, same bits.
 */
import type { AntialiasTap } from "./antialias.js";

const { fround } = Math;

/** Borders are mirrors that do not repeat the last position. */
function reflect(position: number, side: number): number {
  if (side === 1) return 0;
  const period = 2 * (side - 1);
  const folded = ((position % period) + period) % period;
  return folded < side ? folded : period - folded;
}

/** Weights of the blur around a position, `2 * radius + 1` that add up to 1; `[1]` when there is none. */
function blurWeights(scale: number): readonly number[] {
  const sigma = Math.max(fround(fround(scale - 1) / 2), 0);
  if (sigma === 0) return [1];
  const radius = Math.ceil(fround(3 * sigma));
  const raw = Array.from({ length: 2 * radius + 1 }, (_, index) => {
    const x = (index - radius) / sigma;
    return Math.exp(-0.5 * x * x);
  });
  const total = raw.reduce((sum, weight) => sum + weight, 0);
  return raw.map((weight) => weight / total);
}

/**
 * One axis from `side` positions, of which the picture has the first `length`, to `output`.
 * @returns positions of the picture and their weights; `beyond` is the weight of the rest of the square.
 */
export function gaussianTaps(side: number, output: number, length: number): readonly AntialiasTap[] {
  const scale = fround(side / output);
  const blur = blurWeights(scale);
  const radius = (blur.length - 1) / 2;
  return Array.from({ length: output }, (_, position) => {
    // Positions are float32, as torch's are: at the far end of a large picture that moves them by a ten-thousandth.
    const centre = Math.max(fround(fround(scale * fround(position + 0.5)) - 0.5), 0);
    const left = Math.min(Math.trunc(centre), side - 1);
    const right = Math.min(left + 1, side - 1);
    const share = fround(centre - left);
    // What borders mirror lies between these as well.
    const first = Math.max(left - radius, 0);
    const last = Math.min(right + radius, side - 1);
    const raw = new Float64Array(last - first + 1);
    blur.forEach((weight, index) => {
      const k = index - radius;
      raw[reflect(left + k, side) - first]! += weight * (1 - share);
      raw[reflect(right + k, side) - first]! += weight * share;
    });
    const inside = Math.min(Math.max(length - first, 0), raw.length);
    const beyond = raw.subarray(inside).reduce((sum, weight) => sum + weight, 0);
    // Without a position inside, the last one is named and weighs nothing.
    return { first: Math.min(first, length - 1), weights: Float32Array.from(raw.subarray(0, inside)), beyond: fround(beyond) };
  });
}
