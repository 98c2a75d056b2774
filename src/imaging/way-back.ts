/** From network pixels to the picture as it was given: points and masks. Boxes are mapped where they are decoded. */
import { roundHalfEven } from "./rounding.js";
import type { Geometry, Rectangle, Size } from "./types.js";

const { fround } = Math;

/**
 * Points of the network in the original picture, float32 throughout: un-pad, un-scale, un-crop.
 *
 * @param points `[n, 2]` x, y in network pixels.
 * @param options.clamp whether points end at the picture's borders (both included); YOLO families leave them where they are.
 */
export function mapPointsBack(points: Float32Array, geometry: Geometry, { clamp }: { readonly clamp: boolean }): Float32Array {
  const { padLeft, padTop, scaleWidth, scaleHeight, staticCropOffset: crop, originalSize } = geometry;
  const [scaleX, scaleY] = [fround(scaleWidth), fround(scaleHeight)];
  return points.map((value, index) => {
    const horizontal = index % 2 === 0;
    const [pad, scale, offset] = horizontal ? [padLeft, scaleX, crop.offsetX] : [padTop, scaleY, crop.offsetY];
    const mapped = fround(fround(fround(value - pad) / scale) + offset);
    return clamp ? Math.min(Math.max(mapped, 0), horizontal ? originalSize.width : originalSize.height) : mapped;
  });
}

/** What happens to a mask (or any dense map) of the network on its way to the picture. */
export interface MaskGeometry {
  /** Cut from the mask's sides, mask pixels; negative = the mask is extended by so much. */
  readonly trim: { readonly left: number; readonly top: number; readonly right: number; readonly bottom: number };
  /** Then resized to this size (bilinear, antialiased when shrinking). */
  readonly resize: Size;
  /** Then pasted here into an empty canvas of the picture's size; null when it fills the picture. */
  readonly paste: Rectangle | null;
}

/**
 * Pads are brought to the mask's resolution and rounded half to even. A mask is pasted whenever a static crop took part of the
 * picture, also when that part starts in the corner: the reference forgets that case and returns a mask of the crop's size.
 */
export function maskGeometry(geometry: Geometry, mask: Size): MaskGeometry {
  const { width, height } = geometry.nonsquareIntermediateSize ?? geometry.inferenceSize;
  const [scaleX, scaleY] = [mask.width / width, mask.height / height];
  const { offsetX, offsetY, cropWidth, cropHeight } = geometry.staticCropOffset;
  const { originalSize } = geometry;
  const whole = cropWidth === originalSize.width && cropHeight === originalSize.height;
  return {
    trim: {
      left: roundHalfEven(scaleX * geometry.padLeft),
      top: roundHalfEven(scaleY * geometry.padTop),
      right: roundHalfEven(scaleX * geometry.padRight),
      bottom: roundHalfEven(scaleY * geometry.padBottom),
    },
    resize: geometry.sizeAfterPreProcessing,
    paste: whole ? null : { left: offsetX, top: offsetY, width: cropWidth, height: cropHeight },
  };
}
