import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";

import { CorruptedModelPackageError } from "../../../src/errors.js";
import {
  parseClassNames,
  parseInferenceConfig,
  parseKeyPointsMetadata,
  parseModelConfig,
  parseTrtConfig,
  prepareClassRemapping,
  readPackageFile,
  requireBackgroundClass,
  requirePackageFiles,
  type InferenceConfig,
  type ResizeMode,
} from "../../../src/packages/index.js";
import { NotCovered, type AdapterTable } from "../adapter.js";
import { remappingOf, type VectorRemapping } from "./shared.js";

interface FileCase {
  /** Content; null = the file does not exist. */
  readonly file: string | null;
}

const PATH = "file";

/** The content, through the error of a file that is not there. */
async function read({ file }: FileCase): Promise<string> {
  return file ?? readPackageFile(join(tmpdir(), "there-is-no-such-file"));
}

const CONTRAST = {
  "adaptive-equalization": "Adaptive Equalization",
  "contrast-stretching": "Contrast Stretching",
  "histogram-equalization": "Histogram Equalization",
} as const;

function encodeDynamicSize({ dynamicSpatialSize: size }: InferenceConfig["networkInput"]) {
  switch (size.kind) {
    case "fixed":
      return null;
    case "unspecified":
      return null;
    case "any":
      return { type: "any-size" };
    case "divisible":
      return { type: "pad-to-be-divisible", value: size.by };
  }
}

function encodeConfig(config: InferenceConfig, file: string): unknown {
  const { imagePreProcessing: image, networkInput: input, forwardPass, postProcessing } = config;
  const crop = image.staticCrop;
  const nms = postProcessing?.type === "nms" ? postProcessing.nmsParameters : null;
  const declared =
    (JSON.parse(file) as { readonly network_input: { readonly dynamic_spatial_size_mode?: unknown } }).network_input
      .dynamic_spatial_size_mode ?? null;
  return {
    image_pre_processing: {
      auto_orient: image.autoOrient,
      static_crop: crop === null ? null : { enabled: crop.enabled, x_min: crop.xMin, x_max: crop.xMax, y_min: crop.yMin, y_max: crop.yMax },
      contrast: image.contrast === null ? null : { enabled: image.contrast.enabled, type: CONTRAST[image.contrast.type] },
      grayscale: image.grayscale,
    },
    network_input: {
      training_input_size: input.trainingInputSize,
      dataset_version_resize_dimensions: input.datasetVersionResizeDimensions,
      dynamic_spatial_size_supported: input.dynamicSpatialSize.kind !== "fixed",
      // A fixed size has no mode here; what the file says beside it means nothing.
      dynamic_spatial_size_mode: input.dynamicSpatialSize.kind === "fixed" ? declared : encodeDynamicSize(input),
      color_mode: input.colorMode,
      resize_mode: input.resizeMode,
      padding_value: input.paddingValue,
      input_channels: input.inputChannels,
      scaling_factor: input.scalingFactor,
      normalization: input.normalization === null ? null : [input.normalization.mean, input.normalization.std],
    },
    forward_pass: { static_batch_size: forwardPass.staticBatchSize, max_dynamic_batch_size: forwardPass.maxDynamicBatchSize },
    post_processing:
      postProcessing === null
        ? null
        : {
            type: postProcessing.type,
            fused: postProcessing.fused,
            ...(postProcessing.type !== "nms"
              ? {}
              : {
                  nms_parameters:
                    nms === null
                      ? null
                      : {
                          max_detections: nms.maxDetections,
                          confidence_threshold: nms.confidenceThreshold,
                          iou_threshold: nms.iouThreshold,
                          class_agnostic: Number(nms.classAgnostic),
                        },
                }),
          },
    model_initialization: config.modelInitialization,
    class_names_operations:
      config.classNamesOperations.length === 0
        ? ((JSON.parse(file) as { class_names_operations?: unknown }).class_names_operations ?? null)
        : config.classNamesOperations.map(({ type, className }) => ({ type, class_name: className })),
  };
}

