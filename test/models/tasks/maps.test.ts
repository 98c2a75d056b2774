import { describe, expect, it } from "vitest";

import { AutoModel, CorruptedModelPackageError } from "../../../src/index.js";
import type { DepthEstimationModel, RawPixels, SemanticSegmentationModel } from "../../../src/index.js";
import { buildModel } from "../../support/onnx-graphs.js";
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

/** As large as Depth Anything's network: sides in patches of 14; the depth of a patch is the mean of its normalised values. */
function patchNetwork(batch: number | string, height: number | string, width: number | string): Uint8Array {
  return buildModel({
    inputs: [{ name: "pixel_values", type: "float32", dims: [batch, 3, height, width] }],
    outputs: [{ name: "predicted_depth", type: "float32", dims: [batch, height, width] }],
    nodes: [
      {
        op: "AveragePool",
        inputs: ["pixel_values"],
        outputs: ["patches"],
        attributes: { kernel_shape: { ints: [14, 14] }, strides: { ints: [14, 14] } },
      },
      { op: "ReduceMean", inputs: ["patches"], outputs: ["means"], attributes: { axes: { ints: [1] }, keepdims: { int: 1 } } },
      {
        op: "Resize",
        inputs: ["means", "", "scales"],
        outputs: ["large"],
        attributes: {
          mode: { string: "nearest" },
          coordinate_transformation_mode: { string: "asymmetric" },
          nearest_mode: { string: "floor" },
        },
      },
      { op: "Squeeze", inputs: ["large", "axis"], outputs: ["predicted_depth"] },
    ],
    initializers: [
      { name: "scales", dims: [4], data: Float32Array.of(1, 1, 14, 14) },
      { name: "axis", dims: [1], data: BigInt64Array.of(1n) },
    ],
  });
}

const ANY_PATCHES = { dynamic_spatial_size_supported: true, dynamic_spatial_size_mode: { type: "pad-to-be-divisible", value: 14 } };

function depthAnythingPackage(networkInput: object, weights: Uint8Array): Promise<string> {
  return writePackage({
    modelConfig: { model_architecture: "depth-anything-v2", task_type: "depth-estimation", backend_type: "onnx" },
    inferenceConfig: inferenceConfig({
      postProcessing: null,
      networkInput: {
        training_input_size: { width: 56, height: 56 },
        normalization: [
          [0.485, 0.456, 0.406],
          [0.229, 0.224, 0.225],
        ],
        ...networkInput,
      },
    }),
    classNames: null,
    weights,
  });
}

describe.each(["auto", "reference"] as const)("depth of Depth Anything, executor %s", (executor) => {
  const load = async (directory: string): Promise<DepthEstimationModel> =>
    (await AutoModel.fromPretrained(directory, { executor })) as DepthEstimationModel;
  /** Black on the left, white on the right. */
  const halves = (width: number, height: number): RawPixels => ({
    data: Uint8Array.from({ length: width * height }, (_, index) => (index % width < width / 2 ? 0 : 255)),
    width,
    height,
    channels: 1,
    colorFormat: "rgb",
  });
  const black = (-0.485 / 0.229 - 0.456 / 0.224 - 0.406 / 0.225) / 3;
  const white = (0.515 / 0.229 + 0.544 / 0.224 + 0.594 / 0.225) / 3;

  it("takes pictures in their shape, whole patches each, and gives maps of their size", async () => {
    await using model = await load(await depthAnythingPackage(ANY_PATCHES, patchNetwork("batch", "height", "width")));
    const { tensors } = await model.stages.preprocess([halves(80, 40), halves(30, 60)]);
    expect(tensors.map(({ dims }) => dims)).toEqual([
      [1, 3, 28, 56],
      [1, 3, 56, 28],
    ]);
    const [wide, tall] = await model.predict([halves(80, 40), halves(30, 60)]);
    expect(wide).toMatchObject({ kind: "depth", width: 80, height: 40, unit: "relative" });
    expect(tall).toMatchObject({ width: 30, height: 60 });
    expect(wide?.values[20 * 80 + 2]).toBeCloseTo(black, 2);
    expect(wide?.values[20 * 80 + 77]).toBeCloseTo(white, 2);
    const larger = await model.stages.preprocess([halves(80, 40)], { imageSize: 100 });
    expect(larger.tensors[0]?.dims).toEqual([1, 3, 56, 112]);
  });

  it("stretches pictures for a network of one size, many at a time", async () => {
    const config = { dynamic_spatial_size_supported: false };
    await using model = await load(await depthAnythingPackage(config, patchNetwork("batch", 56, 56)));
    const { tensors } = await model.stages.preprocess([halves(80, 40), halves(30, 60)]);
    expect(tensors.map(({ dims }) => dims)).toEqual([[2, 3, 56, 56]]);
    const { values } = await model.predict(halves(80, 40));
    expect([values.length, values[0]! < 0, values[79]! > 0]).toEqual([3200, true, true]);
  });
});

it.each([
  ["sides that are no patches", { training_input_size: { width: 60, height: 56 } }, patchNetwork("batch", "height", "width")],
  ["any size at all", { ...ANY_PATCHES, dynamic_spatial_size_mode: { type: "any-size" } }, patchNetwork("batch", "height", "width")],
  ["free sides that the network has not", ANY_PATCHES, patchNetwork("batch", 56, 56)],
  ["free sides in batches", ANY_PATCHES, patchNetwork(2, "height", "width")],
  ["letterboxes", { resize_mode: "letterbox" }, patchNetwork("batch", 56, 56)],
])("Depth Anything packages with %s are refused", async (_, networkInput, weights) => {
  await expect(AutoModel.fromPretrained(await depthAnythingPackage(networkInput, weights))).rejects.toThrow(CorruptedModelPackageError);
});
