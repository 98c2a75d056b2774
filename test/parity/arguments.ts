/** Arguments of the reference's calls as options of ours. */
import type { AutoModelOptions, DetectionOptions, KeyPointOptions, MaskFormat, SegmentationOptions } from "../../src/index.js";
import { NotCovered } from "../conformance/adapter.js";

type Arguments = Readonly<Record<string, unknown>>;

function recommended(value: unknown): Pick<AutoModelOptions, "recommendedParameters"> {
  const { confidence = null, per_class_confidence: perClassConfidence = null } = value as {
    readonly confidence?: number | null;
    readonly per_class_confidence?: Readonly<Record<string, number>> | null;
  };
  return { recommendedParameters: { confidence, perClassConfidence } };
}

/** Arguments of `from_pretrained`. */
export function toLoadOptions(init: Arguments): AutoModelOptions {
  let options: AutoModelOptions = {};
  for (const [name, value] of Object.entries(init)) {
    if (name !== "recommended_parameters") throw new NotCovered(`the load argument ${name} has no counterpart`);
    if (value !== null) options = { ...options, ...recommended(value) };
  }
  return options;
}

function confidence(value: unknown): NonNullable<DetectionOptions["confidence"]> {
  if (typeof value === "number" || value === "best" || value === "default") return value;
  // Integers, null and other words silently mean the default there; here they count for what they say, or are refused.
  throw new NotCovered(`a confidence of ${JSON.stringify(value)} means the default in Python only`);
}

function preprocessing(value: unknown): NonNullable<DetectionOptions["preprocessing"]> {
  const overrides = value as Readonly<Record<string, boolean>>;
  return {
    staticCrop: overrides["disable_static_crop"] !== true,
    grayscale: overrides["disable_grayscale"] !== true,
    contrast: overrides["disable_contrast_enhancement"] !== true,
  };
}

/** Of every task: an option that a model does not have is not among the arguments of its cases. */
type Options = SegmentationOptions & KeyPointOptions;

const CONVERSIONS: Readonly<Record<string, (value: unknown) => Options>> = {
  confidence: (value) => ({ confidence: confidence(value) }),
  iou_threshold: (value) => ({ iouThreshold: value as number }),
  max_detections: (value) => ({ maxDetections: value as number }),
  class_agnostic_nms: (value) => ({ classAgnosticNms: value as boolean }),
  image_size: (value) => ({ imageSize: value as number | readonly [number, number] }),
  pre_processing_overrides: (value) => (value === null ? {} : { preprocessing: preprocessing(value) }),
  mask_format: (value) => ({ maskFormat: value as MaskFormat }),
  masks_smoothing_enabled: (value) => ({ smoothMasks: value as boolean }),
  masks_binarization_threshold: (value) => ({ maskThreshold: value as number }),
  key_points_threshold: (value) => ({ keyPointThreshold: value as number }),
  // Part of the picture here: its pixels say which order they have.
  input_color_format: () => ({}),
};

/** Arguments of the call. */
export function toOptions(kwargs: Arguments): Options {
  let options: Options = {};
  for (const [name, value] of Object.entries(kwargs)) {
    const convert = CONVERSIONS[name];
    if (convert === undefined) throw new NotCovered(`the argument ${name} has no counterpart`);
    options = { ...options, ...convert(value) };
  }
  return options;
}
