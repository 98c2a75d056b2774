/** Outlines of masks, along the edges of their pixels: filled, they cover the pixels again. */
import { boundsOfRuns } from "./runs.js";
import type { PixelBounds } from "./runs.js";

/** `x1, y1, x2, y2, ...`: corners in pixels, clockwise; a pixel spans from its coordinate to the next. */
export type Polygon = readonly number[];

/** Right, down, left, up: one turn to the right each. */
const STEPS = [
  [1, 0],
  [0, 1],
  [-1, 0],
  [0, -1],
] as const;
/** From a pixel's corner to the corner where its edge ends, by the direction along that edge; the pixel lies to the right. */
const CORNERS = [
  [1, 0],
  [1, 1],
  [0, 1],
  [0, 0],
] as const;

/** Pixels of the part of a mask that is not empty. */
class Pixels {
  readonly width: number;
  readonly height: number;
  readonly #inside: Uint8Array;

  constructor(
    runs: Uint32Array,
    pictureHeight: number,
    readonly bounds: PixelBounds,
  ) {
    const { left, top, right, bottom } = bounds;
    this.width = right - left;
    this.height = bottom - top;
    this.#inside = new Uint8Array(this.width * this.height);
    let position = 0;
    runs.forEach((length, index) => {
      if (index % 2 === 1) {
        for (let pixel = position; pixel < position + length; pixel++) {
          this.#inside[((pixel % pictureHeight) - top) * this.width + Math.floor(pixel / pictureHeight) - left] = 1;
        }
      }
      position += length;
    });
  }

  has(x: number, y: number): boolean {
    return x >= 0 && y >= 0 && x < this.width && y < this.height && this.#inside[y * this.width + x] === 1;
  }
}

/**
 * The outlines of the connected parts (pixels that touch by a side), the largest first. Holes are not among them: COCO's
 * polygons cannot have any.
 *
 * @param runs column by column, see runs.ts.
 */
export function tracePolygons(runs: Uint32Array, height: number): Polygon[] {
  const bounds = boundsOfRuns(runs, height);
  if (bounds === null) return [];
  const pixels = new Pixels(runs, height, bounds);
  const visited = new Uint8Array(pixels.width * pixels.height);
  const found: { readonly polygon: Polygon; readonly area: number }[] = [];
  for (let y = 0; y < pixels.height; y++) {
    for (let x = 0; x < pixels.width; x++) {
      // Every outline has a top edge. The one found first has its part below and to the right of it.
      if (pixels.has(x, y) && !pixels.has(x, y - 1) && visited[y * pixels.width + x] === 0) {
        const outline = traceFrom(pixels, x, y, visited);
        if (outline.area > 0) found.push(outline);
      }
    }
  }
  return found.sort((a, b) => b.area - a.area).map(({ polygon }) => polygon);
}

/** One outline; its area is negative when it goes around a hole. */
function traceFrom(
  pixels: Pixels,
  startX: number,
  startY: number,
  visited: Uint8Array,
): { readonly polygon: Polygon; readonly area: number } {
  const polygon: number[] = [];
  let doubleArea = 0;
  let [x, y, direction] = [startX, startY, 0];
  let [cornerX, cornerY] = [startX, startY];
  do {
    if (direction === 0) visited[y * pixels.width + x] = 1;
    const [stepX, stepY] = STEPS[direction] ?? STEPS[0];
    const [offsetX, offsetY] = CORNERS[direction] ?? CORNERS[0];
    const [endX, endY] = [x + offsetX, y + offsetY];
    const [leftX, leftY] = STEPS[(direction + 3) % 4] ?? STEPS[0];
    let turned = true;
    if (!pixels.has(x + stepX, y + stepY)) direction = (direction + 1) % 4;
    else if (pixels.has(x + stepX + leftX, y + stepY + leftY)) {
      [x, y] = [x + stepX + leftX, y + stepY + leftY];
      direction = (direction + 3) % 4;
    } else {
      [x, y] = [x + stepX, y + stepY];
      turned = false;
    }
    if (turned) {
      doubleArea += cornerX * endY - endX * cornerY;
      polygon.push(endX + pixels.bounds.left, endY + pixels.bounds.top);
      [cornerX, cornerY] = [endX, endY];
    }
  } while (x !== startX || y !== startY || direction !== 0);
  return { polygon, area: doubleArea / 2 };
}
