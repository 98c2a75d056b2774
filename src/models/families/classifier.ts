/** Classifiers: one output `[batch, classes]`. Families differ in their settings alone, so a family is data. */
import { configuration } from "../../configuration.js";
import { CorruptedModelPackageError } from "../../errors.js";
import { compilePreprocessPlan } from "../../imaging/index.js";
import type { Tensor, TensorPort } from "../../engines/index.js";
import type { InferenceConfig, ResizeModeRules } from "../../packages/index.js";
import { sigmoid } from "../decoding/index.js";
import type { ClassificationFamily, FamilyDescription, MultiLabelClassificationFamily, ScoreDescription } from "../family.js";
import { LETTERBOX_RULES, STRETCH_RULES } from "./detector.js";
import { floatData, requireClassCount, requireImageInput, requireOutput, requireRank } from "./outputs.js";

const { fround } = Math;
const MEANING = "[batch, classes]";

type Activation = "softmax" | "sigmoid";

/** Whether the activation is part of the graph. */
interface ActivationDescription {
  readonly fused: boolean;
}

/** Logits to class probabilities in place, float32 with the greatest logit subtracted; NaN where a logit is NaN. */
export function softmax(row: Float32Array): Float32Array {
  let greatest = -Infinity;
  for (const logit of row) if (logit > greatest) greatest = logit;
  let sum = 0;
  // Plain loops: with a callback for each of a thousand classes this takes several times as long.
  for (let i = 0; i < row.length; i++) sum = fround(sum + (row[i] = fround(Math.exp(fround((row[i] ?? Number.NaN) - greatest)))));
  for (let i = 0; i < row.length; i++) row[i] = (row[i] ?? Number.NaN) / sum;
  return row;
}

/** One picture's class probabilities, in memory of their own. */
function classProbabilities(outputs: readonly Tensor[], image: number, activation: Activation, fused: boolean): Float32Array {
  const { data, dims } = floatData(outputs, 0);
  const [, classes = 0] = requireRank(dims, 2, MEANING);
  const row = data.slice(image * classes, (image + 1) * classes);
  if (fused) return row;
  return activation === "softmax" ? softmax(row) : row.map(sigmoid);
}

/** Ids of the classes at or above their threshold, ascending; compared in float32. */
function labelsAbove(probabilities: Float32Array, thresholds: Float32Array): Int32Array {
  const threshold = (id: number): number => (thresholds.length === 1 ? thresholds[0] : thresholds[id]) ?? Number.NaN;
  return Int32Array.from([...probabilities.keys()].filter((id) => (probabilities[id] ?? Number.NaN) >= threshold(id)));
}

/**
 * Reads `post_processing.fused`.
 * @param optional whether a package may leave the section out (then nothing is fused).
 * @throws CorruptedModelPackageError
 */
function activationFused({ postProcessing }: Pick<InferenceConfig, "postProcessing">, activation: Activation, optional: boolean): boolean {
  if (postProcessing === null && optional) return false;
  if (postProcessing?.type === activation) return postProcessing.fused;
  throw new CorruptedModelPackageError(
    `inference_config.json declares post_processing ${postProcessing === null ? "not at all" : `of type "${postProcessing.type}"`}; this architecture and task need { "type": "${activation}", "fused": true | false }.`,
    { kind: "config" },
  );
}

interface ClassifierSettings {
  readonly resizeModes: ResizeModeRules;
  /** Whether packages may leave post_processing out. */
  readonly declarationOptional?: boolean;
}

function classifierParts(activation: Activation, { resizeModes, declarationOptional = false }: ClassifierSettings) {
  return {
    files: ["inference_config.json", "class_names.txt"],
    weights: "weights.onnx",
    resizeModes,
    describe(
      { inferenceConfig, classNames }: Parameters<ClassificationFamily["describe"]>[0],
      network: { readonly inputs: readonly TensorPort[]; readonly outputs: readonly TensorPort[] },
    ): FamilyDescription & ActivationDescription {
      if (inferenceConfig === null || classNames === null) {
        throw new CorruptedModelPackageError("This architecture needs inference_config.json and class_names.txt.", { kind: "config" });
      }
      const fused = activationFused(inferenceConfig, activation, declarationOptional);
      const plan = compilePreprocessPlan(inferenceConfig, { pipeline: "shared" });
      requireImageInput(network.inputs, inferenceConfig.networkInput.trainingInputSize);
      const [, classes = null] = requireOutput(network.outputs, 0, 2, MEANING);
      requireClassCount(classes, classNames.length, "second dimension of the output");
      return {
        plan,
        fused,
        classNames,
        maximumDynamicBatch: inferenceConfig.forwardPass.maxDynamicBatchSize,
        acceptsImageSize: true,
      };
    },
  } as const;
}

function singleLabel(settings: ClassifierSettings): ClassificationFamily<FamilyDescription & ActivationDescription> {
  return {
    ...classifierParts("softmax", settings),
    task: "classification",
    decode: async (outputs, image, _geometry, { fused }) => classProbabilities(outputs, image, "softmax", fused),
  };
}

function multiLabel(
  confidence: () => number,
  settings: ClassifierSettings,
): MultiLabelClassificationFamily<ScoreDescription & ActivationDescription> {
  const parts = classifierParts("sigmoid", settings);
  return {
    ...parts,
    task: "multi-label-classification",
    describe: (contents, network) => ({ ...parts.describe(contents, network), defaults: { confidence: confidence() } }),
    decode: async (outputs, image, _geometry, { fused }, { thresholds }) => {
      const probabilities = classProbabilities(outputs, image, "sigmoid", fused);
      return { probabilities, classIds: labelsAbove(probabilities, thresholds) };
    },
  };
}

/** YOLOv8 and YOLOv11. */
export const yoloClassifier = singleLabel({ resizeModes: LETTERBOX_RULES });
/** ViT, ResNet and DINOv3. */
export const stretchClassifier = singleLabel({ resizeModes: STRETCH_RULES });

export const vitMultiLabel = multiLabel(() => configuration().defaults.vitClassifier.confidence, { resizeModes: STRETCH_RULES });
export const resnetMultiLabel = multiLabel(() => configuration().defaults.resnet.confidence, { resizeModes: STRETCH_RULES });
export const dinov3MultiLabel = multiLabel(() => configuration().defaults.dinov3.confidence, {
  resizeModes: STRETCH_RULES,
  declarationOptional: true,
});
