import { describe, expect, it } from "vitest";

import { AutoModel, CorruptedModelPackageError, InvalidOptionError } from "../../../src/index.js";
import type { AnyModel, AutoModelOptions } from "../../../src/index.js";
import { softmax } from "../../../src/models/families/classifier.js";
import { blankPicture, constantNetwork, inferenceConfig, writePackage } from "../../support/packages.js";

const LOGITS = Float32Array.of(1, 3, 2);
const NAMES = ["cat", "dog", "bird"];

async function load<Task extends AnyModel["task"]>(
  architecture: string,
  task: Task,
  postProcessing: object | null,
  options: AutoModelOptions = {},
  classNames = NAMES,
): Promise<Extract<AnyModel, { readonly task: Task }>> {
  const directory = await writePackage({
    modelConfig: { model_architecture: architecture, task_type: task, backend_type: "onnx" },
    inferenceConfig: inferenceConfig({ postProcessing }),
    classNames,
    weights: constantNetwork([{ name: "scores", dims: [1, 3], data: LOGITS }], { width: 64, height: 64 }),
  });
  const model = await AutoModel.fromPretrained(directory, options);
  return model as Extract<AnyModel, { readonly task: Task }>;
}

describe("classifiers", () => {
  it.each(["yolov8", "yolov11", "vit", "resnet", "dinov3_probe"])("%s gives the distribution over its classes", async (architecture) => {
    await using model = await load(architecture, "classification", { type: "softmax", fused: false });
    const result = await model.predict(blankPicture(40, 30));
    expect(result).toMatchObject({ kind: "classification", className: "dog", image: { width: 40, height: 30 } });
    expect([...result.probabilities].reduce((sum, p) => sum + p, 0)).toBeCloseTo(1, 6);
    expect(result.confidence).toBeCloseTo(Math.exp(3) / (Math.exp(1) + Math.exp(2) + Math.exp(3)), 6);
    expect(result.servedBy).toMatchObject({ architecture });
  });

  it("leave probabilities alone that the graph has made", async () => {
    await using model = await load("vit", "classification", { type: "softmax", fused: true });
    expect([...(await model.predict(blankPicture(8, 8))).probabilities]).toEqual([1, 3, 2]);
  });

  it("answer a list with one result for each picture", async () => {
    await using model = await load("resnet", "classification", { type: "softmax", fused: false });
    expect(await model.predict([blankPicture(8, 8), blankPicture(9, 9)])).toHaveLength(2);
    expect(await model.predict([])).toEqual([]);
  });

  it.each([
    ["another activation", { type: "sigmoid", fused: false }],
    ["none", null],
  ])("refuse packages that declare %s", async (_, declared) => {
    await expect(load("resnet", "classification", declared)).rejects.toThrow(CorruptedModelPackageError);
  });

  it("refuse a class list of another length", async () => {
    await expect(load("vit", "classification", { type: "softmax", fused: false }, {}, ["cat"])).rejects.toThrow(/3 classes/);
  });

  it("have no threshold", async () => {
    await using model = await load("vit", "classification", { type: "softmax", fused: false });
    await expect(model.predict(blankPicture(8, 8), { confidence: 0.5 } as object)).rejects.toThrow(InvalidOptionError);
  });
});

describe("classifiers with several labels", () => {
  const labels = async (confidence: number | "best" | "default" | undefined, options: AutoModelOptions = {}, architecture = "vit") => {
    await using model = await load(architecture, "multi-label-classification", { type: "sigmoid", fused: false }, options);
    const result = await model.predict(blankPicture(8, 8), confidence === undefined ? {} : { confidence });
    return result.labels.map(({ className }) => className);
  };

  it("report every class at or above its threshold", async () => {
    const sigmoid = (x: number): number => Math.fround(1 / (1 + Math.exp(-x)));
    expect(await labels(undefined)).toEqual(NAMES);
    expect(await labels(0.8)).toEqual(["dog", "bird"]);
    expect(await labels(sigmoid(2))).toEqual(["dog", "bird"]);
    expect(await labels(1)).toEqual([]);
  });

  it("follow recommendations for each class when asked to", async () => {
    const options = { recommendedParameters: { confidence: 0.9, perClassConfidence: { cat: 0.7, bird: 0.99 } } };
    expect(await labels("best", options)).toEqual(["cat", "dog"]);
    expect(await labels("default", options)).toEqual(NAMES);
  });

  it("may leave the declaration out in DINOv3 packages alone", async () => {
    await using model = await load("dinov3_probe", "multi-label-classification", null);
    expect((await model.predict(blankPicture(8, 8))).classIds).toHaveLength(3);
    await expect(load("vit", "multi-label-classification", null)).rejects.toThrow(CorruptedModelPackageError);
  });
});

describe("softmax", () => {
  it("survives logits whose exponential does not fit", () => {
    expect([...softmax(Float32Array.of(1000, 1000, -1000))]).toEqual([0.5, 0.5, 0]);
  });
});
