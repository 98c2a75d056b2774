import { roundHalfEven } from "../rounding.js";
import type { ResizeStep } from "../types.js";
import { antialiasTaps } from "./antialias.js";
import { CHANNELS, type Pixels } from "./pixels.js";

const { fround } = Math;

/** Three planes of float32, `[3, height, width]`. */
export interface FloatPixels {
  readonly data: Float32Array;
  readonly width: number;
  readonly height: number;
}

/**
 * Resizing in float32, antialiased when shrinking: `triangle` leaves values as they are, `cubic` rounds them to 8 bits once.
 * The addon's twin is native/image/smooth.h: same operations, same bits.
 */
export function resizeSmoothly({ data, width, height }: Pixels, step: ResizeStep): FloatPixels {
  const kernel = step.filter === "cubic" ? "cubic" : "triangle";
  const across = antialiasTaps(width, step.width, kernel);
  const down = antialiasTaps(height, step.height, kernel);
  const result = new Float32Array(CHANNELS * step.width * step.height);
  for (let channel = 0; channel < CHANNELS; channel++) {
    const rows = new Float32Array(height * step.width);
    for (let y = 0; y < height; y++) {
      across.forEach(({ first, weights }, x) => {
        let sum = 0;
        for (let k = 0; k < weights.length; k++)
          sum = fround(sum + fround(weights[k]! * data[(y * width + first + k) * CHANNELS + channel]!));
        rows[y * step.width + x] = sum;
      });
    }
    down.forEach(({ first, weights }, y) => {
      for (let x = 0; x < step.width; x++) {
        let sum = 0;
        for (let k = 0; k < weights.length; k++) sum = fround(sum + fround(weights[k]! * rows[(first + k) * step.width + x]!));
        // The cubic overshoots.
        result[(channel * step.height + y) * step.width + x] = kernel === "cubic" ? roundHalfEven(Math.min(Math.max(sum, 0), 255)) : sum;
      }
    });
  }
  return { data: result, width: step.width, height: step.height };
}
