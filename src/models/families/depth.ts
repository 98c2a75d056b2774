/** Depth estimation: `[batch, 1, height, width]` or `[batch, height, width]`, values as they come. */
import { CorruptedModelPackageError } from "../../errors.js";
import { compilePreprocessPlan } from "../../imaging/index.js";
import type { Geometry } from "../../imaging/index.js";
import type { Tensor, TensorPort } from "../../engines/index.js";
import { placementOf } from "../decoding/index.js";
import type { Decoder } from "../decoding/index.js";
import type { DepthDescription, DepthEstimationFamily } from "../family.js";
import { LETTERBOX_RULES } from "./detector.js";
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

export function decodeDepth(outputs: readonly Tensor[], image: number, geometry: Geometry, decoder: Decoder): Promise<Float32Array> {
  const { data, dims } = floatData(outputs, 0);
  const rank3 = dims.length === 3 ? [dims[0] ?? 0, 1, dims[1] ?? 0, dims[2] ?? 0] : dims;
  const [, channels = 0, height = 0, width = 0] = requireRank(rank3, 4, MEANING);
  const map = { data, offset: image * channels * height * width, channels, width, height };
  return decoder.makeValueMap(map, placementOf(geometry, map));
}

function depthFamily(unit: DepthDescription["unit"]): DepthEstimationFamily {
  return {
    task: "depth-estimation",
    files: ["inference_config.json"],
    weights: "weights.onnx",
    resizeModes: LETTERBOX_RULES,
    describe({ inferenceConfig }, network) {
      if (inferenceConfig === null)
        throw new CorruptedModelPackageError("This architecture needs inference_config.json.", { kind: "config" });
      const plan = compilePreprocessPlan(inferenceConfig, { pipeline: "shared" });
      requireImageInput(network.inputs, inferenceConfig.networkInput.trainingInputSize);
      requireDepthOutput(network.outputs);
      return {
        plan,
        unit,
        classNames: [],
        maximumDynamicBatch: inferenceConfig.forwardPass.maxDynamicBatchSize,
        acceptsImageSize: true,
      };
    },
    decode: (outputs, image, geometry, _description, _options, decoder) => decodeDepth(outputs, image, geometry, decoder),
  };
}

/** YOLO26's depth head. */
export const yolo26 = depthFamily("meters");
/** Depth Anything V2, exported to ONNX with an inference_config.json of its own. */
export const depthAnything = depthFamily("relative");