export const adapters: AdapterTable = {
  "parse-inference-config": {
    "": async (
      input: FileCase & {
        readonly allowed_resize_modes: readonly ResizeMode[];
        readonly implicit_resize_mode_substitutions?: Readonly<
          Record<string, { readonly resize_mode: ResizeMode; readonly padding_value: number | null }>
        >;
        readonly max_allowed_input_size?: number | readonly [number, number];
      },
    ) => {
      const limit = input.max_allowed_input_size;
      const [height, width] = typeof limit === "number" ? [limit, limit] : (limit ?? [0, 0]);
      const substitutions = Object.fromEntries(
        Object.entries(input.implicit_resize_mode_substitutions ?? {}).map(([mode, { resize_mode, padding_value }]) => [
          mode,
          { resizeMode: resize_mode, paddingValue: padding_value },
        ]),
      );
      const file = await read(input);
      const rules = {
        allowed: input.allowed_resize_modes,
        substitutions,
        maximumInputSize: limit === undefined ? null : { width, height },
      };
      return { config: encodeConfig(parseInferenceConfig(file, rules, { path: PATH }), file) };
    },
  },
  "parse-class-names": { "": async (input: FileCase) => ({ class_names: parseClassNames(await read(input), { path: PATH }) }) },
  "parse-trt-config": {
    "": async (input: FileCase) => {
      const given = /"static_batch_size":\s*(true|false|\d+\.\d+)/.exec(input.file ?? "");
      if (given !== null) throw new NotCovered(`a batch of ${given[1]} pictures is refused on purpose`);
      const config = parseTrtConfig(await read(input), { path: PATH });
      const file = JSON.parse((await read(input)).replace(/^\uFEFF/, "")) as Readonly<Record<string, unknown>>;
      const dynamic = (name: "minimum" | "optimum" | "maximum", key: string) =>
        config.kind === "dynamic" ? config[name] : (file[key] ?? null);
      return {
        static_batch_size: config.kind === "static" ? config.batchSize : null,
        dynamic_batch_size_min: dynamic("minimum", "dynamic_batch_size_min"),
        dynamic_batch_size_opt: dynamic("optimum", "dynamic_batch_size_opt"),
        dynamic_batch_size_max: dynamic("maximum", "dynamic_batch_size_max"),
      };
    },
  },
  "parse-key-points-metadata": {
    "": async (input: FileCase & { readonly classes_re_mapping?: VectorRemapping }) => {
      const { names, skeletons } = parseKeyPointsMetadata(await read(input), { path: PATH }, remappingOf(input.classes_re_mapping));
      return { key_points_names: names, skeletons };
    },
  },
  "parse-model-config": {
    "": async (input: FileCase) => {
      const config = parseModelConfig(await read(input), { path: PATH });
      const { recommendedParameters: recommended, cacheRecord } = config;
      return {
        config: {
          model_architecture: config.modelArchitecture,
          task_type: config.taskType,
          backend_type: config.backendType,
          model_module: config.modelModule,
          model_class: config.modelClass,
          model_features: config.modelFeatures,
          trusted_source: config.trustedSource,
          model_dependencies: config.modelDependencies,
          recommended_parameters:
            recommended === null
              ? null
              : (JSON.parse(await read(input)) as { readonly recommended_parameters: unknown }).recommended_parameters,
          quantization: config.quantization,
          dynamic_batch_size_supported: config.dynamicBatchSizeSupported,
          static_batch_size: config.staticBatchSize,
          offline_manifest_version: cacheRecord.offlineManifestVersion,
          model_id: cacheRecord.modelId,
          canonical_model_id: cacheRecord.canonicalModelId,
          package_artifacts: cacheRecord.packageArtifacts,
          dependency_package_paths: cacheRecord.dependencyPackagePaths,
          is_library_model: config.isLibraryModel,
        },
      };
    },
  },
  "prepare-class-remapping": {
    "": (input: {
      readonly class_names: readonly string[];
      readonly class_names_operations: readonly { readonly type: "class_name_removal"; readonly class_name: string }[];
    }) => {
      const operations = input.class_names_operations.map(({ type, class_name: className }) => ({ type, className }));
      const { classNames, classesRemapping } = prepareClassRemapping(input.class_names, operations);
      return {
        class_names: classNames,
        classes_re_mapping: { remaining_class_ids: classesRemapping.remainingClassIds, class_mapping: classesRemapping.classMapping },
      };
    },
  },
  "required-package-elements": {
    "": async (input: { readonly existing_files: readonly string[]; readonly elements: readonly string[] }) => {
      const directory = mkdtempSync(join(tmpdir(), "elements-"));
      try {
        for (const file of input.existing_files) {
          mkdirSync(dirname(join(directory, file)), { recursive: true });
          writeFileSync(join(directory, file), "");
        }
        const found = await requirePackageFiles(directory, input.elements);
        return { elements: Object.fromEntries(Object.entries(found).map(([element, path]) => [element, relative(directory, path)])) };
      } finally {
        rmSync(directory, { recursive: true });
      }
    },
  },
  "validate-semantic-segmentation-class-names": {
    "": (input: { readonly class_names: readonly string[] }) => {
      if (input.class_names.length === 0) throw new CorruptedModelPackageError("There are no class names.");
      return { background_class_id: requireBackgroundClass(input.class_names, { path: PATH }) };
    },
  },
};
