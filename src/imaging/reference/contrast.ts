/** Contrast operations on all pixels and all channels together, 8 bits in and out. */
import type { ContrastKind } from "../types.js";
import { equalizeAdaptively } from "./adaptive-equalization.js";
import type { Pixels } from "./pixels.js";

const LEVELS = 256;

function histogram(data: Uint8Array): Float64Array {
  const counts = new Float64Array(LEVELS);
  for (const value of data) counts[value] = (counts[value] ?? 0) + 1;
  return counts;
}

/** Percentile with linear interpolation between order statistics. */
function percentile(counts: Float64Array, total: number, percent: number): number {
  const position = (percent / 100) * (total - 1);
  const below = Math.floor(position);
  const at = (rank: number): number => {
    let seen = 0;
    for (let level = 0; level < LEVELS; level++) {
      seen += counts[level] ?? 0;
      if (seen > rank) return level;
    }
    return LEVELS - 1;
  };
  const [low, high, weight] = [at(below), at(Math.min(below + 1, total - 1)), position - below];
  // From the nearer end, as NumPy does it: the last bit decides where a level is truncated.
  return weight < 0.5 ? low + (high - low) * weight : high - (high - low) * (1 - weight);
}

function mapLevels({ data, width, height }: Pixels, map: (level: number) => number): Pixels {
  const table = Uint8Array.from({ length: LEVELS }, (_, level) => Math.trunc(map(level)));
  return { data: data.map((value) => table[value] ?? 0), width, height };
}

/** The 2nd to the 98th percentile is stretched to 0..255. */
function stretchContrast(pixels: Pixels): Pixels {
  const counts = histogram(pixels.data);
  const low = percentile(counts, pixels.data.length, 2);
  const high = percentile(counts, pixels.data.length, 98);
  const clamp = (level: number): number => Math.min(Math.max(level, low), high);
  if (low === high) return mapLevels(pixels, clamp);
  return mapLevels(pixels, (level) => ((clamp(level) - low) / (high - low)) * 255);
}

/**
 * Histogram equalization over 256 bins between the smallest and the largest value, as scikit-image does it: bins are laid out
 * in float32, which decides where values next to an edge go.
 */
function equalize(pixels: Pixels): Pixels {
  const counts = histogram(pixels.data);
  const present = [...counts.keys()].filter((level) => (counts[level] ?? 0) > 0);
  const unit = (level: number): number => Math.fround(level / 255);
  const [low, high] = [unit(present[0] ?? 0), unit(present.at(-1) ?? 0)];
  // Equal values have no range: the bins are then laid around the value, as numpy does.
  const [start, end] = low === high ? [Math.fround(low - 0.5), Math.fround(high + 0.5)] : [low, high];
  const range = Math.fround(end - start);
  const edges = Float32Array.from({ length: LEVELS + 1 }, (_, bin) => (bin === LEVELS ? end : Math.fround(bin * (range / LEVELS)) + start));
  const bins = new Float64Array(LEVELS);
  for (const level of present) {
    const value = unit(level);
    let bin = Math.min(Math.trunc(Math.fround(Math.fround(value - start) / range) * LEVELS), LEVELS - 1);
    // The division may land in the neighbour; the edges decide, and the last bin is closed.
    if (value < (edges[bin] ?? 0)) bin--;
    if (bin < LEVELS - 1 && value >= (edges[bin + 1] ?? Infinity)) bin++;
    bins[bin] = (bins[bin] ?? 0) + (counts[level] ?? 0);
  }
  let seen = 0;
  const cumulative = Array.from(bins, (count) => Math.fround((seen += count) / pixels.data.length));
  const centres = bins.map((_, bin) => Math.fround((edges[bin] ?? 0) + (edges[bin + 1] ?? 0)) / 2);
  return mapLevels(pixels, (level) => Math.fround(Math.fround(interpolate(unit(level), centres, cumulative)) * 255));
}

/** Piecewise linear, constant beyond both ends. */
function interpolate(x: number, xs: Float64Array, ys: readonly number[]): number {
  const last = xs.length - 1;
  if (x <= (xs[0] ?? 0)) return ys[0] ?? 0;
  if (x >= (xs[last] ?? 0)) return ys[last] ?? 0;
  let right = 1;
  while ((xs[right] ?? Infinity) <= x) right++;
  const [x0, x1, y0, y1] = [xs[right - 1] ?? 0, xs[right] ?? 0, ys[right - 1] ?? 0, ys[right] ?? 0];
  return ((y1 - y0) / (x1 - x0)) * (x - x0) + y0;
}

export function enhanceContrast(pixels: Pixels, kind: ContrastKind): Pixels {
  switch (kind) {
    case "contrast-stretching":
      return stretchContrast(pixels);
    case "histogram-equalization":
      return equalize(pixels);
    case "adaptive-equalization":
      return equalizeAdaptively(pixels);
  }
}
