import { roundHalfEven } from "../rounding.js";
import { CHANNELS, emptyPixels, type Pixels } from "./pixels.js";

/** Weights have 11 bits. */
const ONE = 2048;

interface Tap {
  readonly first: number;
  readonly second: number;
  readonly firstWeight: number;
  readonly secondWeight: number;
}

/** `clampWeights`: horizontally the fraction is dropped at the borders, vertically only the indices are clamped. */
function taps(input: number, output: number, clampWeights: boolean): readonly Tap[] {
  const step = 1 / (output / input);
  const last = input - 1;
  return Array.from({ length: output }, (_, position) => {
    const exact = Math.fround((position + 0.5) * step - 0.5);
    let index = Math.floor(exact);
    let fraction = Math.fround(exact - index);
    if (clampWeights && index < 0) [index, fraction] = [0, 0];
    if (clampWeights && index >= last) [index, fraction] = [last, 0];
    return {
      first: Math.min(Math.max(index, 0), last),
      second: Math.min(Math.max(index + 1, 0), last),
      firstWeight: roundHalfEven(Math.fround(Math.fround(1 - fraction) * ONE)),
      secondWeight: roundHalfEven(Math.fround(fraction * ONE)),
    };
  });
}

/**
 * 8-bit bilinear without antialiasing, half-pixel centres, 11-bit weights, horizontal pass first, with the two truncating
 * shifts of OpenCV's INTER_LINEAR; bit-exact.
 */
export function resizeLinear(source: Pixels, width: number, height: number): Pixels {
  const columns = taps(source.width, width, true);
  const rows = taps(source.height, height, false);
  const rowLength = width * CHANNELS;
  const horizontal = new Int32Array(source.height * rowLength);
  for (let y = 0; y < source.height; y++) {
    columns.forEach(({ first, second, firstWeight, secondWeight }, x) => {
      for (let channel = 0; channel < CHANNELS; channel++) {
        const at = (column: number): number => source.data[(y * source.width + column) * CHANNELS + channel] ?? 0;
        horizontal[y * rowLength + x * CHANNELS + channel] = at(first) * firstWeight + at(second) * secondWeight;
      }
    });
  }
  const result = emptyPixels(width, height);
  rows.forEach(({ first, second, firstWeight, secondWeight }, y) => {
    for (let index = 0; index < rowLength; index++) {
      const upper = (firstWeight * ((horizontal[first * rowLength + index] ?? 0) >> 4)) >> 16;
      const lower = (secondWeight * ((horizontal[second * rowLength + index] ?? 0) >> 4)) >> 16;
      result.data[y * rowLength + index] = Math.min(Math.max((upper + lower + 2) >> 2, 0), 255);
    }
  });
  return result;
}
