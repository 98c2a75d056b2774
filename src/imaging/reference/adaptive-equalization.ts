/**
 * Contrast-limited adaptive histogram equalization (CLAHE) of the brightness, clip limit 0.03, 256 bins, 8 x 8 tiles, in the
 * variant of scikit-image. Floating-point details of that library are followed to within two levels, not bit for bit.
 */
import { roundHalfEven } from "../rounding.js";
import { CHANNELS, emptyPixels, type Pixels } from "./pixels.js";

const CLIP_LIMIT = 0.03;
const BINS = 256;
const LEVELS = 16384;
const BIN_WIDTH = 1 + Math.floor(LEVELS / BINS);

/** Numbers along one axis of the grid of tiles. */
interface Axis {
  readonly tile: number;
  readonly before: number;
  readonly padded: number;
  readonly tiles: number;
}

function axis(size: number): Axis {
  const tile = Math.max(Math.floor(size / 8), 1);
  const before = Math.floor(tile / 2);
  const after = ((tile - (size % tile)) % tile) + Math.ceil(tile / 2);
  const padded = before + size + after;
  return { tile, before, padded, tiles: Math.floor(padded / tile) - 1 };
}

/** Index of a padded position in the original, mirrored without repeating the edge. */
function mirror(position: number, size: number): number {
  if (size === 1) return 0;
  const period = 2 * (size - 1);
  const folded = ((position % period) + period) % period;
  return folded < size ? folded : period - folded;
}

/** Cuts a histogram at `limit` and spreads what was cut over the bins below it. */
function clip(counts: Int32Array, limit: number): void {
  let excess = 0;
  for (const count of counts) excess += Math.max(count - limit, 0);
  const increment = Math.floor(excess / BINS);
  const upper = limit - increment;
  const given = Int32Array.from(counts, (count) => {
    const raised = count < upper ? count + increment : Math.min(count, limit);
    // Whoever is close to the limit by now, be it by this increment, is raised to it.
    return (raised >= upper ? limit : raised) - Math.min(count, limit);
  });
  counts.forEach((count, bin) => (counts[bin] = Math.min(count, limit) + (given[bin] ?? 0)));
  excess -= given.reduce((sum, count) => sum + count, 0);
  while (excess > 0) {
    const before = excess;
    for (let start = 0; start < BINS && excess > 0; start++) {
      const under = counts.reduce((sum, count) => sum + (count < limit ? 1 : 0), 0);
      const stride = Math.max(Math.floor(under / excess), 1);
      // The bins of one sweep are chosen before any of them is raised.
      const chosen: number[] = [];
      for (let bin = start; bin < BINS; bin += stride) if ((counts[bin] ?? 0) < limit) chosen.push(bin);
      for (const bin of chosen) counts[bin] = (counts[bin] ?? 0) + 1;
      excess -= chosen.length;
    }
    if (excess === before) break;
  }
}

/** Bin -> level for one tile. */
function tileMap(counts: Int32Array, pixels: number): Float32Array {
  clip(counts, Math.max(1, Math.trunc(CLIP_LIMIT * pixels)));
  let seen = 0;
  return Float32Array.from(counts, (count) => {
    seen += count;
    return Math.trunc(Math.min(LEVELS - 1, seen * ((LEVELS - 1) / pixels)));
  });
}

