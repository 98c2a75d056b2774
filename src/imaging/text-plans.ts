/** How pictures are prepared for networks that find lines of text, and for those that read one. */
import { roundHalfEven } from "./rounding.js";
import type { ColorFormat, Geometry, Normalization, PreprocessSteps, Size } from "./types.js";

/** Stretched to sides that are multiples of 32, one of them limited: each picture has a size of its own. */
export interface SideLimitPlan {
  readonly kind: "side-limit";
  /** Of a square picture. */
  readonly defaultSize: Size;
  readonly limit: number;
  /** `max`: longer sides than the limit are shrunk to it; `min`: shorter ones are enlarged to it; anything else: the longer side becomes it. */
  readonly limitType: string;
  readonly colorFormat: ColorFormat;
  readonly normalization: Normalization;
}

/** Lines of one height: as wide as their shape asks for, the rest of the batch's width filled with what becomes 0. */
export interface TextLinePlan {
  readonly kind: "text-line";
  /** Height of every line, and the width of the batch. */
  readonly defaultSize: Size;
  readonly colorFormat: ColorFormat;
}

interface Resolved {
  readonly steps: PreprocessSteps;
  readonly geometry: Geometry;
}

type Source = Size & { readonly colorFormat: ColorFormat };

/** Widths that fit no text line and would only fill the memory. */
export const MAXIMUM_LINE_WIDTH = 3200;
const MULTIPLE = 32;

/** Network size of a text detector for a picture. */
export function sideLimitSize({ width, height }: Size, limit: number, limitType: string): Size {
  const [longer, shorter] = [Math.max(width, height), Math.min(width, height)];
  let ratio = limit / longer;
  if (limitType === "max") ratio = longer > limit ? limit / longer : 1;
  else if (limitType === "min") ratio = shorter < limit ? limit / shorter : 1;
  const side = (value: number): number => Math.max(roundHalfEven((value * ratio) / MULTIPLE) * MULTIPLE, MULTIPLE);
  return { width: side(width), height: side(height) };
}

/** Width of a batch of lines: that of its widest line, at least `minimumWidth`, at most {@link MAXIMUM_LINE_WIDTH}. */
export function textLineWidth(
  lines: readonly Size[],
  height: number,
  minimumWidth: number,
  maximumWidth: number = MAXIMUM_LINE_WIDTH,
): number {
  const ratio = lines.reduce((widest, line) => Math.max(widest, line.width / line.height), minimumWidth / height);
  return Math.min(Math.max(Math.ceil(height * ratio), minimumWidth), maximumWidth);
}

/** The whole picture, resized to `resized` in the upper left corner of a canvas of the network's size. */
export function stretchInto(
  picture: Source,
  resized: Size,
  output: Size,
  fill: number,
  colorFormat: ColorFormat,
  normalization: Normalization,
  filter: "linear" | "pillow" = "linear",
): Resolved {
  const source = { width: picture.width, height: picture.height };
  return {
    steps: {
      source,
      crop: { left: 0, top: 0, ...source },
      grayscale: false,
      contrast: null,
      geometry: [{ kind: "resize", filter, ...resized, canvas: { ...output, left: 0, top: 0, fill } }],
      swapChannels: picture.colorFormat !== colorFormat,
      normalization,
      output,
    },
    geometry: {
      padLeft: 0,
      padTop: 0,
      padRight: output.width - resized.width,
      padBottom: output.height - resized.height,
      originalSize: source,
      sizeAfterPreProcessing: source,
      inferenceSize: output,
      scaleWidth: resized.width / source.width,
      scaleHeight: resized.height / source.height,
      staticCropOffset: { offsetX: 0, offsetY: 0, cropWidth: source.width, cropHeight: source.height },
      nonsquareIntermediateSize: null,
    },
  };
}

export function resolveSideLimit(plan: SideLimitPlan, picture: Source): Resolved {
  const size = sideLimitSize(picture, plan.limit, plan.limitType);
  return stretchInto(picture, size, size, 0, plan.colorFormat, plan.normalization);
}

/** Bytes to -1..1; 127.5, between two bytes, becomes 0. */
const TEXT_LINE_NORMALIZATION: Normalization = { divisor: 255, factor: null, mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] };
const MIDDLE = 127.5;

export function resolveTextLine(plan: TextLinePlan, picture: Source): Resolved {
  const { width, height } = plan.defaultSize;
  const own = Math.min(Math.max(Math.ceil((height * picture.width) / picture.height), 1), width);
  return stretchInto(picture, { width: own, height }, plan.defaultSize, MIDDLE, plan.colorFormat, TEXT_LINE_NORMALIZATION);
}
