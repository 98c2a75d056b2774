/** Object detectors: a family is a layout of outputs plus what its packages must contain. */
import { CorruptedModelPackageError } from "../../errors.js";
import { compilePreprocessPlan } from "../../imaging/index.js";
import type { Geometry, Size } from "../../imaging/index.js";
import type { Tensor, TensorPort } from "../../engines/index.js";
import { prepareClassRemapping } from "../../packages/index.js";
import type { ClassRemapping, InferenceConfig, ResizeModeRules } from "../../packages/index.js";
import { mapBoxesBack } from "../decoding/index.js";
import type { Decoder, DecodeSettings, DetectionRows } from "../decoding/index.js";
import type {
  BoxesDescription,
  DetectionColumns,
  DetectionDefaults,
  NetworkPorts,
  ObjectDetectionFamily,
  PackageContents,
  ResolvedDetectionOptions,
} from "../family.js";
import { decodeHead, obstacleToDevice, readHead, type HeadLayout } from "./head.js";
import { requireImageInput } from "./outputs.js";

/** What a detector's outputs mean. */
export interface DetectorLayout {
  readonly defaults: DetectionDefaults;
  /** Boxes in network pixels, or as fractions of the network input. */
  readonly boxes: "pixels" | "fractions";
  /** @throws CorruptedModelPackageError when the ports cannot belong to this layout. */
  check(outputs: readonly TensorPort[]): void;
  readonly head: HeadLayout;
}

/** What a layout may depend on. */
export interface LayoutContext {
  /** Lines of class_names.txt, before removals. */
  readonly classNames: readonly string[];
  readonly remapping: ClassRemapping | null;
  /** Whether NMS is part of the graph; null when the package declares no post-processing. */
  readonly nmsFused: boolean | null;
}

/** With the size of the network's input, of which boxes may be fractions. */
export interface SizedContext extends LayoutContext {
  readonly inputSize: Size;
}

/** A description with what its outputs mean. */
export interface Laidout<Layout> extends BoxesDescription {
  readonly layout: Layout;
}

/** The usual four modes; fit-longer-edge becomes letterbox on gray, as the reference does. */
export const LETTERBOX_RULES: ResizeModeRules = {
  allowed: ["stretch", "letterbox", "center-crop", "letterbox-reflect-edges"],
  substitutions: { "fit-longer-edge": { resizeMode: "letterbox", paddingValue: 127 } },
  maximumInputSize: null,
};

export const STRETCH_RULES: ResizeModeRules = {
  ...LETTERBOX_RULES,
  substitutions: { "fit-longer-edge": { resizeMode: "stretch", paddingValue: null } },
};

export function settingsOf(options: ResolvedDetectionOptions): DecodeSettings {
  const { thresholds, iouThreshold, classAgnosticNms: classAgnostic, maxDetections } = options;
  return { thresholds, iouThreshold, classAgnostic, maxDetections };
}

/** Boxes of the network as columns in the original picture. */
export function detectionColumns(
  rows: DetectionRows,
  geometry: Geometry,
  boxes: DetectorLayout["boxes"],
  { rounding }: Pick<ResolvedDetectionOptions, "rounding">,
): DetectionColumns {
  return {
    xyxy: mapBoxesBack(rows, geometry, { fractions: boxes === "fractions", rounding, clamp: true }),
    classId: rows.classIds,
    confidence: rows.scores,
  };
}

/** Outputs of one picture to columns in the original picture. */
export async function decodeDetector(
  layout: DetectorLayout,
  outputs: readonly Tensor[],
  image: number,
  geometry: Geometry,
  options: ResolvedDetectionOptions,
  decoder: Decoder,
): Promise<DetectionColumns> {
  const rows = await decodeHead(readHead(layout.head, outputs, image), settingsOf(options), decoder);
  return detectionColumns(rows, geometry, layout.boxes, options);
}

