/** Models with masks on the stand-in of TensorRT: boxes and masks by the device are those by the CPU, and nothing else is downloaded. */
import { afterEach, describe, expect, it, vi } from "vitest";

import type { TensorRtEngine } from "../../src/engines/index.js";
import { AutoModel, type AutoModelOptions, type InstanceDetections, type InstanceSegmentationModel } from "../../src/index.js";
import { setLogger } from "../../src/logger.js";
import { loadAddon } from "../../src/native/index.js";
import { DYNAMIC_BATCH, HALF_IMAGES, IMAGES, noisePicture, planOf, writeEnginePackage } from "../support/engine-packages.js";
import { nvidiaFakes } from "../support/nvidia-fakes.js";
import { inferenceConfig } from "../support/packages.js";
import { loadBoth, useStandIns } from "../support/stand-ins.js";

const fakes = loadAddon() === null ? null : nvidiaFakes();

/** Ten candidates, queries or rows, of two classes; masks of 8 x 8 cells. */
const SEGMENTERS: readonly (readonly [architecture: string, outputs: readonly string[], images: string])[] = [
  ["yolov8", ["out output0 0 3 -1 38 10", "out protos 0 4 -1 32 8 8 at 380"], IMAGES],
  ["yolov5", ["out output0 0 3 -1 10 39", "out protos 0 4 -1 32 8 8 at 390"], IMAGES],
  ["yolov7", ["out output0 0 3 -1 10 39", "out a 0 2 -1 1", "out b 0 2 -1 1", "out c 0 2 -1 1", "out protos 0 4 -1 32 8 8 at 390"], IMAGES],
  ["rfdetr", ["out dets 0 3 -1 10 4", "out labels 0 3 -1 10 3 at 40", "out masks 0 4 -1 10 8 8 at 70"], IMAGES],
  ["yolov8", ["out output0 1 3 -1 38 10", "out protos 1 4 -1 32 8 8 at 380"], HALF_IMAGES],
  [
    "yolact",
    [
      "out loc 0 3 -1 10 4",
      "out conf 0 3 -1 10 3 at 40",
      "out coefficients 0 3 -1 10 32 at 70",
      "out priors 0 2 10 4 at 390",
      "out protos 0 4 -1 8 8 32 at 430",
    ],
    IMAGES,
  ],
  ["yolo26", ["out output0 0 3 -1 10 38", "out protos 0 4 -1 32 8 8 at 380"], IMAGES],
  ["rfdetr", ["out dets 1 3 -1 10 4", "out labels 1 3 -1 10 3 at 40", "out masks 1 4 -1 10 8 8 at 70"], HALF_IMAGES],
];

/** Numbers of the network's input are from -10 to 30. */
const WIDE = inferenceConfig({ networkInput: { normalization: [Array(3).fill(0.25), Array(3).fill(0.025)] } });

async function load(directory: string, options: AutoModelOptions = {}): Promise<InstanceSegmentationModel> {
  return (await AutoModel.fromPretrained(directory, options)) as InstanceSegmentationModel;
}

const write = (architecture: string, outputs: readonly string[], images = IMAGES) =>
  writeEnginePackage(DYNAMIC_BATCH, planOf(outputs, images), WIDE, architecture, { task: "instance-segmentation" });

const columns = (results: readonly InstanceDetections[]) =>
  results.map(({ xyxy, confidence, classId, masks }) => ({ xyxy, confidence, classId, masks: Array.from(masks, (mask) => mask.toRle()) }));

const pictures = [64, 200, 31, 64, 77].map((side, index) => noisePicture(side, side + 40, index));

