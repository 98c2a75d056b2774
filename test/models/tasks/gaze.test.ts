import { describe, expect, it } from "vitest";

import {
  AutoModel,
  createGaze,
  CorruptedModelPackageError,
  fromTransferable,
  InvalidParameterError,
  toTransferable,
} from "../../../src/index.js";
import type { GazeDetectionModel } from "../../../src/index.js";
import { annotate } from "../../../src/results/drawing/index.js";
import { blankPicture, constantNetwork, writePackage } from "../../support/packages.js";

const SIZE = { width: 448, height: 448 };

function gazePackage(dims: readonly number[], count = 2): Promise<string> {
  const outputs = [
    { name: "yaw", dims, data: Float32Array.of(0.5) },
    { name: "pitch", dims, data: Float32Array.of(-0.25) },
  ].slice(0, count);
  return writePackage({
    modelConfig: { model_architecture: "l2cs-net", task_type: "gaze-detection", backend_type: "onnx" },
    inferenceConfig: null,
    classNames: null,
    weights: constantNetwork(outputs, SIZE, "batch"),
  });
}

describe("gaze", () => {
  it("is two angles for every picture", async () => {
    await using model = (await AutoModel.fromPretrained(await gazePackage([1, 1]))) as GazeDetectionModel;
    const [first, second] = await model.predict([blankPicture(30, 40), blankPicture(50, 60)]);
    expect(first).toMatchObject({ kind: "gaze", yaw: 0.5, pitch: -0.25, image: { width: 30 } });
    expect(second?.degrees.yaw).toBeCloseTo(28.648, 3);
    expect(first?.toJSON()).toMatchObject({ kind: "gaze", yaw: 0.5, pitch: -0.25 });
    expect(model.info.batchSize.maximum).toBe(8);
  });

  it("needs both outputs", async () => {
    await expect(AutoModel.fromPretrained(await gazePackage([1, 1], 1))).rejects.toThrow(CorruptedModelPackageError);
  });

  const image = { width: 100, height: 100, exifOrientation: 1, orientationApplied: false };
  it("crosses a worker's border, and is checked", () => {
    const { data, transferList } = toTransferable(createGaze({ image, yaw: 1, pitch: 2 }));
    expect(transferList).toEqual([]);
    expect(fromTransferable(structuredClone(data))).toMatchObject({ yaw: 1, pitch: 2 });
    expect(() => createGaze({ image, yaw: "1" as unknown as number, pitch: 2 })).toThrow(InvalidParameterError);
  });

  it("is drawn as an arrow towards where the face looks", async () => {
    const { data } = await annotate(blankPicture(100, 100), createGaze({ image, yaw: -Math.PI / 2, pitch: 0 }));
    const changed = (x: number, y: number): boolean => [0, 1, 2].some((channel) => data[(y * 100 + x) * 3 + channel] !== 128);
    expect([changed(20, 50), changed(80, 50), changed(50, 20)]).toEqual([true, false, false]);
  });
});
