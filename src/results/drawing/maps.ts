/** Maps over their picture: classes as a coat of colour, distances as colours from near (bright) to far (dark). */
import type { DepthMap, SemanticSegmentation } from "../types.js";
import type { Canvas } from "./canvas.js";
import { colourOfClass } from "./palette.js";
import type { Colour } from "./palette.js";

/** The picture stays visible below the classes. */
const CLASS_OPACITY = 0.55;

export function drawClassMap(canvas: Canvas, { classMap, backgroundId }: SemanticSegmentation): void {
  for (let pixel = 0; pixel < classMap.length; pixel++) {
    const id = classMap[pixel] ?? backgroundId;
    if (id !== backgroundId) mix(canvas, pixel, colourOfClass(id), CLASS_OPACITY);
  }
}

/** From far to near. Brightness rises all the way, so that the order survives in print and for colour-blind eyes. */
const RAMP: readonly Colour[] = [
  [13, 8, 54],
  [72, 12, 110],
  [146, 36, 104],
  [209, 72, 67],
  [244, 134, 24],
  [249, 205, 66],
  [252, 253, 191],
];

/** Colour of a nearness of 0 (far) to 1 (near). */
export function colourOfNearness(nearness: number): Colour {
  const place = Math.min(Math.max(nearness, 0), 1) * (RAMP.length - 1);
  const index = Math.min(Math.floor(place), RAMP.length - 2);
  const [from, to] = [RAMP[index] as Colour, RAMP[index + 1] as Colour];
  const between = (channel: 0 | 1 | 2): number => from[channel] + (to[channel] - from[channel]) * (place - index);
  return [between(0), between(1), between(2)];
}

export function drawDepthMap(canvas: Canvas, depth: DepthMap): void {
  const { minimum, maximum } = depth.range();
  const span = maximum > minimum ? maximum - minimum : 1;
  for (let pixel = 0; pixel < depth.values.length; pixel++) {
    const place = ((depth.values[pixel] ?? minimum) - minimum) / span;
    mix(canvas, pixel, colourOfNearness(depth.unit === "meters" ? 1 - place : place), 1);
  }
}

function mix({ pixels }: Canvas, pixel: number, colour: Colour, opacity: number): void {
  for (const channel of [0, 1, 2] as const) {
    const under = pixels[pixel * 3 + channel] ?? 0;
    pixels[pixel * 3 + channel] = Math.round(under + (colour[channel] - under) * opacity);
  }
}
