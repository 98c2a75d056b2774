/** COCO's run-length masks, the form in which annotation tools and the reference exchange masks. */
import { InvalidParameterError } from "../../errors.js";
import { drawRuns, runsOfPixels } from "./runs.js";

/** One mask: its picture's size, and the runs as COCO's compressed text. */
export interface CocoRle {
  readonly size: readonly [height: number, width: number];
  readonly counts: string;
}

/** More pixels than this are no picture: a mask that claims so is damaged, or meant to fill the memory. */
const MAXIMUM_PIXELS = 2 ** 31 - 1;

/** Five bits a character, lowest first: bit 5 = more follow, bit 4 of the last = the sign; characters start at "0". */
export function writeCounts(runs: Uint32Array): string {
  const text: string[] = [];
  runs.forEach((run, index) => {
    // From the fourth run on, the difference to the run before the last: neighbouring columns resemble each other.
    let value = index > 2 ? run - (runs[index - 2] ?? 0) : run;
    let more: boolean;
    do {
      const group = value & 31;
      value >>= 5;
      more = (group & 16) !== 0 ? value !== -1 : value !== 0;
      text.push(String.fromCharCode(48 + (more ? group | 32 : group)));
    } while (more);
  });
  return text.join("");
}

/** @throws InvalidParameterError when the runs do not stand for exactly `pixels` pixels. */
export function readCounts(counts: string | readonly number[], pixels: number): Uint32Array {
  const runs = typeof counts === "string" ? readText(counts) : counts;
  let total = 0;
  for (const run of runs) {
    if (!(Number.isSafeInteger(run) && run >= 0)) throw damaged(`a run of ${String(run)} pixels`);
    total += run;
  }
  if (total !== pixels) throw damaged(`runs of ${total} pixels for a picture of ${pixels}`);
  return Uint32Array.from(runs);
}

function readText(counts: string): number[] {
  const runs: number[] = [];
  let position = 0;
  while (position < counts.length) {
    let value = 0;
    let shift = 0;
    let group: number;
    do {
      group = counts.charCodeAt(position++) - 48;
      // Seven groups hold every 32-bit number; more would only serve to overflow.
      if (!(group >= 0 && group < 64) || shift > 30) throw damaged(`no number at character ${position - 1}`);
      value += (group & 31) * 2 ** shift;
      shift += 5;
    } while ((group & 32) !== 0);
    if ((group & 16) !== 0) value -= 2 ** shift;
    runs.push(runs.length > 2 ? value + (runs[runs.length - 2] ?? 0) : value);
  }
  return runs;
}

function damaged(what: string): InvalidParameterError {
  return new InvalidParameterError(`The run-length mask holds ${what}. It is damaged, or its size is not that of its picture.`, {
    parameter: "counts",
  });
}

/** @throws InvalidParameterError */
export function requireMaskSize(width: number, height: number): void {
  if (![width, height].every((side) => Number.isSafeInteger(side) && side >= 0) || width * height > MAXIMUM_PIXELS) {
    throw new InvalidParameterError(`A mask of ${String(width)}x${String(height)} pixels is not possible.`, { parameter: "size" });
  }
}

/**
 * One mask in COCO's compressed form.
 *
 * @param pixels `[height, width]`, row by row; everything but 0 belongs to the mask.
 * @throws InvalidParameterError when there are not `width * height` pixels.
 */
export function encodeRle(pixels: Uint8Array, width: number, height: number): CocoRle {
  requireMaskSize(width, height);
  if (pixels.length !== width * height) {
    throw new InvalidParameterError(`A mask of ${width}x${height} has ${width * height} pixels, not ${pixels.length}.`, {
      parameter: "pixels",
    });
  }
  return { size: [height, width], counts: writeCounts(runsOfPixels(pixels, width, height)) };
}

/**
 * The pixels of a mask in COCO's form, compressed (text) or not (a list of runs).
 *
 * @returns `[height, width]`, row by row, 0 or 1.
 * @throws InvalidParameterError when the runs are damaged or do not fit the size.
 */
export function decodeRle({
  size: [height, width],
  counts,
}: Omit<CocoRle, "counts"> & { readonly counts: string | readonly number[] }): Uint8Array {
  requireMaskSize(width, height);
  const runs = readCounts(counts, width * height);
  const pixels = new Uint8Array(width * height);
  drawRuns(runs, pixels, width, height);
  return pixels;
}
