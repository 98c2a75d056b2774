import { join } from "node:path";

import { AutoModel, type AnyModel } from "../../src/index.js";
import { createInferenceSession } from "../../src/engines/index.js";
import { inferenceConfig, writePackage } from "../../test/support/packages.js";
import { perfFixture, pixels } from "../fixtures.js";
import { alternate, ratio, type Case, type CaseResult, type Variant } from "../measure.js";
import { patchDetector, residualClassifier } from "../networks.js";

interface Comparison {
  readonly directory: string;
  /** Side of the network's input. */
  readonly side: number;
  readonly bound: number;
  /** What is measured beside the network alone. The first one is claimed. */
  readonly predictions: (model: AnyModel, picture: Awaited<ReturnType<typeof pixels>>) => readonly Variant[];
  readonly quick: boolean;
}

/** All that a prediction of a 1280x720 picture in memory adds to its network. */
export async function beside({ directory, side, bound, predictions, quick }: Comparison): Promise<CaseResult> {
  const picture = await pixels(perfFixture("photo_1280x720.png"), "bgr");
  await using model = await AutoModel.fromPretrained(directory);
  await using session = await createInferenceSession(join(directory, "weights.onnx"));
  const data = session.allocateInput(3 * side * side).fill(0.5);
  const feed = { [session.inputs[0]?.name ?? ""]: { type: "float32", dims: [1, 3, side, side], data } } as const;
  const variants = predictions(model, picture);
  const measurements = await alternate([["bare ONNX Runtime run", () => session.run(feed)], ...variants], quick ? 10 : 40);
  const value = ratio(measurements, variants[0]?.[0] ?? "", "bare ONNX Runtime run");
  return { measurements, claims: [{ text: "predict / bare run", value, comparison: "<=", bound }] };
}

const NORMALIZATION = [
  [0.485, 0.456, 0.406],
  [0.229, 0.224, 0.225],
];

export const prediction: Case = {
  name: "predict YOLOv8n 640, 1280x720 picture in memory",
  run: async (quick) =>
    beside({
      directory: perfFixture("yolov8n-640-busy"),
      side: 640,
      bound: 1.05,
      predictions: (model, picture) => [["predict", () => model.predict(picture)]],
      quick,
    }),
};

export const classification: Case = {
  name: "predict ResNet-18 224 (random weights), 1280x720 picture in memory",
  run: async (quick) =>
    beside({
      directory: await writePackage({
        modelConfig: { model_architecture: "resnet", task_type: "classification", backend_type: "onnx" },
        inferenceConfig: inferenceConfig({
          networkInput: { training_input_size: { width: 224, height: 224 }, normalization: NORMALIZATION },
          postProcessing: { type: "softmax", fused: false },
        }),
        classNames: Array.from({ length: 1000 }, (_, index) => `class ${index}`),
        weights: residualClassifier(1000),
      }),
      side: 224,
      bound: 1.05,
      predictions: (model, picture) => [["predict", () => model.predict(picture)]],
      quick,
    }),
};

export const queriesDetection: Case = {
  name: "predict RF-DETR nano 384 (linear layers only, random weights), 1280x720 picture in memory",
  run: async (quick) =>
    beside({
      directory: await writePackage({
        modelConfig: { model_architecture: "rfdetr", task_type: "object-detection", backend_type: "onnx" },
        inferenceConfig: inferenceConfig({
          networkInput: { training_input_size: { width: 384, height: 384 }, normalization: NORMALIZATION },
          postProcessing: null,
        }),
        classNames: Array.from({ length: 91 }, (_, index) => `class ${index}`),
        weights: patchDetector(91),
      }),
      side: 384,
      bound: 1.05,
      predictions: (model, picture) => [["predict", () => model.predict(picture)]],
      quick,
    }),
};
