/**
 * From a package's configuration to a plan, and from a plan and a picture's size to steps and the way back.
 *
 * Everything here is pure. Formulas are evaluated in double precision and in the order in which they stand, because the
 * reference truncates: another order gives another pixel for some sizes.
 */
import { CorruptedModelPackageError, InvalidOptionError, ModelInputError, ModelRuntimeError } from "../errors.js";
import type { InferenceConfig } from "../packages/types.js";
import { resolveCorner, type CornerPlan } from "./corner-plans.js";
import { describe } from "./describe.js";
import { resolveEdges, type EdgePlan } from "./edge-plans.js";
import { roundHalfEven } from "./rounding.js";
import { isSide, MAXIMUM_SIDE } from "./sides.js";
import { resolveSmooth, type SmoothPlan } from "./smooth-plans.js";
import { resolveSideLimit, resolveTextLine, type SideLimitPlan, type TextLinePlan } from "./text-plans.js";
import type {
  ColorFormat,
  ContrastKind,
  Geometry,
  Normalization,
  PreprocessingOverrides,
  PreprocessSteps,
  Rectangle,
  ResizeStep,
  Size,
} from "./types.js";

/**
 * Pictures resized by `resizeMode`; `rf-detr` resizes by Pillow's rules and has its own order of numbers; `patches` resizes by the
 * antialiased cubic: to the network's size where that is fixed, else see {@link patchSize}.
 */
export interface ResizePlan {
  readonly kind: "resize";
  readonly pipeline: "shared" | "rf-detr" | "patches";
  readonly defaultSize: Size;
  readonly dynamicSize: InferenceConfig["networkInput"]["dynamicSpatialSize"];
  /** RF-DETR: size of the first of two resizes. */
  readonly intermediateSize: Size | null;
  readonly colorFormat: ColorFormat;
  readonly resizeMode: InferenceConfig["networkInput"]["resizeMode"];
  readonly fill: number;
  readonly inputChannels: number;
  readonly normalization: Normalization;
  /** Percent of the sides; null when switched off. */
  readonly staticCrop: { readonly xMin: number; readonly xMax: number; readonly yMin: number; readonly yMax: number } | null;
  readonly contrast: ContrastKind | null;
  readonly grayscale: boolean;
}

/** The centred square around the picture, sampled on a grid; outside is black. */
export interface SamplePlan {
  readonly kind: "sample";
  readonly defaultSize: Size;
  readonly colorFormat: ColorFormat;
  readonly normalization: Normalization;
}

/** What happens to every picture of a model; plain immutable data. */
export type PreprocessPlan = ResizePlan | SamplePlan | SideLimitPlan | TextLinePlan | SmoothPlan | CornerPlan | EdgePlan;

export interface ResolveOptions {
  /** Network size wanted for this call: `n` or `[width, height]`. */
  readonly imageSize?: number | readonly [width: number, height: number];
  readonly overrides?: PreprocessingOverrides;
}

export interface ResolvedPreprocess {
  readonly steps: PreprocessSteps;
  readonly geometry: Geometry;
  /** Whether a network size was asked for that the plan cannot give; the plan's own was taken. Worth a warning. */
  readonly imageSizeIgnored: boolean;
}

type Triple = readonly [number, number, number];

function triple(values: readonly number[]): Triple {
  const [a = 0, b = 0, c = 0] = values;
  return Object.freeze([a, b, c] as const);
}

function numbers(input: InferenceConfig["networkInput"], pipeline: ResizePlan["pipeline"]): Normalization {
  const mean = input.normalization === null ? null : triple(input.normalization.mean);
  const std = input.normalization === null ? null : triple(input.normalization.std);
  if (pipeline !== "rf-detr") return { divisor: input.scalingFactor, factor: null, mean, std };
  // RF-DETR always divides by 255 first; its scaling factor only counts without normalisation.
  const factor = mean === null && input.scalingFactor !== null && input.scalingFactor !== 255 ? 255 / input.scalingFactor : null;
  return { divisor: 255, factor, mean, std };
}

