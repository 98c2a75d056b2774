/** Preparation in float32, as torchvision does it: for networks that look at a whole picture or a face. */
import { ModelInputError } from "../errors.js";
import { roundHalfEven } from "./rounding.js";
import { MAXIMUM_SIDE } from "./sides.js";
import type { ColorFormat, Geometry, Normalization, PreprocessSteps, ResizeStep, Size } from "./types.js";

/**
 * `stretch`: to the network's size, bilinear. `shorter-side`: the shorter side to the network's, bicubic, then the middle of the
 * picture. Both antialiased. `padded-square`: gray to the right or below until the picture is square, then to the network's size,
 * blurred when shrinking, bilinear.
 */
export interface SmoothPlan {
  readonly kind: "smooth";
  readonly mode: "stretch" | "shorter-side" | "padded-square";
  readonly defaultSize: Size;
  readonly colorFormat: ColorFormat;
  readonly normalization: Normalization;
}

type Triple = readonly [number, number, number];

/** A plan for RGB networks: value = `(x / 255 - mean) / std`. */
export function compileSmoothPlan(
  options: Size & { readonly mode: SmoothPlan["mode"]; readonly mean: Triple; readonly std: Triple },
): SmoothPlan {
  const { mode, width, height, mean, std } = options;
  return Object.freeze({
    kind: "smooth",
    mode,
    defaultSize: Object.freeze({ width, height }),
    colorFormat: "rgb",
    normalization: Object.freeze({ divisor: 255, factor: null, mean, std }),
  });
}

/** Between two gray levels: half of white. */
const GRAY = 127.5;

function placed({ width, height }: Size, { mode, defaultSize }: SmoothPlan): ResizeStep {
  if (mode === "stretch")
    return { kind: "resize", filter: "triangle", ...defaultSize, canvas: { ...defaultSize, left: 0, top: 0, fill: 0 } };
  if (mode === "padded-square")
    return { kind: "resize", filter: "gaussian", ...defaultSize, canvas: { ...defaultSize, left: 0, top: 0, fill: GRAY } };
  const side = defaultSize.height;
  const [longer, shorter] = [Math.max(width, height), Math.min(width, height)];
  const other = Math.max(Math.trunc((side * longer) / shorter), 1);
  if (other > MAXIMUM_SIDE) {
    throw new ModelInputError(
      `A picture of ${width} x ${height} is too long: resized to ${side} pixels on its shorter side it would have ${other} on the other.`,
    );
  }
  const resized = width <= height ? { width: side, height: other } : { width: other, height: side };
  const offset = (size: number): number => -roundHalfEven((size - side) / 2) + 0;
  return {
    kind: "resize",
    filter: "cubic",
    ...resized,
    canvas: { width: side, height: side, left: offset(resized.width), top: offset(resized.height), fill: 0 },
  };
}

export function resolveSmooth(
  plan: SmoothPlan,
  picture: Size & { readonly colorFormat: ColorFormat },
): { readonly steps: PreprocessSteps; readonly geometry: Geometry } {
  const source = { width: picture.width, height: picture.height };
  const step = placed(source, plan);
  const { canvas } = step;
  const output = { width: canvas.width, height: canvas.height };
  // What of the resized is the picture; of a padded square only a part.
  const square = Math.max(source.width, source.height);
  const share = plan.mode === "padded-square" ? { width: source.width / square, height: source.height / square } : { width: 1, height: 1 };
  const placedSize = { width: step.width * share.width, height: step.height * share.height };
  return {
    steps: {
      source,
      crop: { left: 0, top: 0, ...source },
      grayscale: false,
      contrast: null,
      geometry: [step],
      swapChannels: picture.colorFormat !== plan.colorFormat,
      normalization: plan.normalization,
      output,
    },
    geometry: {
      padLeft: canvas.left,
      padTop: canvas.top,
      padRight: canvas.width - canvas.left - placedSize.width,
      padBottom: canvas.height - canvas.top - placedSize.height,
      originalSize: source,
      sizeAfterPreProcessing: source,
      inferenceSize: output,
      scaleWidth: placedSize.width / source.width,
      scaleHeight: placedSize.height / source.height,
      staticCropOffset: { offsetX: 0, offsetY: 0, cropWidth: source.width, cropHeight: source.height },
      nonsquareIntermediateSize: null,
    },
  };
}
