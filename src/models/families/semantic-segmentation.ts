/** Semantic segmentation: logits `[batch, channels, height, width]`, the same for every family. */
import { configuration } from "../../configuration.js";
import { CorruptedModelPackageError } from "../../errors.js";
import { compilePreprocessPlan } from "../../imaging/index.js";
import type { Geometry } from "../../imaging/index.js";
import type { Tensor } from "../../engines/index.js";
import { requireBackgroundClass } from "../../packages/index.js";
import type { ResizeModeRules } from "../../packages/index.js";
import { placementOf, sourceChannelIds } from "../decoding/index.js";
import type { ClassMap, Decoder, DenseMap } from "../decoding/index.js";
import type { ResolvedScoreOptions, SemanticDescription, SemanticSegmentationFamily } from "../family.js";
import { LETTERBOX_RULES } from "./detector.js";
import { fitsOnDevice, obstacleToMap, placeMaps } from "./device-maps.js";
import { floatData, requireImageInput, requireOutput, requireRank, wrongNetwork } from "./outputs.js";

const MEANING = "logits [batch, channels, height, width]";

/** The network may have a channel for every class, or leave the background out. @throws CorruptedModelPackageError */
function requireChannels(channels: number | null | undefined, classNames: readonly string[]): void {
  if (channels == null || channels === classNames.length || channels === classNames.length - 1) return;
  throw wrongNetwork(
    `The network has ${channels} channels but class_names.txt lists ${classNames.length} classes; the background alone may have no channel.`,
  );
}

/** One picture's share of an output. */
export function denseMap(outputs: readonly Tensor[], image: number, meaning: string): DenseMap {
  const { data, dims } = floatData(outputs, 0);
  const [, channels = 0, height = 0, width = 0] = requireRank(dims, 4, meaning);
  return { data, offset: image * channels * height * width, channels, width, height };
}

export function decodeSegmentation(
  outputs: readonly Tensor[],
  image: number,
  geometry: Geometry,
  { classNames, backgroundId }: Pick<SemanticDescription, "classNames" | "backgroundId">,
  { thresholds }: ResolvedScoreOptions,
  decoder: Decoder,
): Promise<ClassMap> {
  const map = denseMap(outputs, image, MEANING);
  const classIds = sourceChannelIds(map.channels, classNames.length, backgroundId);
  return decoder.makeClassMap(map, placementOf(geometry, map), { classIds, background: backgroundId, thresholds });
}

function segmentationFamily(confidence: () => number, resizeModes: ResizeModeRules): SemanticSegmentationFamily {
  return {
    task: "semantic-segmentation",
    files: ["inference_config.json", "class_names.txt"],
    weights: "weights.onnx",
    resizeModes,
    describe({ inferenceConfig, classNames }, network) {
      if (inferenceConfig === null || classNames === null) {
        throw new CorruptedModelPackageError("This architecture needs inference_config.json and class_names.txt.", { kind: "config" });
      }
      const backgroundId = requireBackgroundClass(classNames, { path: "class_names.txt" });
      const plan = compilePreprocessPlan(inferenceConfig, { pipeline: "shared" });
      requireImageInput(network.inputs, inferenceConfig.networkInput.trainingInputSize);
      const [, channels] = requireOutput(network.outputs, 0, 4, MEANING);
      requireChannels(channels, classNames);
      return {
        plan,
        classNames,
        backgroundId,
        maximumDynamicBatch: inferenceConfig.forwardPass.maxDynamicBatchSize,
        acceptsImageSize: true,
        defaults: { confidence: confidence() },
      };
    },
    decode: decodeSegmentation,
    onDevice: {
      kind: "maps",
      obstacle: (_description, outputs) => obstacleToMap(outputs),
      request({ classNames, backgroundId }, outputs, pictures, { thresholds }) {
        const { channels, placements } = placeMaps(outputs, pictures);
        const classes = { classIds: sourceChannelIds(channels, classNames.length, backgroundId), background: backgroundId, thresholds };
        return fitsOnDevice(placements) ? { planes: 0, placements, classes, filter: "triangle" } : null;
      },
      finish: (map) => map as ClassMap,
    },
  };
}

export const deepLab = segmentationFamily(() => configuration().defaults.deepLabV3Plus.confidence, {
  ...LETTERBOX_RULES,
  substitutions: { "fit-longer-edge": { resizeMode: "letterbox", paddingValue: 0 } },
});
export const yolo26 = segmentationFamily(() => configuration().defaults.yolo26.confidence, LETTERBOX_RULES);
