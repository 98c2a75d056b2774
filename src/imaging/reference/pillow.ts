import { CHANNELS, emptyPixels, type Pixels } from "./pixels.js";

/** Weights have 22 bits. */
const PRECISION = 22;

interface Window {
  readonly start: number;
  readonly weights: readonly number[];
}

/** Triangle filter whose support grows when shrinking; weights normalised in double precision, then made integers. */
function windows(input: number, output: number): readonly Window[] {
  const scale = input / output;
  const radius = Math.max(scale, 1);
  return Array.from({ length: output }, (_, position) => {
    const centre = (position + 0.5) * scale;
    const start = Math.max(Math.trunc(centre - radius + 0.5), 0);
    const end = Math.min(Math.trunc(centre + radius + 0.5), input);
    const raw = Array.from({ length: end - start }, (__, k) => Math.max(0, 1 - Math.abs((k + start - centre + 0.5) / radius)));
    const total = raw.reduce((sum, weight) => sum + weight, 0);
    return { start, weights: raw.map((weight) => Math.floor((weight / total) * 2 ** PRECISION + 0.5)) };
  });
}

/** One axis: `read(position, k)` gives the k-th source value along it. 8 bits come out. */
function weigh({ start, weights }: Window, read: (index: number) => number): number {
  let sum = 2 ** (PRECISION - 1);
  weights.forEach((weight, k) => (sum += read(start + k) * weight));
  return Math.min(Math.max(Math.floor(sum / 2 ** PRECISION), 0), 255);
}

/** Pillow's 8-bit bilinear, antialiased when shrinking, 8 bits between the passes; bit-exact. An axis of equal size is left alone. */
export function resizePillow(source: Pixels, width: number, height: number): Pixels {
  const across = width === source.width ? source : resizeRows(source, width);
  return height === across.height ? across : resizeColumns(across, height);
}

function resizeRows(source: Pixels, width: number): Pixels {
  const result = emptyPixels(width, source.height);
  const all = windows(source.width, width);
  for (let y = 0; y < source.height; y++) {
    all.forEach((window, x) => {
      for (let channel = 0; channel < CHANNELS; channel++) {
        result.data[(y * width + x) * CHANNELS + channel] = weigh(
          window,
          (column) => source.data[(y * source.width + column) * CHANNELS + channel] ?? 0,
        );
      }
    });
  }
  return result;
}

function resizeColumns(source: Pixels, height: number): Pixels {
  const result = emptyPixels(source.width, height);
  const rowLength = source.width * CHANNELS;
  windows(source.height, height).forEach((window, y) => {
    for (let index = 0; index < rowLength; index++) {
      result.data[y * rowLength + index] = weigh(window, (row) => source.data[row * rowLength + index] ?? 0);
    }
  });
  return result;
}
