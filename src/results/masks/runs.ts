/**
 * Masks as runs: lengths of zeros and ones in turn, zeros first (a length of 0 where the first pixel is set), column by column
 * as COCO counts. A mask of a large picture takes a few hundred numbers instead of millions of pixels.
 */

/** Runs of pixels 0 or not 0, row by row in `pixels`. */
export function runsOfPixels(pixels: Uint8Array, width: number, height: number): Uint32Array {
  const runs: number[] = [];
  let current = 0;
  let length = 0;
  for (let x = 0; x < width; x++) {
    for (let place = x; place < width * height; place += width) {
      const value = pixels[place] === 0 ? 0 : 1;
      if (value !== current) {
        runs.push(length);
        current = value;
        length = 0;
      }
      length++;
    }
  }
  runs.push(length);
  return Uint32Array.from(runs);
}

/** Sets the pixels of a mask to 1. @param pixels `[height, width]`, zeros. */
export function drawRuns(runs: Uint32Array, pixels: Uint8Array, width: number, height: number): void {
  let position = 0;
  runs.forEach((length, index) => {
    if (index % 2 === 1) {
      let [x, y] = [Math.floor(position / height), position % height];
      for (let left = length; left > 0;) {
        const inColumn = Math.min(left, height - y);
        for (let place = y * width + x, end = place + inColumn * width; place < end; place += width) pixels[place] = 1;
        left -= inColumn;
        x++;
        y = 0;
      }
    }
    position += length;
  });
}

export function areaOfRuns(runs: Uint32Array): number {
  let area = 0;
  for (let index = 1; index < runs.length; index += 2) area += runs[index] ?? 0;
  return area;
}

/** Pixels from `left` and `top` up to, not including, `right` and `bottom`. */
export interface PixelBounds {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/** The smallest rectangle around the ones; null where there are none. */
export function boundsOfRuns(runs: Uint32Array, height: number): PixelBounds | null {
  let [left, right, top, bottom] = [Infinity, 0, Infinity, 0];
  let position = 0;
  runs.forEach((length, index) => {
    if (index % 2 === 1 && length > 0) {
      const [first, last] = [Math.floor(position / height), Math.floor((position + length - 1) / height)];
      left = Math.min(left, first);
      right = Math.max(right, last + 1);
      // A run that goes on in the next column has the bottom of one and the top of the other.
      top = Math.min(top, first === last ? position % height : 0);
      bottom = Math.max(bottom, first === last ? ((position + length - 1) % height) + 1 : height);
    }
    position += length;
  });
  return right === 0 ? null : { left, top, right, bottom };
}
