import { afterEach, describe, expect, it } from "vitest";

import { AutoModel, CorruptedModelPackageError, type KeyPointModel } from "../../../src/index.js";
import { blankPicture, constantNetwork, inferenceConfig, writePackage, type KnownOutput } from "../../support/packages.js";

const SIZE = { width: 64, height: 64 };

/** A cat has two points, a dog three: there are three slots. */
const KEY_POINTS = [
  { object_class_id: 0, keypoints: { "0": "nose", "1": "tail" }, edges: [{ from: 0, to: 1 }] },
  { object_class_id: 1, keypoints: { "0": "nose", "1": "back", "2": "tail" }, edges: [{ from: 1, to: 2 }] },
];

/** The cat's third point is none that cats have; the dog's second is unsure, its third outside the picture. */
const CAT = { box: [8, 8, 16, 16], corners: [0, 0, 16, 16], scores: [0.6, 0.2], classId: 0, points: [4, 4, 0.9, 12, 4, 0.8, 1, 1, 0.9] };
const DOG = {
  box: [32, 32, 32, 32],
  corners: [16, 16, 48, 48],
  scores: [0.1, 0.9],
  classId: 1,
  points: [20, 20, 0.9, 30, 30, 0.2, 70, 30, 0.7],
};

const logit = (probability: number): number => Math.log(probability / (1 - probability));
const output = (name: string, dims: readonly number[], numbers: readonly number[]): KnownOutput => ({
  name,
  dims,
  data: Float32Array.from(numbers),
});
const anchors = [DOG, CAT].map(({ box, scores, points }) => [...box, ...scores, ...points]);
const columns = (anchors[0] ?? []).flatMap((_, attribute) => anchors.map((row) => row[attribute] ?? 0));
const endToEnd = [DOG, CAT].flatMap(({ corners, scores, classId, points }) => [...corners, scores[classId] ?? 0, classId, ...points]);

/** Each query's points in both class columns. A precision of 1/2 pixel (32 in fractions of 64): log 32 on the diagonal. */
function detrPoints(): number[] {
  return [DOG, CAT].flatMap(({ points }) =>
    [0, 1].flatMap(() =>
      [0, 1, 2].flatMap((slot) => {
        const [x = 0, y = 0, confidence = 0] = points.slice(3 * slot, 3 * slot + 3);
        return [x / SIZE.width, y / SIZE.height, logit(confidence), 0, Math.log(32), 0, Math.log(32), 0];
      }),
    ),
  );
}

const RFDETR = [
  output(
    "dets",
    [1, 2, 4],
    [DOG, CAT].flatMap(({ box }) => box.map((value) => value / SIZE.width)),
  ),
  output(
    "labels",
    [1, 2, 2],
    [DOG, CAT].flatMap(({ scores }) => scores.map(logit)),
  ),
  output("keypoints", [1, 2, 6, 8], detrPoints()),
];

const opened: KeyPointModel[] = [];
afterEach(async () => {
  for (const model of opened.splice(0)) await model.close();
});

async function load(
  architecture: string,
  outputs: readonly KnownOutput[],
  fused = false,
  keyPoints: object = KEY_POINTS,
): Promise<KeyPointModel> {
  const folder = await writePackage({
    modelConfig: { model_architecture: architecture, task_type: "keypoint-detection", backend_type: "onnx" },
    inferenceConfig: inferenceConfig({ postProcessing: { type: "nms", fused } }),
    weights: constantNetwork(outputs, SIZE),
    keyPoints,
  });
  const model = await AutoModel.fromPretrained(folder);
  if (model.task !== "keypoint-detection") throw new Error("expected a model of key points");
  opened.push(model);
  return model;
}

const RAW = [output("output0", [1, 15, 2], columns)];
const ROWS = [output("output0", [1, 2, 15], endToEnd)];

describe("key points", () => {
  it.each([
    ["yolov8", RAW, false],
    ["yolov11", ROWS, true],
    ["yolo26", ROWS, false],
  ] as const)("of %s come back to the picture, those that are unsure or of no class as nothing", async (architecture, outputs, fused) => {
    const model = await load(architecture, outputs, fused);
    expect(model.skeletons.map(({ name, points }) => [name, points.length])).toEqual([
      ["cat", 2],
      ["dog", 3],
    ]);
    const result = await model.predict(blankPicture(128, 64), { keyPointThreshold: 0.3 });
    expect([...result.detections.xyxy]).toEqual([32, 16, 96, 48, 0, 0, 32, 16]);
    // Twice as wide as the network. What lies outside the picture stays there.
    expect([...result.xy]).toEqual([40, 20, 0, 0, 140, 30, 8, 4, 24, 4, 0, 0]);
    expect(Array.from(result.confidence, (value) => Math.round(value * 10))).toEqual([9, 0, 7, 9, 8, 0]);
    expect(result.covariance).toBeNull();
    expect(result.at(1)!.points.map(({ name }) => name)).toEqual(["nose", "tail"]);
  });

  it("of RF-DETR end at the picture's borders and know how sure they are", async () => {
    const model = await load("rfdetr", RFDETR);
    const result = await model.predict(blankPicture(128, 64), { confidence: 0.5 });
    expect(result.detections.classId[0]).toBe(1);
    expect([...result.xy.subarray(0, 6)]).toEqual([40, 20, 0, 0, 128, 30]);
    // 1/32 of the network's width is 2 of its pixels: 4 of the picture's, and 2 of its height's.
    expect(Array.from(result.covariance!.subarray(0, 4), (value) => Math.round(value * 1000) / 1000)).toEqual([16, -0, -0, 4]);
    expect(result.covariance!.subarray(4, 8).every(Number.isNaN)).toBe(true);
    // Precise points lift the score of their instance above that of its class alone: s / (1 + s) with s larger than 0.9.
    expect(result.detections.confidence[0]).toBeGreaterThan(0.6);
  });

  it("keep all points of a class without a threshold", async () => {
    const model = await load("yolov8", RAW);
    const result = await model.predict(blankPicture(64, 64));
    expect(Array.from(result.confidence, (value) => Math.round(value * 10))).toEqual([9, 2, 7, 9, 8, 0]);
    expect(await model.predict(blankPicture(64, 64), { confidence: 0.95 })).toHaveLength(0);
  });

  it("are refused where network and description do not belong together", async () => {
    await expect(load("yolov8", [output("output0", [1, 14, 2], new Array<number>(28).fill(0))])).rejects.toThrow(
      CorruptedModelPackageError,
    );
    await expect(load("yolo26", [output("output0", [1, 2, 12], new Array<number>(24).fill(0))])).rejects.toThrow(/12 columns/);
    await expect(load("rfdetr", RFDETR.slice(0, 2))).rejects.toThrow(/output 2/);
    await expect(load("yolov8", RAW, false, [])).rejects.toThrow(/at least one class/);
  });
});
