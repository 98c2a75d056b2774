import { roundHalfEven, type Geometry } from "../../imaging/index.js";
import type { DetectionRows } from "./types.js";

const { fround } = Math;

export interface MapBackOptions {
  /** Whether the boxes are fractions of the network input rather than network pixels (RF-DETR). */
  readonly fractions?: boolean;
  /** `half-even` gives whole pixels (int32), `none` float32. */
  readonly rounding: "half-even" | "none";
  /** Whether boxes end at the picture's borders: x in [0, width], y in [0, height], both included. */
  readonly clamp: boolean;
}

/**
 * Boxes of the network back in the picture as it was given, in float32 throughout: un-pad, un-scale, un-crop, then clamp,
 * then round.
 *
 * @param rows `xyxy` is float32 `[n, 4]`, corners.
 * @returns `[n, 4]` corners in pixels of the original picture.
 */
export function mapBoxesBack(
  rows: Pick<DetectionRows, "xyxy">,
  geometry: Geometry,
  options: MapBackOptions & { readonly rounding: "half-even" },
): Int32Array;
export function mapBoxesBack(
  rows: Pick<DetectionRows, "xyxy">,
  geometry: Geometry,
  options: MapBackOptions & { readonly rounding: "none" },
): Float32Array;
export function mapBoxesBack(rows: Pick<DetectionRows, "xyxy">, geometry: Geometry, options: MapBackOptions): Int32Array | Float32Array;
export function mapBoxesBack(
  { xyxy }: Pick<DetectionRows, "xyxy">,
  geometry: Geometry,
  options: MapBackOptions,
): Int32Array | Float32Array {
  const { width, height } = geometry.nonsquareIntermediateSize ?? geometry.inferenceSize;
  const horizontal: Axis = {
    size: options.fractions === true ? width : 1,
    pad: geometry.padLeft,
    scale: fround(geometry.scaleWidth),
    offset: geometry.staticCropOffset.offsetX,
    limit: options.clamp ? geometry.originalSize.width : null,
  };
  const vertical: Axis = {
    size: options.fractions === true ? height : 1,
    pad: geometry.padTop,
    scale: fround(geometry.scaleHeight),
    offset: geometry.staticCropOffset.offsetY,
    limit: options.clamp ? geometry.originalSize.height : null,
  };
  const mapped = xyxy.map((value, i) => mapCoordinate(value, i % 2 === 0 ? horizontal : vertical));
  return options.rounding === "none" ? mapped : Int32Array.from(mapped, toInt32);
}

interface Axis {
  readonly size: number;
  readonly pad: number;
  readonly scale: number;
  readonly offset: number;
  readonly limit: number | null;
}

function mapCoordinate(value: number, { size, pad, scale, offset, limit }: Axis): number {
  const inPicture = fround(fround(fround(fround(value * size) - pad) / scale) + offset);
  return limit === null ? inPicture : Math.min(Math.max(inPicture, 0), limit);
}

/** Saturates where an Int32Array would wrap around. */
function toInt32(value: number): number {
  return Math.min(Math.max(roundHalfEven(value), -(2 ** 31)), 2 ** 31 - 1);
}
