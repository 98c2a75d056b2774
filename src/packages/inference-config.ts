import * as z from "zod";

import { ModelPackageRestrictedError } from "../errors.js";
import type { ContrastKind } from "../imaging/types.js";
import { logger } from "../logger.js";
import { boolean, corrupted, integer, number, optional, parseJsonAs, warnOfNearMisses } from "./json.js";
import type { FileContext, InferenceConfig, ResizeMode, ResizeModeRules } from "./types.js";

const size = z.object({ height: integer, width: integer });
const RESIZE_MODES = [
  "stretch",
  "letterbox",
  "center-crop",
  "fit-longer-edge",
  "letterbox-reflect-edges",
] as const satisfies readonly ResizeMode[];

const CONTRAST_KINDS: Readonly<Record<string, ContrastKind>> = {
  "Adaptive Equalization": "adaptive-equalization",
  "Contrast Stretching": "contrast-stretching",
  "Histogram Equalization": "histogram-equalization",
};

const imagePreProcessing = z.object({
  "auto-orient": optional(z.object({ enabled: boolean })),
  "static-crop": optional(z.object({ enabled: boolean, x_min: integer, x_max: integer, y_min: integer, y_max: integer })),
  contrast: optional(z.object({ enabled: boolean, type: z.enum(Object.keys(CONTRAST_KINDS)) })),
  grayscale: optional(z.object({ enabled: boolean })),
});

const networkInput = z.object({
  training_input_size: size,
  dataset_version_resize_dimensions: optional(size),
  dynamic_spatial_size_supported: boolean,
  dynamic_spatial_size_mode: optional(
    z.discriminatedUnion("type", [
      z.object({ type: z.literal("pad-to-be-divisible"), value: integer }),
      z.object({ type: z.literal("any-size") }),
    ]),
  ),
  color_mode: z.enum(["rgb", "bgr"]),
  resize_mode: z.enum(RESIZE_MODES),
  padding_value: optional(integer),
  input_channels: integer,
  scaling_factor: optional(number),
  normalization: optional(z.tuple([z.array(number), z.array(number)])),
});

const nmsParameters = z.object({
  max_detections: integer,
  confidence_threshold: number,
  iou_threshold: number,
  class_agnostic: z.union([integer, z.boolean().transform(Number)]),
});

const postProcessing = z.discriminatedUnion("type", [
  z.object({ type: z.literal("nms"), fused: boolean, nms_parameters: optional(nmsParameters) }),
  z.object({ type: z.literal("softmax"), fused: boolean }),
  z.object({ type: z.literal("sigmoid"), fused: boolean }),
]);

const schema = z.object({
  image_pre_processing: optional(imagePreProcessing),
  network_input: networkInput,
  // An explicit null is refused here, unlike elsewhere: so does the reference.
  forward_pass: z.object({ static_batch_size: optional(integer), max_dynamic_batch_size: optional(integer) }).optional(),
  post_processing: optional(postProcessing),
  model_initialization: optional(z.record(z.string(), z.unknown())),
  class_names_operations: optional(z.array(z.object({ type: z.literal("class_name_removal"), class_name: z.string() }))),
});

type Raw = z.output<typeof schema>;

function dynamicSpatialSize({ dynamic_spatial_size_supported: supported, dynamic_spatial_size_mode: mode }: Raw["network_input"]) {
  if (!supported) return { kind: "fixed" } as const;
  if (mode === null) return { kind: "unspecified" } as const;
  return mode.type === "any-size" ? ({ kind: "any" } as const) : ({ kind: "divisible", by: mode.value } as const);
}

