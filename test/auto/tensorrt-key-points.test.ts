/** Models with key points on the stand-in of TensorRT: boxes and points by the device are those by the CPU, and nothing else is downloaded. */
import { afterEach, describe, expect, it, vi } from "vitest";

import type { KeyPointModel, KeyPoints } from "../../src/index.js";
import { loadAddon } from "../../src/native/index.js";
import { DYNAMIC_BATCH, HALF_IMAGES, noisePicture, planOf, writeEnginePackage } from "../support/engine-packages.js";
import { nvidiaFakes } from "../support/nvidia-fakes.js";
import { inferenceConfig } from "../support/packages.js";
import { loadBoth, useStandIns } from "../support/stand-ins.js";

const fakes = loadAddon() === null ? null : nvidiaFakes();

/** A cat has two points, a dog three: there are three slots. */
const KEY_POINTS = [
  { object_class_id: 0, keypoints: { "0": "nose", "1": "tail" }, edges: [{ from: 0, to: 1 }] },
  { object_class_id: 1, keypoints: { "0": "nose", "1": "back", "2": "tail" }, edges: [{ from: 1, to: 2 }] },
];
interface Engine {
  readonly architecture: string;
  readonly output: string;
  readonly images?: string;
  /** Whether NMS is in the graph, so that there are no options for it. */
  readonly rows?: boolean;
}

/** Forty candidates of two classes, or as many rows. */
const ENGINES: Readonly<Record<string, Engine>> = {
  YOLOv8: { architecture: "yolov8", output: "out output0 0 3 -1 15 40" },
  YOLOv11: { architecture: "yolov11", output: "out output0 0 3 -1 15 40" },
  "YOLOv8 in float16": { architecture: "yolov8", output: "out output0 1 3 -1 15 40", images: HALF_IMAGES },
  "YOLOv8 with NMS in the graph": { architecture: "yolov8", output: "out output0 0 3 -1 40 15", rows: true },
  YOLO26: { architecture: "yolo26", output: "out output0 0 3 -1 40 15", rows: true },
};

function write({ architecture, output, images, rows = false }: Engine): Promise<string> {
  // Numbers of the network's input are from -10 to 30.
  const config = inferenceConfig({
    networkInput: { normalization: [Array(3).fill(0.25), Array(3).fill(0.025)] },
    postProcessing: { type: "nms", fused: rows && architecture !== "yolo26" },
  });
  const files = { task: "keypoint-detection", keyPoints: KEY_POINTS };
  return writeEnginePackage(DYNAMIC_BATCH, planOf([output], images), config, architecture, files);
}

const columns = (results: readonly KeyPoints[]) =>
  results.map(({ xy, confidence, covariance, detections }) => {
    const { xyxy, classId, confidence: scores } = detections;
    return { xy, confidence, covariance, xyxy, classId, scores };
  });

const pictures = [64, 200, 31, 64, 77].map((side, index) => noisePicture(side, side + 40, index));

describe.skipIf(fakes === null)("key points of an engine", () => {
  useStandIns(fakes);
  afterEach(() => {
    vi.restoreAllMocks();
  });

  it.each(Object.entries(ENGINES))("of %s are taken by the device", async (_, what) => {
    const { onCpu, onDevice, engine, downloads } = await loadBoth<KeyPointModel>(await write(what));
    expect(onDevice.info).toMatchObject({ preprocessExecutor: "cuda", decodeExecutor: "cuda" });
    let points = 0;
    const ofNms = [
      { classAgnosticNms: true, iouThreshold: 0.1 },
      { maxDetections: 2, rounding: "none" },
    ] as const;
    for (const options of [{}, { confidence: 0.01, keyPointThreshold: 0.01 }, { confidence: 0.9 }, ...(what.rows === true ? [] : ofNms)]) {
      const expected = columns(await onCpu.predict(pictures, options));
      points += expected.flatMap(({ confidence }) => [...confidence]).filter((value) => value > 0).length;
      // Several in flight, and the later ones as graphs.
      const rounds = await Promise.all(Array.from({ length: 4 }, () => onDevice.predict(pictures, options)));
      for (const round of rounds) expect(columns(round)).toEqual(expected);
    }
    expect(points).toBeGreaterThan(100);
    expect(engine.statistics().graphLaunches).toBeGreaterThan(8);
    for (const spy of downloads) expect(spy).not.toHaveBeenCalled();
    // Stages hand out tensors, and decode those that they are given.
    const prepared = await onDevice.stages.preprocess(pictures);
    const raw = await onDevice.stages.forward(prepared);
    expect(columns(await onDevice.stages.postprocess(raw, prepared))).toEqual(columns(await onCpu.predict(pictures)));
    await Promise.all([onCpu.close(), onDevice.close()]);
  });
});