describe.skipIf(fakes === null)("masks of an engine", () => {
  useStandIns(fakes);
  afterEach(() => {
    vi.restoreAllMocks();
  });

  it.each(SEGMENTERS)("of %s are made by the device", async (architecture, outputs, images) => {
    const { onCpu, onDevice, engine, downloads } = await loadBoth<InstanceSegmentationModel>(await write(architecture, outputs, images));
    expect(onDevice.info).toMatchObject({ preprocessExecutor: "cuda", decodeExecutor: "cuda" });
    let runs = 0;
    for (const options of [{}, { confidence: 0.01 }, { confidence: 0.9 }, { confidence: 0, maxDetections: 2, rounding: "none" }] as const) {
      const expected = columns(await onCpu.predict(pictures, options));
      runs += expected.flatMap(({ masks }) => masks.flatMap(({ counts }) => counts.length)).reduce((sum, count) => sum + count, 0);
      // Several in flight, and the later ones as graphs.
      const rounds = await Promise.all(Array.from({ length: 4 }, () => onDevice.predict(pictures, options)));
      for (const round of rounds) expect(columns(round)).toEqual(expected);
    }
    expect(runs).toBeGreaterThan(500);
    expect(engine.statistics().graphLaunches).toBeGreaterThan(8);
    for (const spy of downloads) expect(spy).not.toHaveBeenCalled();
    // Stages hand out tensors, and decode those that they are given.
    const prepared = await onDevice.stages.preprocess(pictures);
    const raw = await onDevice.stages.forward(prepared);
    expect(columns(await onDevice.stages.postprocess(raw, prepared))).toEqual(columns(await onCpu.predict(pictures)));
    await Promise.all([onCpu.close(), onDevice.close()]);
  });

  it("take the options for masks", async () => {
    const { onCpu, onDevice, downloads } = await loadBoth<InstanceSegmentationModel>(await write(...SEGMENTERS[0]!));
    const seen = new Set<string>();
    for (const smoothMasks of [true, false]) {
      for (const maskThreshold of [0.1, 0.5, 0.9]) {
        for (const maskFormat of ["rle", "dense"] as const) {
          const options = { confidence: 0.01, smoothMasks, maskThreshold, maskFormat };
          const expected = columns(await onCpu.predict(pictures, options));
          expect(columns(await onDevice.predict(pictures, options))).toEqual(expected);
          seen.add(JSON.stringify(expected.map(({ masks }) => masks)));
        }
      }
    }
    expect(seen.size).toBeGreaterThan(3);
    for (const spy of downloads) expect(spy).not.toHaveBeenCalled();
    await Promise.all([onCpu.close(), onDevice.close()]);
  });

  it("that take more memory than they may are made by the CPU", async () => {
    const { onCpu, onDevice, engine, downloads } = await loadBoth<InstanceSegmentationModel>(await write(...SEGMENTERS[0]!));
    const withMasks = engine as TensorRtEngine & { runDetections: NonNullable<TensorRtEngine["runDetections"]> };
    const run = withMasks.runDetections;
    vi.spyOn(withMasks, "runDetections").mockImplementation(async (...given) => {
      const { pictures: decoded, outputs } = await run(...given);
      return { outputs, pictures: decoded.map((one, index) => (index === 1 ? { ...one, masks: null } : one)) };
    });
    expect(columns(await onDevice.predict(pictures))).toEqual(columns(await onCpu.predict(pictures)));
    expect(downloads[1]).toHaveBeenCalled();
    await Promise.all([onCpu.close(), onDevice.close()]);
  });

  it("whose size varies, or whose planes are whole numbers, are left to the CPU", async () => {
    for (const [outputs, reason] of [
      [["out output0 0 3 -1 38 10", "out protos 0 4 -1 32 -1 8 at 380"], /output 1 "protos".*varies/],
      [["out output0 0 3 -1 38 10", "out protos 3 4 -1 32 8 8"], /output 1 "protos" is int32/],
    ] as const) {
      const told: string[] = [];
      const ignore = (): void => undefined;
      setLogger({ debug: ignore, info: (message) => told.push(message), warn: ignore, error: ignore });
      await using model = await load(await write("yolov8", outputs), { executor: "cuda" });
      setLogger(null);
      expect(model.info).toMatchObject({ preprocessExecutor: "cuda", decodeExecutor: "cpu" });
      expect(
        told.some((message) => reason.test(message)),
        told.join(),
      ).toBe(true);
    }
  });
});