/** What packages of a family must say, and what is made of it. */
export interface PackageRules {
  /** Whether `post_processing` must be declared, of type "nms". */
  readonly postProcessing: "nms" | "nms-unfused" | "any";
  readonly resizeModes?: ResizeModeRules;
  readonly pipeline?: "shared" | "rf-detr";
  readonly acceptsImageSize?: boolean;
  /** Whether forward_pass.max_dynamic_batch_size limits the batch. */
  readonly limitsDynamicBatch?: boolean;
  /** Whether class_names_operations apply. */
  readonly removesClasses?: boolean;
}

function fusedNms(config: InferenceConfig, demand: PackageRules["postProcessing"]): boolean | null {
  const { postProcessing } = config;
  if (demand === "any") return postProcessing?.fused ?? null;
  if (postProcessing?.type !== "nms") {
    throw new CorruptedModelPackageError(
      `inference_config.json declares post_processing ${postProcessing === null ? "not at all" : `of type "${postProcessing.type}"`}; this architecture needs { "type": "nms", "fused": true | false }.`,
      { kind: "config" },
    );
  }
  if (demand === "nms-unfused" && postProcessing.fused) {
    throw new CorruptedModelPackageError(
      'inference_config.json declares post_processing.fused = true; this architecture only exists with "fused": false.',
      { kind: "config" },
    );
  }
  return postProcessing.fused;
}

/** Of every family with boxes: the same files, the same checks, in the same order. */
export function packageFacts({ resizeModes = LETTERBOX_RULES }: PackageRules) {
  return { files: ["inference_config.json", "class_names.txt"], weights: "weights.onnx", resizeModes };
}

/** @throws CorruptedModelPackageError when package, network and layout do not belong together. */
export function describePackage<Layout extends Pick<DetectorLayout, "check"> & { readonly defaults: DetectionDefaults }>(
  makeLayout: (context: SizedContext) => Layout,
  rules: PackageRules,
  { inferenceConfig, classNames }: PackageContents,
  network: NetworkPorts,
): Laidout<Layout> & { readonly defaults: Layout["defaults"]; readonly remapping: ClassRemapping | null } {
  if (inferenceConfig === null || classNames === null) {
    throw new CorruptedModelPackageError("This architecture needs inference_config.json and class_names.txt.", { kind: "config" });
  }
  const removal =
    rules.removesClasses === true && inferenceConfig.classNamesOperations.length > 0
      ? prepareClassRemapping(classNames, inferenceConfig.classNamesOperations)
      : null;
  const remapping = removal?.classesRemapping ?? null;
  const { trainingInputSize: inputSize } = inferenceConfig.networkInput;
  const layout = makeLayout({ classNames, remapping, inputSize, nmsFused: fusedNms(inferenceConfig, rules.postProcessing) });
  const plan = compilePreprocessPlan(inferenceConfig, { pipeline: rules.pipeline ?? "shared" });
  requireImageInput(network.inputs, inputSize);
  layout.check(network.outputs);
  return {
    layout,
    plan,
    remapping,
    classNames: removal?.classNames ?? classNames,
    maximumDynamicBatch: rules.limitsDynamicBatch === true ? inferenceConfig.forwardPass.maxDynamicBatchSize : null,
    acceptsImageSize: rules.acceptsImageSize ?? false,
    // Copied: settings are read from the environment whenever they are looked at, and a model keeps those it was loaded with.
    defaults: Object.freeze({ ...layout.defaults }),
  };
}

export function detectorFamily({
  layout,
  ...rules
}: PackageRules & { readonly layout: (context: LayoutContext) => DetectorLayout }): ObjectDetectionFamily<Laidout<DetectorLayout>> {
  return {
    task: "object-detection",
    ...packageFacts(rules),
    describe: (contents, network) => describePackage(layout, rules, contents, network),
    decode: (outputs, image, geometry, description, options, decoder) =>
      decodeDetector(description.layout, outputs, image, geometry, options, decoder),
    onDevice: {
      kind: "detections",
      obstacle: ({ layout: { head } }, outputs) => obstacleToDevice(head, outputs),
      request: ({ layout: { head } }, _outputs, _pictures, options) => ({ head, settings: settingsOf(options) }),
      finish: ({ rows }, geometry, description, options) => detectionColumns(rows, geometry, description.layout.boxes, options),
    },
  };
}
