import { ModelInputError } from "../../errors.js";
import type { Normalization, PixelImage, PreprocessExecutor, PreprocessSteps, ResizeStep } from "../types.js";
import { enhanceContrast } from "./contrast.js";
import { resizeLinear } from "./linear.js";
import { resizePillow } from "./pillow.js";
import { CHANNELS, emptyPixels, type Pixels } from "./pixels.js";
import { sampleGrid } from "./sample.js";
import { resizeSmoothly } from "./smooth.js";

/** The used part of the picture as three channels: gray is repeated, alpha dropped. */
export function cropPixels(image: PixelImage, { left, top, width, height }: PreprocessSteps["crop"]): Pixels {
  const result = emptyPixels(width, height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const from = ((top + y) * image.width + left + x) * image.channels;
      for (let channel = 0; channel < CHANNELS; channel++) {
        result.data[(y * width + x) * CHANNELS + channel] = image.data[from + (image.channels === 1 ? 0 : channel)] ?? 0;
      }
    }
  }
  return result;
}

/** 15-bit integer weights of OpenCV; the result stands in all three channels. */
export function grayscale({ data, width, height }: Pixels, colorFormat: PixelImage["colorFormat"]): Pixels {
  const result = emptyPixels(width, height);
  const [red, blue] = colorFormat === "rgb" ? [0, 2] : [2, 0];
  for (let pixel = 0; pixel < data.length; pixel += CHANNELS) {
    const luma = (9798 * (data[pixel + red] ?? 0) + 19235 * (data[pixel + 1] ?? 0) + 3735 * (data[pixel + blue] ?? 0) + 16384) >> 15;
    result.data.fill(luma, pixel, pixel + CHANNELS);
  }
  return result;
}

export function resizePixels(pixels: Pixels, step: ResizeStep): Pixels {
  const { canvas } = step;
  const resized =
    step.filter === "linear"
      ? resizeLinear(pixels, step.width, step.height)
      : step.filter === "pillow"
        ? resizePillow(pixels, step.width, step.height)
        : pixels;
  const result = emptyPixels(canvas.width, canvas.height, canvas.fill);
  for (let y = 0; y < canvas.height; y++) {
    const row = y - canvas.top;
    if (row < 0 || row >= resized.height) continue;
    const from = Math.max(0, -canvas.left);
    const to = Math.min(resized.width, canvas.width - canvas.left);
    if (to <= from) continue;
    const values = resized.data.subarray((row * resized.width + from) * CHANNELS, (row * resized.width + to) * CHANNELS);
    result.data.set(values, (y * canvas.width + canvas.left + from) * CHANNELS);
  }
  return result;
}

/** float32 throughout, one rounding for each operation. */
export function normalizeValue(value: number, channel: number, { divisor, factor, mean, std }: Normalization): number {
  let result = value;
  if (divisor !== null) result = Math.fround(result / Math.fround(divisor));
  if (factor !== null) result = Math.fround(result * Math.fround(factor));
  if (mean !== null && std !== null) {
    result = Math.fround(Math.fround(result - Math.fround(mean[channel] ?? 0)) / Math.fround(std[channel] ?? 1));
  }
  return result;
}

function toPlanes({ data, width, height }: Pixels, { swapChannels, normalization }: PreprocessSteps, target: Float32Array): void {
  const plane = width * height;
  for (let channel = 0; channel < CHANNELS; channel++) {
    const source = swapChannels ? CHANNELS - 1 - channel : channel;
    const table = Float32Array.from({ length: 256 }, (_, value) => normalizeValue(value, channel, normalization));
    for (let pixel = 0; pixel < plane; pixel++) target[channel * plane + pixel] = table[data[pixel * CHANNELS + source] ?? 0] ?? 0;
  }
}

const isSmooth = ({ filter }: ResizeStep): boolean => filter === "triangle" || filter === "cubic" || filter === "gaussian";

function smoothToPlanes(pixels: Pixels, step: ResizeStep, { swapChannels, normalization }: PreprocessSteps, target: Float32Array): void {
  const { canvas } = step;
  const resized = resizeSmoothly(pixels, step);
  for (let channel = 0; channel < CHANNELS; channel++) {
    const source = swapChannels ? CHANNELS - 1 - channel : channel;
    for (let y = 0; y < canvas.height; y++) {
      for (let x = 0; x < canvas.width; x++) {
        const [column, row] = [x - canvas.left, y - canvas.top];
        const inside = column >= 0 && column < resized.width && row >= 0 && row < resized.height;
        const value = inside ? resized.data[(source * resized.height + row) * resized.width + column]! : Math.fround(canvas.fill);
        target[(channel * canvas.height + y) * canvas.width + x] = normalizeValue(value, channel, normalization);
      }
    }
  }
}

/** A fill between two gray levels does not survive in 8 bits: its pixels are set where they have become floats. */
function fillBetweenBytes({ geometry, normalization, output: { width, height } }: PreprocessSteps, target: Float32Array): void {
  const last = geometry.at(-1);
  if (last?.kind !== "resize" || Number.isInteger(last.canvas.fill)) return;
  const { canvas } = last;
  for (let channel = 0; channel < CHANNELS; channel++) {
    const value = normalizeValue(Math.fround(canvas.fill), channel, normalization);
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const inside = x >= canvas.left && x < canvas.left + last.width && y >= canvas.top && y < canvas.top + last.height;
        if (!inside) target[(channel * height + y) * width + x] = value;
      }
    }
  }
}

function check(image: PixelImage, { source, output }: PreprocessSteps, target: Float32Array): void {
  if (image.width !== source.width || image.height !== source.height) {
    throw new ModelInputError(
      `The steps are for a picture of ${source.width} x ${source.height}, the picture has ${image.width} x ${image.height}.`,
    );
  }
  if (image.data.length !== image.width * image.height * image.channels) {
    throw new ModelInputError(
      `The picture's data has ${image.data.length} bytes, expected ${image.width * image.height * image.channels}.`,
    );
  }
  if (target.length !== CHANNELS * output.width * output.height) {
    throw new ModelInputError(`The target has ${target.length} elements, expected ${CHANNELS * output.width * output.height}.`);
  }
}

/** Pixels after crop, grayscale and contrast, still 8 bits. */
export function prepareColors(image: PixelImage, steps: Pick<PreprocessSteps, "crop" | "grayscale" | "contrast">): Pixels {
  let pixels = cropPixels(image, steps.crop);
  if (steps.grayscale) pixels = grayscale(pixels, image.colorFormat);
  return steps.contrast === null ? pixels : enhanceContrast(pixels, steps.contrast);
}

/** Plain TypeScript, one step after the other: what the fast executors are measured against. Slow. */
export const referenceExecutor: PreprocessExecutor = {
  name: "reference",
  // Rejects instead of throwing, like the executors on threads.
  async run(image, steps, target) {
    check(image, steps, target);
    let pixels = prepareColors(image, steps);
    const last = steps.geometry.at(-1);
    if (last?.kind === "resize" && isSmooth(last)) {
      for (const step of steps.geometry.slice(0, -1))
        pixels = step.kind === "sample" ? sampleGrid(pixels, step) : resizePixels(pixels, step);
      smoothToPlanes(pixels, last, steps, target);
      return;
    }
    for (const step of steps.geometry) pixels = step.kind === "sample" ? sampleGrid(pixels, step) : resizePixels(pixels, step);
    toPlanes(pixels, steps, target);
    fillBetweenBytes(steps, target);
  },
};
