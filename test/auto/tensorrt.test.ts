/** A package with a TensorRT engine behind AutoModel, on the stand-ins: its network returns the first pixels of each picture. */
import { unlinkSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it, vi } from "vitest";

import { AutoModel, type AutoModelOptions, type Detections, type ObjectDetectionModel } from "../../src/index.js";
import { CorruptedModelPackageError, ModelRuntimeError, TensorRtError } from "../../src/errors.js";
import { setLogger } from "../../src/logger.js";
import { TensorRtEngine } from "../../src/engines/index.js";
import { loadAddon } from "../../src/native/index.js";
import { fakePlan, nvidiaFakes } from "../support/nvidia-fakes.js";
import {
  DYNAMIC_BATCH as DYNAMIC,
  ENGINE_LINES as LINES,
  HALF_IMAGES,
  IMAGES,
  noisePicture,
  planOf,
  writeEnginePackage,
} from "../support/engine-packages.js";
import { blankPicture, inferenceConfig } from "../support/packages.js";
import { loadBoth, useStandIns } from "../support/stand-ins.js";

const fakes = loadAddon() === null ? null : nvidiaFakes();
/** Heads of ten candidates, queries or rows, with two classes each. */
const HEADS: readonly (readonly [architecture: string, outputs: readonly string[], images: string])[] = [
  ["yolov5", ["out output0 0 3 -1 10 7"], IMAGES],
  ["yolov8", ["out output0 0 3 -1 6 10"], IMAGES],
  ["yolov8", ["out output0 1 3 -1 6 10"], HALF_IMAGES],
  ["yolov10", ["out output0 0 3 -1 10 6"], IMAGES],
  ["yolov12", ["out output0 0 3 -1 6 10"], IMAGES],
  ["yolo26", ["out output0 1 3 -1 10 6"], HALF_IMAGES],
  ["yolonas", ["out boxes 0 3 -1 10 4", "out scores 0 3 -1 10 2 at 40"], IMAGES],
  ["rfdetr", ["out dets 0 3 -1 10 4", "out labels 0 3 -1 10 3 at 40"], IMAGES],
  ["rfdetr", ["out dets 1 3 -1 10 4", "out labels 1 3 -1 10 3 at 40"], HALF_IMAGES],
];

async function load(directory: string, options: AutoModelOptions = {}): Promise<ObjectDetectionModel> {
  return (await AutoModel.fromPretrained(directory, options)) as ObjectDetectionModel;
}