/** What the reference only notices at the first prediction, or never. @throws CorruptedModelPackageError */
function checkNumbers(input: InferenceConfig["networkInput"]): void {
  const refuse = (field: string, expected: string, found: unknown): never => {
    throw new CorruptedModelPackageError(
      `inference_config.json: network_input.${field} is ${JSON.stringify(found)}; expected ${expected}.`,
      { kind: "config" },
    );
  };
  const sizes = { training_input_size: input.trainingInputSize, dataset_version_resize_dimensions: input.datasetVersionResizeDimensions };
  for (const [field, size] of Object.entries(sizes)) {
    if (size !== null && !(isSide(size.width) && isSide(size.height))) refuse(field, `sides from 1 to ${MAXIMUM_SIDE}`, size);
  }
  const { dynamicSpatialSize: dynamic, paddingValue, scalingFactor, normalization } = input;
  if (dynamic.kind === "divisible" && !isSide(dynamic.by))
    refuse("dynamic_spatial_size_mode.value", `a number from 1 to ${MAXIMUM_SIDE}`, dynamic.by);
  if (paddingValue !== null && !(paddingValue >= 0 && paddingValue <= 255))
    refuse("padding_value", "a gray level from 0 to 255", paddingValue);
  if (scalingFactor !== null && !(Number.isFinite(scalingFactor) && scalingFactor !== 0))
    refuse("scaling_factor", "a number other than 0", scalingFactor);
  if (normalization === null || input.inputChannels !== 3) return;
  const { mean, std } = normalization;
  if (mean.length !== 3 || std.length !== 3 || std.includes(0)) {
    refuse("normalization", "three means and three deviations, none of them 0", [mean, std]);
  }
}

/** Compiles `inference_config.json`. The result is frozen. @throws CorruptedModelPackageError for numbers that make no sense together. */
export function compilePreprocessPlan(
  config: Pick<InferenceConfig, "imagePreProcessing" | "networkInput">,
  { pipeline }: { readonly pipeline: ResizePlan["pipeline"] },
): ResizePlan {
  const { staticCrop, contrast, grayscale } = config.imagePreProcessing;
  const { networkInput: input } = config;
  checkNumbers(input);
  const twoSteps = pipeline === "rf-detr" && input.resizeMode !== "stretch" && input.datasetVersionResizeDimensions !== null;
  return Object.freeze({
    kind: "resize",
    pipeline,
    defaultSize: Object.freeze({ ...input.trainingInputSize }),
    dynamicSize: Object.freeze({ ...input.dynamicSpatialSize }),
    intermediateSize: twoSteps ? Object.freeze({ ...input.datasetVersionResizeDimensions }) : null,
    colorFormat: input.colorMode,
    resizeMode: input.resizeMode,
    fill: input.paddingValue ?? 0,
    inputChannels: input.inputChannels,
    normalization: Object.freeze(numbers(input, pipeline)),
    staticCrop: staticCrop?.enabled === true ? Object.freeze({ ...staticCrop }) : null,
    contrast: contrast?.enabled === true ? contrast.type : null,
    grayscale: grayscale?.enabled ?? false,
  });
}

/** A plan that samples the square around the picture: value = `(x / divisor - mean) / std`, RGB. */
export function compileSamplePlan(options: Size & { readonly divisor: number; readonly mean: Triple; readonly std: Triple }): SamplePlan {
  const { width, height, divisor, mean, std } = options;
  return Object.freeze({
    kind: "sample",
    defaultSize: Object.freeze({ width, height }),
    colorFormat: "rgb",
    normalization: Object.freeze({ divisor, factor: null, mean: triple(mean), std: triple(std) }),
  });
}

/** Smallest multiple of `by` that is not smaller than `value`. */
export function roundUpToMultiple(value: number, by: number): number {
  return Math.ceil(value / by) * by;
}

/** @throws InvalidOptionError */
function requireSides(sides: readonly unknown[], imageSize: unknown): Size {
  const [width, height] = sides;
  if (sides.length === 2 && isSide(width) && isSide(height)) return { width, height };
  throw new InvalidOptionError(
    `Expected a side or [width, height], integers from 1 to ${MAXIMUM_SIDE} also when rounded up to what the package supports, for option "imageSize" but received ${describe(imageSize)}.`,
    { parameter: "imageSize" },
  );
}

/**
 * Network size for a call. A request that the package does not support is ignored, as the reference does, and the caller told;
 * one that it supports without saying how is an error.
 */