/** 16384-level brightness in, equalized brightness out. */
function clahe(levels: Uint16Array, width: number, height: number): Float32Array {
  const [x, y] = [axis(width), axis(height)];
  const read = (row: number, column: number): number =>
    levels[mirror(row - y.before, height) * width + mirror(column - x.before, width)] ?? 0;
  const maps: Float32Array[] = [];
  for (let tileRow = 0; tileRow < y.tiles; tileRow++) {
    for (let tileColumn = 0; tileColumn < x.tiles; tileColumn++) {
      const counts = new Int32Array(BINS);
      for (let row = 0; row < y.tile; row++) {
        for (let column = 0; column < x.tile; column++) {
          // Tiles are cut from the picture itself: the half tile of padding in front is not part of them.
          const value = read(y.before + tileRow * y.tile + row, x.before + tileColumn * x.tile + column);
          const bin = Math.floor(value / BIN_WIDTH);
          counts[bin] = (counts[bin] ?? 0) + 1;
        }
      }
      maps.push(tileMap(counts, x.tile * y.tile));
    }
  }
  const mapOf = (row: number, column: number): Float32Array =>
    maps[Math.min(Math.max(row, 0), y.tiles - 1) * x.tiles + Math.min(Math.max(column, 0), x.tiles - 1)] as Float32Array;
  const result = new Float32Array(width * height);
  for (let row = 0; row < height; row++) {
    const paddedRow = row + y.before;
    const blockRow = Math.floor(paddedRow / y.tile);
    const down = (paddedRow % y.tile) / y.tile;
    for (let column = 0; column < width; column++) {
      const paddedColumn = column + x.before;
      const blockColumn = Math.floor(paddedColumn / x.tile);
      const right = (paddedColumn % x.tile) / x.tile;
      const bin = Math.floor((levels[row * width + column] ?? 0) / BIN_WIDTH);
      let sum = 0;
      for (const [mapRow, weightDown] of [
        [blockRow - 1, 1 - down],
        [blockRow, down],
      ] as const) {
        for (const [mapColumn, weightRight] of [
          [blockColumn - 1, 1 - right],
          [blockColumn, right],
        ] as const) {
          sum = Math.fround(sum + Math.fround((mapOf(mapRow, mapColumn)[bin] ?? 0) * (weightDown * weightRight)));
        }
      }
      result[row * width + column] = Math.trunc(sum);
    }
  }
  return result;
}

export function equalizeAdaptively({ data, width, height }: Pixels): Pixels {
  const count = width * height;
  // Brightness is the largest channel (the V of HSV), so the order of the channels does not matter.
  const brightness = new Uint8Array(count);
  for (let pixel = 0; pixel < count; pixel++) {
    brightness[pixel] = Math.max(data[pixel * CHANNELS] ?? 0, data[pixel * CHANNELS + 1] ?? 0, data[pixel * CHANNELS + 2] ?? 0);
  }
  const low = brightness.reduce((a, b) => Math.min(a, b), 255);
  const high = brightness.reduce((a, b) => Math.max(a, b), 0);
  const spread = Math.max(high - low, 1);
  // Without a range nothing can be stretched: the 16-bit brightness is only cut at the top level.
  const levels = Uint16Array.from(brightness, (value) =>
    high === low ? Math.min(value * 257, LEVELS - 1) : roundHalfEven(((value - low) / spread) * (LEVELS - 1)),
  );
  const equalized = clahe(levels, width, height);
  const [least, most] = [equalized.reduce((a, b) => Math.min(a, b), Infinity), equalized.reduce((a, b) => Math.max(a, b), -Infinity)];
  const unit = Float32Array.from({ length: 256 }, (_, level) => level / 255);
  const result = emptyPixels(width, height);
  for (let pixel = 0; pixel < count; pixel++) {
    const value = most === least ? Math.min(least, 1) : Math.fround(((equalized[pixel] ?? 0) - least) / (most - least));
    const before = unit[brightness[pixel] ?? 0] ?? 0;
    // Hue and saturation stay: all channels keep their ratio to the brightness; black has none and becomes gray.
    for (let channel = 0; channel < CHANNELS; channel++) {
      const level = unit[data[pixel * CHANNELS + channel] ?? 0] ?? 0;
      const missing = before === 0 ? 0 : Math.fround(Math.fround(before - level) / before);
      result.data[pixel * CHANNELS + channel] = Math.trunc(Math.fround(Math.fround(value * Math.fround(1 - missing)) * 255));
    }
  }
  return result;
}
