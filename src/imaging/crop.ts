/** A part of a picture as a picture of its own. */
import type { PixelImage, RawPixels, Rectangle } from "./types.js";

/** Whole pixels of `[x1, x2) x [y1, y2)`, as far as it lies in the picture; null when nothing of it does, or a corner is not finite. */
export function rectangleWithin(
  { width, height }: { readonly width: number; readonly height: number },
  x1: number,
  y1: number,
  x2: number,
  y2: number,
): Rectangle | null {
  const clamp = (value: number, most: number): number => Math.min(Math.max(Math.trunc(value), 0), most);
  const [left, right] = [clamp(x1, width), clamp(x2, width)];
  const [top, bottom] = [clamp(y1, height), clamp(y2, height)];
  // Also false for NaN.
  return right > left && bottom > top ? { left, top, width: right - left, height: bottom - top } : null;
}

/** @param rectangle inside the picture. */
export function cropRectangle(picture: PixelImage, { left, top, width, height }: Rectangle): RawPixels {
  const { channels, colorFormat } = picture;
  const data = new Uint8Array(width * height * channels);
  const row = width * channels;
  for (let y = 0; y < height; y++) {
    const start = ((top + y) * picture.width + left) * channels;
    data.set(picture.data.subarray(start, start + row), y * row);
  }
  return { data, width, height, channels, colorFormat };
}