function targetSize(
  { defaultSize, dynamicSize }: Pick<ResizePlan, "defaultSize" | "dynamicSize">,
  imageSize: ResolveOptions["imageSize"],
): { readonly target: Size; readonly imageSizeIgnored: boolean } {
  const byDefault = { target: defaultSize, imageSizeIgnored: false };
  if (imageSize === undefined) return byDefault;
  // Of any type: it may come from JavaScript.
  const given: unknown = imageSize;
  const sides: readonly unknown[] = typeof given === "number" ? [Math.trunc(given), Math.trunc(given)] : Array.isArray(given) ? given : [];
  const wanted = requireSides(sides, given);
  if (wanted.width === defaultSize.width && wanted.height === defaultSize.height) return byDefault;
  switch (dynamicSize.kind) {
    case "fixed":
      return { target: defaultSize, imageSizeIgnored: true };
    case "divisible": {
      const multiples = [roundUpToMultiple(wanted.width, dynamicSize.by), roundUpToMultiple(wanted.height, dynamicSize.by)];
      return { target: requireSides(multiples, given), imageSizeIgnored: false };
    }
    case "any":
      return { target: wanted, imageSizeIgnored: false };
    case "unspecified":
      throw new ModelRuntimeError(
        "This package supports other input sizes (dynamic_spatial_size_supported) but does not say how (dynamic_spatial_size_mode). Leave imageSize out, or complete inference_config.json.",
        { stage: "preprocess" },
      );
  }
}

function cropRectangle(crop: ResizePlan["staticCrop"], { width, height }: Size): Rectangle {
  if (crop === null) return { left: 0, top: 0, width, height };
  const edge = (percent: number, side: number): number => Math.min(Math.max(Math.trunc((percent / 100) * side), 0), side);
  const [left, right] = [edge(crop.xMin, width), edge(crop.xMax, width)];
  const [top, bottom] = [edge(crop.yMin, height), edge(crop.yMax, height)];
  if (!(left < right && top < bottom)) {
    throw new ModelInputError(
      `The package's static crop (${crop.xMin}-${crop.xMax} % by ${crop.yMin}-${crop.yMax} %) leaves nothing of a picture of ${width} x ${height}. Use a larger picture, or switch the crop off (preprocessing: { staticCrop: false }).`,
    );
  }
  return { left, top, width: right - left, height: bottom - top };
}

/** One resize and what it means for coordinates. */
interface Placement {
  readonly step: ResizeStep;
  readonly padLeft: number;
  readonly padTop: number;
  readonly padRight: number;
  readonly padBottom: number;
  readonly scaleWidth: number;
  readonly scaleHeight: number;
}

const NO_PADS = { padLeft: 0, padTop: 0, padRight: 0, padBottom: 0 };

function stretch({ width, height }: Size, target: Size, filter: "linear" | "pillow" | "cubic"): Placement {
  return {
    ...NO_PADS,
    step: {
      kind: "resize",
      filter,
      width: target.width,
      height: target.height,
      canvas: { width: target.width, height: target.height, left: 0, top: 0, fill: 0 },
    },
    scaleWidth: target.width / width,
    scaleHeight: target.height / height,
  };
}

function letterbox({ width, height }: Size, target: Size, fill: number): Placement {
  const scale = Math.min(target.width / width, target.height / height);
  // Truncation may lose a pixel of a side that the picture fills: part of the contract. A side is never lost altogether.
  const resized = { width: Math.max(Math.trunc(width * scale), 1), height: Math.max(Math.trunc(height * scale), 1) };
  const padLeft = Math.trunc((target.width - resized.width) / 2);
  const padTop = Math.trunc((target.height - resized.height) / 2);
  return {
    padLeft,
    padTop,
    padRight: target.width - padLeft - resized.width,
    padBottom: target.height - padTop - resized.height,
    step: { kind: "resize", filter: "linear", ...resized, canvas: { ...target, left: padLeft, top: padTop, fill } },
    scaleWidth: scale,
    scaleHeight: scale,
  };
}

function centerCrop(size: Size, target: Size): Placement {
  const [padLeft, padRight] = centre(size.width, target.width);
  const [padTop, padBottom] = centre(size.height, target.height);
  return {
    padLeft,
    padTop,
    padRight,
    padBottom,
    step: {
      kind: "resize",
      filter: "none",
      width: size.width,
      height: size.height,
      canvas: { ...target, left: padLeft, top: padTop, fill: 0 },
    },
    scaleWidth: 1,
    scaleHeight: 1,
  };
}

