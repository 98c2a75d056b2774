import type { SampleStep } from "../types.js";
import { roundHalfEven } from "../rounding.js";
import { CHANNELS, emptyPixels, type Pixels } from "./pixels.js";

/** Bilinear values on a regular grid; integer coordinates are pixel centres, everything outside is black. */
export function sampleGrid(source: Pixels, step: SampleStep): Pixels {
  const result = emptyPixels(step.width, step.height);
  const read = (x: number, y: number, channel: number): number =>
    x < 0 || y < 0 || x >= source.width || y >= source.height ? 0 : (source.data[(y * source.width + x) * CHANNELS + channel] ?? 0);
  for (let v = 0; v < step.height; v++) {
    const y = step.originY + v * step.stepY;
    const top = Math.floor(y);
    const down = y - top;
    for (let u = 0; u < step.width; u++) {
      const x = step.originX + u * step.stepX;
      const left = Math.floor(x);
      const right = x - left;
      for (let channel = 0; channel < CHANNELS; channel++) {
        const upper = read(left, top, channel) * (1 - right) + read(left + 1, top, channel) * right;
        const lower = read(left, top + 1, channel) * (1 - right) + read(left + 1, top + 1, channel) * right;
        result.data[(v * step.width + u) * CHANNELS + channel] = roundHalfEven(upper * (1 - down) + lower * down);
      }
    }
  }
  return result;
}
