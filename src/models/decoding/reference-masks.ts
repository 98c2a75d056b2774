/** Masks in plain TypeScript: what native/masks does, written to be read, with the same bits. */
import { roundHalfEven } from "../../imaging/index.js";
import { bilinearTaps, type Tap } from "./bilinear.js";
import { sigmoid } from "./sigmoid.js";
import type { MaskHead, MaskRuns, MaskSelection, MaskTarget } from "./types.js";
import { requireMaskArguments } from "./validation.js";

const { fround } = Math;

/** Cells from `left` and `top` up to, not including, `right` and `bottom`. */
export interface Region {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/** Cells within a box, whose corners are rounded half to even; none where a corner is not a number. */
export function regionOfBox(box: Float32Array, scale: number, { width, height }: Pick<MaskHead, "width" | "height">): Region {
  const [left = 0, top = 0, right = 0, bottom = 0] = box.map((corner) => roundHalfEven(fround(corner * fround(scale))));
  if (box.some(Number.isNaN)) return { left: 0, top: 0, right: 0, bottom: 0 };
  const within = (cell: number, limit: number): number => (cell > 0 ? Math.min(cell, limit) : 0);
  return { left: within(left, width), top: within(top, height), right: within(right, width), bottom: within(bottom, height) };
}

/** Values of the cells of a region, row by row. */
export function cellsOf({ planes, coefficients, channels, width, sigmoid: smooth }: MaskHead, index: number, region: Region): Float32Array {
  const columns = region.right - region.left;
  const cells = new Float32Array(columns * (region.bottom - region.top));
  for (let place = 0; place < cells.length; place++) {
    const cell = (region.top + Math.floor(place / columns)) * width + region.left + (place % columns);
    const first = planes.offset + cell * planes.candidateStride;
    let value = 0;
    if (coefficients === null) value = planes.data[first + index * planes.attributeStride] ?? 0;
    else {
      const weights = coefficients.offset + index * coefficients.candidateStride;
      for (let channel = 0; channel < channels; channel++) {
        const weight = coefficients.data[weights + channel * coefficients.attributeStride] ?? 0;
        value = fround(value + fround(weight * (planes.data[first + channel * planes.attributeStride] ?? 0)));
      }
    }
    cells[place] = smooth ? sigmoid(value) : value;
  }
  return cells;
}

/** Collects pixels, column by column. */
class RunWriter {
  readonly runs: number[] = [];
  #value = false;
  #length = 0;

  add(value: boolean, count: number): void {
    if (count === 0) return;
    if (value !== this.#value) {
      this.runs.push(this.#length);
      this.#value = value;
      this.#length = 0;
    }
    this.#length += count;
  }

  end(): void {
    this.runs.push(this.#length);
    this.#value = false;
    this.#length = 0;
  }
}

/** Cells that lie one after the other along an axis, the first of which has the number `first` on its axis; cells beyond them are 0. */
interface Line {
  readonly cells: Float32Array;
  readonly start: number;
  readonly first: number;
  readonly count: number;
}

function weightedSum({ begin, weights }: Tap, { cells, start, first, count }: Line): number {
  let sum = 0;
  for (let tap = 0; tap < weights.length; tap++) {
    const place = begin + tap - first;
    if (place >= 0 && place < count) sum = fround(sum + fround((weights[tap] ?? 0) * (cells[start + place] ?? 0)));
  }
  return sum;
}

/** The outputs, from the first up to, not including, the second, that cells of a region have a part in. */
function reach(taps: readonly Tap[], first: number, count: number): readonly [number, number] {
  const touches = ({ begin, weights }: Tap): boolean => begin < first + count && begin + weights.length > first;
  const start = taps.findIndex(touches);
  return count === 0 || start < 0 ? [0, 0] : [start, taps.findLastIndex(touches) + 1];
}

interface Axes {
  /** By column and row of the resized mask. */
  readonly columns: readonly Tap[];
  readonly rows: readonly Tap[];
}

function writeMask(cells: Float32Array, region: Region, { columns, rows }: Axes, target: MaskTarget, writer: RunWriter): void {
  const { left, top, picture, trim } = target;
  const threshold = fround(target.threshold);
  const [width, height] = [region.right - region.left, region.bottom - region.top];
  // Taps count from where the trimmed mask begins.
  const [firstColumn, firstRow] = [region.left - trim.left, region.top - trim.top];
  const [columnStart, columnEnd] = reach(columns, firstColumn, width);
  const [rowStart, rowEnd] = reach(rows, firstRow, height);
  /** Where no cell has a part. */
  const blank = 0 > threshold;
  const column = new Float32Array(height);
  const within = (y: number): number => Math.min(Math.max(top + y, 0), picture.height);
  const [above, below] = [within(0), within(rows.length)];
  for (let x = 0; x < picture.width; x++) {
    const tap = columns[x - left];
    if (tap === undefined) {
      writer.add(false, picture.height);
      continue;
    }
    writer.add(false, above);
    if (x - left < columnStart || x - left >= columnEnd) writer.add(blank, below - above);
    else {
      for (let row = 0; row < height; row++) {
        column[row] = weightedSum(tap, { cells, start: row * width, first: firstColumn, count: width });
      }
      const line: Line = { cells: column, start: 0, first: firstRow, count: height };
      writer.add(blank, within(rowStart) - above);
      for (let y = within(rowStart); y < within(rowEnd); y++) {
        writer.add(weightedSum(rows[y - top] ?? { begin: 0, weights: [] }, line) > threshold, 1);
      }
      writer.add(blank, below - within(rowEnd));
    }
    writer.add(false, picture.height - below);
  }
  writer.end();
}

export function decodeMasks(head: MaskHead, selection: MaskSelection, target: MaskTarget): MaskRuns {
  requireMaskArguments(head, selection, target);
  const { trim, resize } = target;
  const trimmed = { width: head.width - trim.left - trim.right, height: head.height - trim.top - trim.bottom };
  const axes = { columns: bilinearTaps(trimmed.width, resize.width), rows: bilinearTaps(trimmed.height, resize.height) };
  const writer = new RunWriter();
  const offsets = [0];
  selection.indices.forEach((index, number) => {
    const box = selection.boxes?.subarray(4 * number, 4 * number + 4);
    const within =
      box === undefined ? { left: 0, top: 0, right: head.width, bottom: head.height } : regionOfBox(box, selection.boxScale, head);
    // Cells that are trimmed away have no part in anything.
    const left = Math.max(within.left, trim.left);
    const top = Math.max(within.top, trim.top);
    const region = {
      left,
      top,
      right: Math.max(left, Math.min(within.right, head.width - trim.right)),
      bottom: Math.max(top, Math.min(within.bottom, head.height - trim.bottom)),
    };
    writeMask(cellsOf(head, index, region), region, axes, target, writer);
    offsets.push(writer.runs.length);
  });
  return { runs: Uint32Array.from(writer.runs), offsets: Uint32Array.from(offsets) };
}