/** Pads before and after along one axis; negative = cut off. */
function centre(size: number, target: number): readonly [number, number] {
  const missing = target - size;
  const before = missing >= 0 ? Math.floor(missing / 2) : -Math.floor(-missing / 2);
  return [before, missing - before];
}

function fitLongerEdge({ width, height }: Size, target: Size): Placement {
  const [scaleX, scaleY] = [target.width / width, target.height / height];
  const resized =
    scaleX < scaleY
      ? { width: target.width, height: Math.max(roundHalfEven(scaleX * height), 1) }
      : { width: Math.max(roundHalfEven(scaleY * width), 1), height: target.height };
  return stretch({ width, height }, resized, "linear");
}

/**
 * Sides of a network that takes pictures of any shape, in whole patches. The picture keeps its shape but for the rounding: it is scaled by
 * the one of the two factors to `target` that changes it least, each side then rounded half to even to a multiple of `patch`.
 *
 * Source: DPTImageProcessor of transformers with keep_aspect_ratio and ensure_multiple_of. It lets a side vanish; here one patch is left.
 * @throws ModelInputError for pictures so long that a side would be longer than any picture's.
 */
export function patchSize({ width, height }: Size, target: Size, patch: number): Size {
  const [scaleX, scaleY] = [target.width / width, target.height / height];
  const scale = Math.abs(1 - scaleX) < Math.abs(1 - scaleY) ? scaleX : scaleY;
  const side = (length: number): number => Math.max(roundHalfEven((scale * length) / patch), 1) * patch;
  const size = { width: side(width), height: side(height) };
  if (isSide(size.width) && isSide(size.height)) return size;
  throw new ModelInputError(
    `A picture of ${width} x ${height} is too long: in its shape the network would get ${size.width} x ${size.height} pixels. Cut the picture into parts.`,
  );
}

function place(plan: ResizePlan, size: Size, target: Size): Placement {
  switch (plan.resizeMode) {
    case "stretch":
      return stretch(size, target, "linear");
    case "letterbox":
    case "letterbox-reflect-edges": // nothing is reflected in the reference either
      return letterbox(size, target, plan.fill);
    case "center-crop":
      return centerCrop(size, target);
    case "fit-longer-edge":
      return fitLongerEdge(size, target);
  }
}

function resolveResize(
  plan: ResizePlan,
  picture: Size & { readonly colorFormat: ColorFormat },
  { imageSize, overrides = {} }: ResolveOptions,
): ResolvedPreprocess {
  if (plan.inputChannels !== 3) {
    throw new ModelRuntimeError(
      `The package's network takes ${plan.inputChannels} channels; only pictures of three channels can be prepared.`,
      { stage: "preprocess" },
    );
  }
  const { target, imageSizeIgnored } = targetSize(plan, imageSize);
  const source = { width: picture.width, height: picture.height };
  const crop = cropRectangle(overrides.staticCrop === false ? null : plan.staticCrop, source);
  const cropped = { width: crop.width, height: crop.height };
  let placement: Placement;
  let geometrySteps: readonly ResizeStep[];
  if (plan.pipeline === "shared") {
    placement = place(plan, cropped, target);
    geometrySteps = [placement.step];
  } else if (plan.pipeline === "patches") {
    const { dynamicSize } = plan;
    placement = stretch(cropped, dynamicSize.kind === "divisible" ? patchSize(cropped, target, dynamicSize.by) : target, "cubic");
    geometrySteps = [placement.step];
  } else if (plan.intermediateSize === null) {
    // RF-DETR stretches whatever resize_mode says, unless the dataset's dimensions are known.
    placement = stretch(cropped, target, "pillow");
    geometrySteps = [placement.step];
  } else {
    placement = place(plan, cropped, plan.intermediateSize);
    geometrySteps = [placement.step, stretch(placement.step.canvas, target, "pillow").step];
  }
  const { canvas } = geometrySteps.at(-1) ?? placement.step;
  const inferenceSize = { width: canvas.width, height: canvas.height };
  return {
    imageSizeIgnored,
    steps: {
      source,
      crop,
      grayscale: plan.grayscale && overrides.grayscale !== false,
      contrast: overrides.contrast === false ? null : plan.contrast,
      geometry: geometrySteps,
      swapChannels: picture.colorFormat !== plan.colorFormat,
      normalization: plan.normalization,
      output: inferenceSize,
    },
    geometry: {
      padLeft: placement.padLeft,
      padTop: placement.padTop,
      padRight: placement.padRight,
      padBottom: placement.padBottom,
      originalSize: source,
      sizeAfterPreProcessing: cropped,
      inferenceSize,
      scaleWidth: placement.scaleWidth,
      scaleHeight: placement.scaleHeight,
      staticCropOffset: { offsetX: crop.left, offsetY: crop.top, cropWidth: crop.width, cropHeight: crop.height },
      // The first step's own size: fit-longer-edge does not reach the dataset's on both sides.
      nonsquareIntermediateSize:
        plan.intermediateSize === null ? null : { width: placement.step.canvas.width, height: placement.step.canvas.height },
    },
  };
}

