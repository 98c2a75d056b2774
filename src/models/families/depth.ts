/** Depth estimation: `[batch, 1, height, width]` or `[batch, height, width]`, values as they come, resized to the picture. */
import { CorruptedModelPackageError } from "../../errors.js";
import { compilePreprocessPlan } from "../../imaging/index.js";
import type { Geometry } from "../../imaging/index.js";
import type { Tensor, TensorPort } from "../../engines/index.js";
import { placementOf } from "../decoding/index.js";
import type { Decoder, MapFilter } from "../decoding/index.js";
import type { InferenceConfig } from "../../packages/index.js";
import type { DepthEstimationFamily, PackageContents } from "../family.js";
import { LETTERBOX_RULES } from "./detector.js";
import { fitsOnDevice, obstacleToMap, placeMaps } from "./device-maps.js";
import { floatData, formatDims, requireImageInput, requireRank, wrongNetwork } from "./outputs.js";

const MEANING = "[batch, 1, height, width] or [batch, height, width]";

/** @throws CorruptedModelPackageError */
function requireDepthOutput([output]: readonly TensorPort[]): void {
  const dims = output?.dims ?? null;
  if (output === undefined) throw wrongNetwork("The network has no outputs.");
  // Nothing can be checked where the exporter left no shape.
  if (dims === null || dims.length === 0 || dims.length === 3) return;
  if (dims.length !== 4 || (typeof dims[1] === "number" && dims[1] !== 1)) {
    throw wrongNetwork(`Output "${output.name}" has shape ${formatDims(dims)}; expected ${MEANING}.`);
  }
}

export function decodeDepth(
  outputs: readonly Tensor[],
  image: number,
  geometry: Geometry,
  filter: MapFilter,
  decoder: Decoder,
): Promise<Float32Array> {
  const { data, dims } = floatData(outputs, 0);
  const rank3 = dims.length === 3 ? [dims[0] ?? 0, 1, dims[1] ?? 0, dims[2] ?? 0] : dims;
  const [, channels = 0, height = 0, width = 0] = requireRank(rank3, 4, MEANING);
  const map = { data, offset: image * channels * height * width, channels, width, height };
  return decoder.makeValueMap(map, placementOf(geometry, map), filter);
}

/** @throws CorruptedModelPackageError */
function requireConfig({ inferenceConfig }: PackageContents): InferenceConfig {
  if (inferenceConfig !== null) return inferenceConfig;
  throw new CorruptedModelPackageError("This architecture needs inference_config.json.", { kind: "config" });
}

/** YOLO26's depth head. */
export const yolo26: DepthEstimationFamily = {
  task: "depth-estimation",
  files: ["inference_config.json"],
  weights: "weights.onnx",
  resizeModes: LETTERBOX_RULES,
  describe(contents, network) {
    const config = requireConfig(contents);
    const plan = compilePreprocessPlan(config, { pipeline: "shared" });
    requireImageInput(network.inputs, config.networkInput.trainingInputSize);
    requireDepthOutput(network.outputs);
    return {
      plan,
      unit: "meters",
      classNames: [],
      maximumDynamicBatch: config.forwardPass.maxDynamicBatchSize,
      acceptsImageSize: true,
    };
  },
  decode: (outputs, image, geometry, _description, _options, decoder) => decodeDepth(outputs, image, geometry, "triangle", decoder),
  onDevice: {
    kind: "maps",
    obstacle: (_description, outputs) => obstacleToMap(outputs),
    request(_description, outputs, pictures) {
      const { placements } = placeMaps(outputs, pictures);
      return fitsOnDevice(placements) ? { planes: 0, placements, classes: null, filter: "triangle" } : null;
    },
    finish: (map) => map as Float32Array,
  },
};

/** Pixels on a side of a patch of the vision transformer. */
const PATCH = 14;

/**
 * Sides are fixed in the network, or free and then whole patches: each picture has a size of its own, and goes through the network alone.
 * @throws CorruptedModelPackageError
 */
function requirePatches({ networkInput }: InferenceConfig, [input]: readonly TensorPort[]): { readonly free: boolean } {
  const { dynamicSpatialSize: size, trainingInputSize: trained } = networkInput;
  const free = size.kind !== "fixed";
  if (free && !(size.kind === "divisible" && size.by % PATCH === 0)) {
    throw new CorruptedModelPackageError(
      `inference_config.json: network_input.dynamic_spatial_size_mode must be { "type": "pad-to-be-divisible", "value": ${PATCH} }, because this architecture looks at patches of ${PATCH} x ${PATCH} pixels; or set dynamic_spatial_size_supported to false for a network of one size.`,
      { kind: "config" },
    );
  }
  if (trained.width % PATCH !== 0 || trained.height % PATCH !== 0) {
    throw new CorruptedModelPackageError(
      `inference_config.json: network_input.training_input_size is ${trained.width} x ${trained.height}; this architecture takes multiples of ${PATCH}.`,
      { kind: "config" },
    );
  }
  const [batch, , ...sides] = input?.dims ?? [];
  if (free && (sides.some((side) => typeof side === "number") || (typeof batch === "number" && batch !== 1))) {
    throw wrongNetwork(
      `Input "${input?.name ?? ""}" has shape ${formatDims(input?.dims ?? null)}; inference_config.json says that it takes pictures of any size, one at a time.`,
    );
  }
  return { free };
}

/**
 * Depth Anything V2, exported to ONNX: relative inverse depth, near is large. Pictures are prepared as DPTImageProcessor of transformers does
 * it, and maps resized as its `post_process_depth_estimation` does, by bicubic interpolation.
 */
export const depthAnything: DepthEstimationFamily = {
  task: "depth-estimation",
  files: ["inference_config.json"],
  weights: "weights.onnx",
  resizeModes: { allowed: ["stretch"], substitutions: {}, maximumInputSize: null },
  describe(contents, network) {
    const config = requireConfig(contents);
    requireImageInput(network.inputs, config.networkInput.trainingInputSize);
    const { free } = requirePatches(config, network.inputs);
    requireDepthOutput(network.outputs);
    return {
      plan: compilePreprocessPlan(config, { pipeline: "patches" }),
      unit: "relative",
      classNames: [],
      maximumDynamicBatch: free ? 1 : config.forwardPass.maxDynamicBatchSize,
      acceptsImageSize: free,
    };
  },
  decode: (outputs, image, geometry, _description, _options, decoder) => decodeDepth(outputs, image, geometry, "nearest-cubic", decoder),
};
