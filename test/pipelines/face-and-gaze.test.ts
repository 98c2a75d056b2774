import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import {
  AutoModel,
  AutoModelPipeline,
  InvalidParameterError,
  ModelPipelineInitializationError,
  type FaceAndGazePipeline,
} from "../../src/index.js";
import { packageRoot } from "../../src/package-root.js";
import { cropRectangle, rectangleWithin } from "../../src/imaging/index.js";
import { blankPicture, constantNetwork, writePackage } from "../support/packages.js";

const ASTRONAUT = join(packageRoot, "assets", "images", "astronaut.jpg");

/** Gives the same two angles for every face. */
function gazePackage(): Promise<string> {
  const outputs = ["yaw", "pitch"].map((name, index) => ({ name, dims: [1, 1], data: Float32Array.of(index === 0 ? 0.5 : -0.25) }));
  return writePackage({
    modelConfig: { model_architecture: "l2cs-net", task_type: "gaze-detection", backend_type: "onnx" },
    inferenceConfig: null,
    classNames: null,
    weights: constantNetwork(outputs, { width: 448, height: 448 }, "batch"),
  });
}

describe("faces and gaze", () => {
  let pipeline: FaceAndGazePipeline;
  beforeAll(async () => {
    pipeline = await AutoModelPipeline.fromPretrained("face-and-gaze-detection", { models: [null, await gazePackage()] });
  });
  afterAll(() => pipeline.close());

  it("says of every face where it looks", async () => {
    const { image, faces, gazes, toJSON } = await pipeline.predict(ASTRONAUT);
    expect(image).toMatchObject({ width: 512, height: 512 });
    expect(faces).toHaveLength(1);
    const { x1, y1, x2, y2 } = faces.detections.at(0)!.box;
    expect(gazes).toMatchObject([{ kind: "gaze", yaw: 0.5, pitch: -0.25, image: { width: x2 - x1, height: y2 - y1 } }]);
    expect(toJSON()).toMatchObject({ faces: { instances: [{}] }, gazes: [{ yaw: 0.5 }] });
    const [withMargin] = await pipeline.predict([ASTRONAUT], { cropMargin: 0.5 });
    expect(withMargin?.gazes[0]?.image.width).toBe(Math.trunc(x2 + (x2 - x1) / 2) - Math.trunc(x1 - (x2 - x1) / 2));
  });

  it("finds nothing where there is nothing", async () => {
    expect(await pipeline.predict(blankPicture(64, 48))).toMatchObject({ faces: { length: 0 }, gazes: [] });
    expect(await pipeline.predict(ASTRONAUT, { confidence: 1 })).toMatchObject({ gazes: [] });
    expect(await pipeline.predict([])).toEqual([]);
  });

  it("refuses wrong options, and stops at the signal", async () => {
    await expect(pipeline.predict(ASTRONAUT, { cropMargin: 2 })).rejects.toThrow(InvalidParameterError);
    await expect(pipeline.predict(ASTRONAUT, { margin: 1 } as never)).rejects.toThrow(/cropMargin/);
    const reason = new Error("enough");
    await expect(pipeline.predict(ASTRONAUT, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });

  it("wants the right models, and closes those that it has loaded when they are not", async () => {
    const gaze = await gazePackage();
    const load = (models: Parameters<typeof AutoModelPipeline.fromPretrained>[1]): Promise<unknown> =>
      AutoModelPipeline.fromPretrained("face-and-gaze-detection", models);
    await expect(load({ models: [gaze, gaze] })).rejects.toThrow(/find faces/);
    await using own = await AutoModel.fromPretrained("mediapipe/face-detector");
    await expect(load({ models: [own, own] })).rejects.toThrow(ModelPipelineInitializationError);
    // It is the caller's.
    expect(own.closed).toBe(false);
    await expect(load({ models: [await writePackage({}), gaze] })).rejects.toThrow(/its task is object-detection/);
  });
});

describe("a rectangle of a picture", () => {
  it("is cut to what lies in the picture", () => {
    const size = { width: 10, height: 8 };
    expect(rectangleWithin(size, -3.9, 2.9, 4.9, 90)).toEqual({ left: 0, top: 2, width: 4, height: 6 });
    expect(rectangleWithin(size, 10, 0, 12, 4)).toBeNull();
    expect(rectangleWithin(size, 4, 4, 4.5, 8)).toBeNull();
    expect(rectangleWithin(size, Number.NaN, 0, 4, 4)).toBeNull();
  });

  it("has the picture's pixels", () => {
    const data = Uint8Array.from({ length: 4 * 3 * 3 }, (_, index) => index);
    const picture = { ...blankPicture(4, 3), data, borrowed: true };
    expect(cropRectangle(picture, { left: 1, top: 1, width: 2, height: 2 })).toEqual({
      data: Uint8Array.of(15, 16, 17, 18, 19, 20, 27, 28, 29, 30, 31, 32),
      width: 2,
      height: 2,
      channels: 3,
      colorFormat: "rgb",
    });
  });
});
