import type { Area, Canvas } from "./canvas.js";
import { LINE_ROWS, outlineText } from "./font.js";
import { textColourOn } from "./palette.js";
import type { Colour } from "./palette.js";

/** In units of the font's grid. */
const TAG_PADDING = 3;
const TEXT_STROKE = 1.25;

/**
 * A line of text on a filled rectangle.
 *
 * @param unit pixels per unit of the font's grid. @param place upper left corner for a rectangle of that size.
 * @returns the rectangle.
 */
export function drawText(
  canvas: Canvas,
  text: string,
  unit: number,
  colour: Colour,
  place: (size: { readonly width: number; readonly height: number }) => { readonly left: number; readonly top: number },
): Area {
  const { segments, width: textWidth, baseline } = outlineText(text);
  const padding = TAG_PADDING * unit;
  const width = Math.round(textWidth * unit + 2 * padding);
  const height = Math.round((LINE_ROWS - 2) * unit + 2 * padding);
  const { left, top } = place({ width, height });
  const area = { left, top, right: left + width, bottom: top + height };
  canvas.fillRectangle(area, colour);
  const originX = left + padding;
  const originY = top + (height - baseline * unit) / 2;
  canvas.strokeSegments(
    segments.map(({ x1, y1, x2, y2 }) => ({
      x1: originX + x1 * unit,
      y1: originY + y1 * unit,
      x2: originX + x2 * unit,
      y2: originY + y2 * unit,
    })),
    TEXT_STROKE * unit,
    textColourOn(colour),
  );
  return area;
}