describe.skipIf(fakes === null)("a package with a TensorRT engine", () => {
  useStandIns(fakes);

  afterEach(() => {
    vi.restoreAllMocks();
  });

  it("predicts, in batches that the engine was built for", async () => {
    await using model = await load(await writeEnginePackage(DYNAMIC));
    expect(model.info).toMatchObject({
      backend: "trt",
      engine: "tensorrt",
      engineVersion: "10.15.1.1",
      device: "cuda:0",
      batchSize: { minimum: 2, maximum: 4 },
    });
    const results = await model.predict([255, 0, 255, 0, 255].map((value) => blankPicture(64, 64, value)));
    expect(results.map(({ confidence }) => confidence.length)).toEqual([10, 0, 10, 0, 10]);
    expect([...results[4]!].map(({ className }) => className)).toEqual(Array(10).fill("dog"));
    expect(results[0]!.servedBy).toMatchObject({ backend: "trt", engine: "tensorrt", device: "cuda:0" });
    expect((await model.predict(blankPicture(32, 32, 255))).confidence.length).toBe(10);
  });

  it("has the device prepare pictures, with the same results", async () => {
    const directory = await writeEnginePackage(DYNAMIC);
    await using onCpu = await load(directory);
    const loading = vi.spyOn(TensorRtEngine, "load");
    await using onDevice = await load(directory, { executor: "cuda" });
    const tensors = vi.spyOn((await loading.mock.results[0]!.value) as TensorRtEngine, "run");
    expect(onCpu.info.preprocessExecutor).toBe("cpu");
    expect(onDevice.info.preprocessExecutor).toBe("cuda");
    // Of several sizes, more than one batch, one batch with a place left.
    const pictures = [64, 200, 31, 64, 77].map((side, index) => noisePicture(side, side + 40, index));
    const columns = (results: readonly Detections[]) => results.map(({ xyxy, confidence, classId }) => ({ xyxy, confidence, classId }));
    for (let round = 0; round < 3; round += 1) {
      const expected = columns(await onCpu.predict(pictures, { confidence: 0 }));
      expect(expected.some(({ confidence }) => confidence.length > 0)).toBe(true);
      expect(columns(await onDevice.predict(pictures, { confidence: 0 }))).toEqual(expected);
    }
    expect((await onDevice.predict(pictures[0]!)).servedBy?.preprocessExecutor).toBe("cuda");
    expect(tensors).not.toHaveBeenCalled();
    // Stages hand out tensors, which the CPU prepares.
    const prepared = await onDevice.stages.preprocess(pictures);
    expect(prepared.tensors.map(({ dims }) => dims[0])).toEqual([4, 2]);
    const raw = await onDevice.stages.forward(prepared);
    expect(columns(await onDevice.stages.postprocess(raw, prepared, { confidence: 0 }))).toEqual(
      columns(await onCpu.predict(pictures, { confidence: 0 })),
    );
    await expect(onDevice.predict(pictures, { signal: AbortSignal.abort(new Error("enough")) })).rejects.toThrow("enough");
  });

  describe("whose head is decoded on the device", () => {
    const columns = (results: readonly Detections[]) => results.map(({ xyxy, confidence, classId }) => ({ xyxy, confidence, classId }));

    it.each(HEADS)("of %s, with the same results", async (architecture, outputs, images) => {
      const directory = await writeEnginePackage(DYNAMIC, planOf(outputs, images), inferenceConfig(), architecture);
      const both = await loadBoth<ObjectDetectionModel>(directory);
      const { engine, downloads } = both;
      await using onCpu = both.onCpu;
      await using onDevice = both.onDevice;
      expect(onCpu.info.decodeExecutor).not.toBe("cuda");
      expect(onDevice.info).toMatchObject({ preprocessExecutor: "cuda", decodeExecutor: "cuda" });
      const pictures = [64, 200, 31, 64, 77].map((side, index) => noisePicture(side, side + 40, index));
      let found = 0;
      for (const options of [
        {},
        { confidence: 0 },
        { confidence: 0.6 },
        { confidence: 0, iouThreshold: 0.05, maxDetections: 3 },
        { confidence: 0, classAgnosticNms: true, rounding: "none" },
        { confidence: "best" },
      ] as const) {
        const expected = columns(await onCpu.predict(pictures, options));
        found += expected.reduce((sum, { confidence }) => sum + confidence.length, 0);
        // Several in flight, and the later ones as graphs.
        const rounds = await Promise.all(Array.from({ length: 4 }, () => onDevice.predict(pictures, options)));
        for (const round of rounds) expect(columns(round)).toEqual(expected);
      }
      expect(found).toBeGreaterThan(50);
      expect((await onDevice.predict(pictures[0]!)).servedBy?.decodeExecutor).toBe("cuda");
      expect(engine.statistics().graphLaunches).toBeGreaterThan(10);
      for (const spy of downloads) expect(spy).not.toHaveBeenCalled();
      // Stages hand out tensors, and decode those that they are given.
      const prepared = await onDevice.stages.preprocess(pictures);
      const raw = await onDevice.stages.forward(prepared);
      expect(raw[0]).toHaveLength(outputs.length);
      expect(columns(await onDevice.stages.postprocess(raw, prepared, { confidence: 0 }))).toEqual(
        columns(await onCpu.predict(pictures, { confidence: 0 })),
      );
      await expect(onDevice.predict(pictures, { signal: AbortSignal.abort(new Error("enough")) })).rejects.toThrow("enough");
    });

    it("also behind pictures that the CPU has to prepare", async () => {
      const config = { ...inferenceConfig(), image_pre_processing: { contrast: { enabled: true, type: "Contrast Stretching" } } };
      const directory = await writeEnginePackage(DYNAMIC, planOf(["out output0 0 3 -1 6 10"]), config, "yolov8");
      await using onCpu = await load(directory);
      await using onDevice = await load(directory, { executor: "cuda" });
      const pictures = [noisePicture(90, 50, 3), noisePicture(64, 64, 4), noisePicture(20, 20, 5)];
      const [expected, found] = [await onCpu.predict(pictures, { confidence: 0 }), await onDevice.predict(pictures, { confidence: 0 })];
      expect(expected[0]!.confidence.length).toBeGreaterThan(0);
      expect(columns(found)).toEqual(columns(expected));
    });

    it("unless it cannot be", async () => {
      const told: string[] = [];
      const ignore = (): void => undefined;
      setLogger({ debug: ignore, info: (message) => told.push(message), warn: ignore, error: ignore });
      await using model = await load(await writeEnginePackage(DYNAMIC, planOf(["out output0 0 3 -1 -2 6"])), { executor: "cuda" });
      setLogger(null);
      expect(model.info).toMatchObject({ preprocessExecutor: "cuda", decodeExecutor: "cpu" });
      expect(told.join("\n")).toMatch(/output 0 "output0", \[.*\], has as many rows as the network finds/);
      expect((await model.predict(noisePicture(64, 64, 1), { confidence: 0.99 })).length).toBe(0);
    });
  });

  it("leaves contrast enhancement to the CPU", async () => {
    const config = { ...inferenceConfig(), image_pre_processing: { contrast: { enabled: true, type: "Contrast Stretching" } } };
    const directory = await writeEnginePackage(DYNAMIC, undefined, config);
    await using onCpu = await load(directory);
    await using onDevice = await load(directory, { executor: "cuda" });
    const picture = noisePicture(90, 50, 3);
    const [expected, found] = [await onCpu.predict(picture, { confidence: 0 }), await onDevice.predict(picture, { confidence: 0 })];
    expect(expected.confidence.length).toBeGreaterThan(0);
    expect(found.confidence).toEqual(expected.confidence);
    // Without the step the device takes over.
    const plain = { confidence: 0, preprocessing: { contrast: false } };
    expect((await onDevice.predict(picture, plain)).xyxy).toEqual((await onCpu.predict(picture, plain)).xyxy);
  });

  it("keeps to the device it was told", async () => {
    const directory = await writeEnginePackage(DYNAMIC);
    await expect(load(directory, { device: "cpu" })).rejects.toThrow(ModelRuntimeError);
    await expect(load(directory, { device: "cuda:5" })).rejects.toThrow(/GPU 5 was asked for, and the driver lists 1/);
    await using model = await load(directory, { device: "cuda:0" });
    expect(model.info.device).toBe("cuda:0");
  });

  it("asks whether an engine of another version may bring code", async () => {
    const directory = await writeEnginePackage(DYNAMIC, fakePlan([10, 3, 0, 26], ["host-code", ...LINES]));
    await expect(load(directory, { trtEngineHostCodeAllowed: false })).rejects.toThrow(TensorRtError);
    await using model = await load(directory);
    expect((await model.predict(blankPicture(64, 64, 255))).confidence.length).toBe(10);
  });

  it("says which file is wrong", async () => {
    const incomplete = await writeEnginePackage(null);
    await expect(load(incomplete)).rejects.toThrow(/trt_config\.json/);
    const undecided = await writeEnginePackage({});
    await expect(load(undecided)).rejects.toThrow(CorruptedModelPackageError);
    const damaged = await writeEnginePackage(DYNAMIC, new Uint8Array(100));
    await expect(load(damaged)).rejects.toMatchObject({ code: "CORRUPTED_MODEL_PACKAGE", path: join(damaged, "engine.plan") });
    unlinkSync(join(damaged, "engine.plan"));
    await expect(load(damaged)).rejects.toThrow(/engine\.plan/);
  });
});
