import { describe, expect, it } from "vitest";

import { AutoModel, CorruptedModelPackageError } from "../../../src/index.js";
import type { DepthEstimationModel, SemanticSegmentationModel } from "../../../src/index.js";
import { blankPicture, constantNetwork, inferenceConfig, writePackage } from "../../support/packages.js";

const SIZE = { width: 64, height: 64 };
/** Class 1 in the left half, class 0 in the right one; as many channels as asked for. */
function logits(channels: number): Float32Array {
  return Float32Array.from({ length: channels * 64 }, (_, index) => {
    const [channel, left] = [Math.trunc(index / 64), index % 8 < 4];
    return channel === (left ? 1 : 0) ? 6 : 0;
  });
}

function segmentationPackage(architecture: string, channels: number, classNames: readonly string[]): Promise<string> {
  return writePackage({
    modelConfig: { model_architecture: architecture, task_type: "semantic-segmentation", backend_type: "onnx" },
    inferenceConfig: inferenceConfig({ postProcessing: null }),
    classNames,
    weights: constantNetwork([{ name: "logits", dims: [1, channels, 8, 8], data: logits(channels) }], SIZE),
  });
}

describe.each(["auto", "reference"] as const)("semantic segmentation, executor %s", (executor) => {
  it.each(["deep-lab-v3-plus", "yolo26"])("%s gives a class for every pixel of the picture", async (architecture) => {
    const directory = await segmentationPackage(architecture, 3, ["Background", "road", "car"]);
    await using model = (await AutoModel.fromPretrained(directory, { executor })) as SemanticSegmentationModel;
    const result = await model.predict(blankPicture(40, 20));
    expect(result).toMatchObject({ kind: "semantic-segmentation", width: 40, height: 20, backgroundId: 0 });
    expect([...result.pixelsPerClass()]).toEqual([400, 400, 0]);
    expect([result.classAt(2, 10), result.classAt(38, 10)]).toEqual([1, 0]);
    expect(result.confidence[10 * 40 + 2]).toBeGreaterThan(0.95);
    expect(model.backgroundId).toBe(0);
  });

  it("reports networks without a channel for the background by the ids of the whole list", async () => {
    const directory = await segmentationPackage("yolo26", 2, ["road", "background", "car"]);
    await using model = (await AutoModel.fromPretrained(directory, { executor })) as SemanticSegmentationModel;
    const result = await model.predict(blankPicture(40, 20));
    expect([result.classAt(2, 10), result.classAt(38, 10)]).toEqual([2, 0]);
  });
});

it.each([
  ["no background", 3, ["a", "b", "c"]],
  ["another number of channels", 3, ["background", "a"]],
])("segmentation packages with %s are refused", async (_, channels, names) => {
  await expect(AutoModel.fromPretrained(await segmentationPackage("yolo26", channels, names))).rejects.toThrow(CorruptedModelPackageError);
});

describe("depth estimation", () => {
  const values = Float32Array.from({ length: 64 }, (_, index) => index % 8);
  it.each([
    ["[batch, 1, height, width]", [1, 1, 8, 8], "yolo26", "meters"],
    ["[batch, height, width]", [1, 8, 8], "yolo26", "meters"],
    ["relative values", [1, 1, 8, 8], "depth-anything-v2", "relative"],
  ])("reads %s", async (_, dims, architecture, unit) => {
    const directory = await writePackage({
      modelConfig: { model_architecture: architecture, task_type: "depth-estimation", backend_type: "onnx" },
      inferenceConfig: inferenceConfig({ postProcessing: null }),
      classNames: null,
      weights: constantNetwork([{ name: "depth", dims, data: values }], SIZE),
    });
    await using model = (await AutoModel.fromPretrained(directory)) as DepthEstimationModel;
    const result = await model.predict(blankPicture(8, 4));
    expect(result).toMatchObject({ kind: "depth", width: 8, height: 4, unit });
    expect([...result.values.subarray(0, 8)]).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  });
});
