import { roundHalfEven } from "../rounding.js";
import type { ResizeStep } from "../types.js";
import { antialiasTaps, type AntialiasTap } from "./antialias.js";
import { gaussianTaps } from "./gaussian.js";
import { CHANNELS, type Pixels } from "./pixels.js";

const { fround } = Math;

/** Three planes of float32, `[3, height, width]`. */
export interface FloatPixels {
  readonly data: Float32Array;
  readonly width: number;
  readonly height: number;
}

/**
 * Resizing in float32, antialiased when shrinking: `triangle` and `gaussian` leave values as they are, `cubic` rounds them to 8 bits once.
 * The addon's twin is native/image/smooth.h: same operations, same bits.
 */
export function resizeSmoothly({ data, width, height }: Pixels, step: ResizeStep): FloatPixels {
  const rounded = step.filter === "cubic";
  const square = Math.max(width, height);
  const tapsOf = (input: number, output: number): readonly AntialiasTap[] =>
    step.filter === "gaussian" ? gaussianTaps(square, output, input) : antialiasTaps(input, output, rounded ? "cubic" : "triangle");
  const across = tapsOf(width, step.width);
  const down = tapsOf(height, step.height);
  const fill = fround(step.canvas.fill);
  const result = new Float32Array(CHANNELS * step.width * step.height);
  for (let channel = 0; channel < CHANNELS; channel++) {
    const rows = new Float32Array(height * step.width);
    for (let y = 0; y < height; y++) {
      across.forEach(({ first, weights, beyond = 0 }, x) => {
        let sum = 0;
        for (let k = 0; k < weights.length; k++)
          sum = fround(sum + fround(weights[k]! * data[(y * width + first + k) * CHANNELS + channel]!));
        rows[y * step.width + x] = fround(sum + fround(beyond * fill));
      });
    }
    down.forEach(({ first, weights, beyond = 0 }, y) => {
      for (let x = 0; x < step.width; x++) {
        let sum = 0;
        for (let k = 0; k < weights.length; k++) sum = fround(sum + fround(weights[k]! * rows[(first + k) * step.width + x]!));
        sum = fround(sum + fround(beyond * fill));
        // The cubic overshoots.
        result[(channel * step.height + y) * step.width + x] = rounded ? roundHalfEven(Math.min(Math.max(sum, 0), 255)) : sum;
      }
    });
  }
  return { data: result, width: step.width, height: step.height };
}
