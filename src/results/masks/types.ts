import type { CocoRle } from "./coco.js";
import type { Polygon } from "./polygons.js";
import type { PixelBounds } from "./runs.js";

export type MaskFormat = "rle" | "dense";

/** One instance's mask, in whichever form is asked for. Made on demand. */
export interface Mask {
  /** Pixels of the picture. */
  readonly width: number;
  readonly height: number;
  /** Pixels that belong to the instance. */
  readonly area: number;
  /** The smallest rectangle around them; null when there are none. */
  readonly bounds: PixelBounds | null;
  /** `[height, width]`, row by row, 0 or 1. A view where the masks are stored like this: do not write to it. */
  toDense(): Uint8Array;
  /** COCO's compressed run lengths. */
  toRle(): CocoRle;
  /** Outlines of the connected parts along the edges of pixels, the largest first; without holes. */
  toPolygons(): Polygon[];
}

interface MasksBase extends Iterable<Mask> {
  /** Number of masks. */
  readonly length: number;
  /** Pixels of the picture, which is the size of every mask. */
  readonly width: number;
  readonly height: number;
  /** A mask; negative indices count from the end. */
  at(index: number): Mask | undefined;
}

/** Some hundred numbers a mask, however large the picture is. */
export interface RleMasks extends MasksBase {
  readonly format: "rle";
  /** Run lengths of all masks, one mask after the other: zeros and ones in turn, zeros first, column by column. */
  readonly runs: Uint32Array;
  /** `[length + 1]`: mask i has the runs from `offsets[i]` up to, not including, `offsets[i + 1]`. */
  readonly offsets: Uint32Array;
}

/** One byte a pixel: a hundred masks of a picture of 1920x1080 take 198 MiB. */
export interface DenseMasks extends MasksBase {
  readonly format: "dense";
  /** `[length, height, width]`, 0 or 1. */
  readonly data: Uint8Array;
}

export type Masks = RleMasks | DenseMasks;