function resolveSample(
  plan: SamplePlan,
  picture: Size & { readonly colorFormat: ColorFormat },
  { imageSize }: ResolveOptions,
): ResolvedPreprocess {
  const { width, height } = picture;
  const { target: output, imageSizeIgnored } = targetSize({ defaultSize: plan.defaultSize, dynamicSize: { kind: "fixed" } }, imageSize);
  const side = Math.max(width, height);
  const [originX, originY] = [(width - side) / 2, (height - side) / 2];
  const [scaleWidth, scaleHeight] = [output.width / side, output.height / side];
  const source = { width, height };
  return {
    imageSizeIgnored,
    steps: {
      source,
      crop: { left: 0, top: 0, width, height },
      grayscale: false,
      contrast: null,
      geometry: [{ kind: "sample", ...output, originX, originY, stepX: side / output.width, stepY: side / output.height }],
      swapChannels: picture.colorFormat !== plan.colorFormat,
      normalization: plan.normalization,
      output,
    },
    geometry: {
      // Fractional, unlike those of whole-pixel canvases: x_picture = (x_network - padLeft) / scaleWidth holds for both.
      padLeft: -originX * scaleWidth,
      padTop: -originY * scaleHeight,
      padRight: -originX * scaleWidth,
      padBottom: -originY * scaleHeight,
      originalSize: source,
      sizeAfterPreProcessing: source,
      inferenceSize: output,
      scaleWidth,
      scaleHeight,
      staticCropOffset: { offsetX: 0, offsetY: 0, cropWidth: width, cropHeight: height },
      nonsquareIntermediateSize: null,
    },
  };
}

/**
 * Steps and way back for a picture of this size.
 * @throws ModelInputError when the static crop leaves nothing, InvalidOptionError for an impossible imageSize, ModelRuntimeError
 * for networks of other than 3 channels and for sizes that the package supports without saying how.
 */
export function resolvePreprocess(
  plan: PreprocessPlan,
  picture: Size & { readonly colorFormat: ColorFormat },
  options: ResolveOptions = {},
): ResolvedPreprocess {
  switch (plan.kind) {
    case "resize":
      return resolveResize(plan, picture, options);
    case "sample":
      return resolveSample(plan, picture, options);
    case "smooth":
      return { ...resolveSmooth(plan, picture), imageSizeIgnored: options.imageSize !== undefined };
    case "corner":
      return { ...resolveCorner(plan, picture), imageSizeIgnored: options.imageSize !== undefined };
    case "edges":
      return { ...resolveEdges(plan, picture), imageSizeIgnored: options.imageSize !== undefined };
    case "side-limit":
      return { ...resolveSideLimit(plan, picture), imageSizeIgnored: options.imageSize !== undefined };
    case "text-line":
      return { ...resolveTextLine(plan, picture), imageSizeIgnored: options.imageSize !== undefined };
  }
}

/** Pictures of a batch must have one size; fit-longer-edge gives each its own. @throws ModelRuntimeError */
export function requireBatchable(plan: PreprocessPlan, pictures: number): void {
  if (pictures > 1 && plan.kind === "resize" && plan.pipeline !== "patches" && plan.resizeMode === "fit-longer-edge") {
    throw new ModelRuntimeError(
      "Pictures prepared by fit-longer-edge have different sizes and cannot form a batch. Pass them one by one.",
      { stage: "preprocess" },
    );
  }
}