function resizing(
  raw: Raw["network_input"],
  rules: ResizeModeRules,
  path: string,
): { readonly resizeMode: ResizeMode; readonly paddingValue: number | null } {
  const substitution = rules.substitutions[raw.resize_mode];
  if (substitution !== undefined) {
    logger().warn(
      `${path}: resize mode "${raw.resize_mode}" gives pictures of different sizes, which this network cannot take; "${substitution.resizeMode}" is used instead.`,
    );
  }
  const chosen = substitution ?? { resizeMode: raw.resize_mode, paddingValue: raw.padding_value };
  if (!rules.allowed.includes(chosen.resizeMode)) {
    throw corrupted(
      path,
      `network_input.resize_mode: "${chosen.resizeMode}" is not possible for this architecture; possible are ${rules.allowed.join(", ")}.`,
    );
  }
  return chosen;
}

/**
 * `inference_config.json`: how pictures are prepared and what the outputs are.
 *
 * Unknown keys are ignored, numeric strings accepted, as published packages need it. Whether the numbers make sense together
 * is checked when the plan is compiled, also at load.
 *
 * @throws CorruptedModelPackageError naming each offending field; ModelPackageRestrictedError beyond `rules.maximumInputSize`.
 */
export function parseInferenceConfig(text: string, rules: ResizeModeRules, context: FileContext): InferenceConfig {
  const raw = parseJsonAs(schema, text, context);
  warnOfTypos(text, context);
  const { network_input: input, image_pre_processing: image, forward_pass: forward, post_processing: post } = raw;
  const limit = rules.maximumInputSize;
  const trained = input.training_input_size;
  const { resizeMode, paddingValue } = resizing(input, rules, context.path);
  if (limit !== null && (trained.height > limit.height || trained.width > limit.width)) {
    throw new ModelPackageRestrictedError(
      `${context.path}: the network's input is ${trained.width} x ${trained.height}, larger than the allowed ${limit.width} x ${limit.height}. Choose a smaller model or raise the limit.`,
      { size: trained, limit },
    );
  }
  const crop = image?.["static-crop"] ?? null;
  const contrast = image?.contrast ?? null;
  return {
    imagePreProcessing: {
      autoOrient: image?.["auto-orient"] ?? null,
      staticCrop: crop === null ? null : { enabled: crop.enabled, xMin: crop.x_min, xMax: crop.x_max, yMin: crop.y_min, yMax: crop.y_max },
      contrast: contrast === null ? null : { enabled: contrast.enabled, type: CONTRAST_KINDS[contrast.type] ?? "contrast-stretching" },
      grayscale: image?.grayscale ?? null,
    },
    networkInput: {
      trainingInputSize: trained,
      datasetVersionResizeDimensions: input.dataset_version_resize_dimensions,
      dynamicSpatialSize: dynamicSpatialSize(input),
      colorMode: input.color_mode,
      resizeMode,
      paddingValue,
      inputChannels: input.input_channels,
      scalingFactor: input.scaling_factor,
      normalization: input.normalization === null ? null : { mean: input.normalization[0], std: input.normalization[1] },
    },
    forwardPass: { staticBatchSize: forward?.static_batch_size ?? null, maxDynamicBatchSize: forward?.max_dynamic_batch_size ?? null },
    postProcessing:
      post === null ? null : post.type === "nms" ? { type: "nms", fused: post.fused, nmsParameters: nms(post.nms_parameters) } : post,
    modelInitialization: raw.model_initialization,
    classNamesOperations: (raw.class_names_operations ?? []).map(({ type, class_name: className }) => ({ type, className })),
  };
}

function nms(raw: z.output<typeof nmsParameters> | null) {
  if (raw === null) return null;
  return {
    maxDetections: raw.max_detections,
    confidenceThreshold: raw.confidence_threshold,
    iouThreshold: raw.iou_threshold,
    classAgnostic: raw.class_agnostic !== 0,
  };
}

function warnOfTypos(text: string, context: FileContext): void {
  const value = JSON.parse(text) as Readonly<Record<string, unknown>>;
  warnOfNearMisses(value, Object.keys(schema.shape), "the file", context);
  warnOfNearMisses(value["image_pre_processing"], Object.keys(imagePreProcessing.shape), "image_pre_processing", context);
  warnOfNearMisses(value["network_input"], Object.keys(networkInput.shape), "network_input", context);
}
