/** Key points that the device decodes behind an engine of one's own, on the stand-ins. The kernels are tested in test/native. */
import { describe, expect, it } from "vitest";

import { TensorRtEngine, type DetectionRequest, type Tensor } from "../../../src/engines/index.js";
import { ModelInputError } from "../../../src/errors.js";
import { cpuDecoder } from "../../../src/models/decoding/index.js";
import { locateInstances, pointsRequest, type PointsLayout } from "../../../src/models/families/points.js";
import { loadAddon } from "../../../src/native/index.js";
import { fakePlan, nvidiaFakes } from "../../support/nvidia-fakes.js";
import { useStandIns } from "../../support/stand-ins.js";

const addon = loadAddon();
const fakes = addon === null ? null : nvidiaFakes();

/** Of each picture: boxes of ten queries, logits of two classes, and three points of eight numbers for each. Rows are the same numbers. */
const [QUERIES, CLASSES, SLOTS, NUMBERS] = [10, 2, 3, 8];
const OF_ONE = QUERIES * (4 + CLASSES + CLASSES * SLOTS * NUMBERS);
const PLAN = fakePlan(
  [10, 15, 1, 29],
  [
    `in values 0 2 -1 ${OF_ONE}`,
    ...["out dets 0 3 -1 10 4", "out labels 0 3 -1 10 2 at 40", "out points 0 4 -1 10 6 8 at 60", "out rows 0 3 -1 36 15"],
    `profile 0 values 2 1 ${OF_ONE} 2 ${OF_ONE} 4 ${OF_ONE}`,
  ],
);

const OF_QUERIES: PointsLayout = {
  kind: "queries",
  queries: { kind: "queries", boxes: 0, logits: 1, classMapping: Int32Array.of(1, 0) },
  points: 2,
};
const OF_ROWS: PointsLayout = {
  kind: "candidates",
  head: { kind: "rows", output: 3, inclusive: true },
  points: { output: 3, attributes: "last", from: 6 },
};

function values(batch: number, seed: number): Readonly<Record<string, Tensor>> {
  const data = Float32Array.from({ length: batch * OF_ONE }, (_, index) => {
    const number = (Math.imul(index + seed * 7919, 2654435761) >>> 8) / 2 ** 24;
    return index % OF_ONE < 40 ? number : number * 6 - 1;
  });
  return { values: { type: "float32", dims: [batch, OF_ONE], data } };
}

/** Pictures of different sizes: covariances are theirs. */
const geometry = (run: number, picture: number) => ({
  nonsquareIntermediateSize: picture === 1 ? { width: 300, height: 200 } : null,
  inferenceSize: { width: 640, height: 480 },
  scaleWidth: 0.5 + run / 8,
  scaleHeight: 1.25 - picture / 2,
});

describe.skipIf(fakes === null)("key points by the device", () => {
  useStandIns(fakes);

  const load = () => TensorRtEngine.load(PLAN, { decodesOutputs: true });
  const settingsOf = (run: number) => ({
    thresholds: run % 2 === 0 ? Float32Array.of(0.3 + run / 40) : Float32Array.of(0.2, 0.5),
    iouThreshold: null,
    classAgnostic: false,
    maxDetections: 8,
  });
  const requestOf = (layout: PointsLayout, run: number): DetectionRequest => {
    const pictures = [geometry(run, 0), geometry(run, 1)];
    return { ...pointsRequest(layout, SLOTS, pictures, settingsOf(run)), pictures: 2 };
  };

  it.each([
    ["queries", OF_QUERIES],
    ["rows", OF_ROWS],
  ] as const)("are those of the CPU for %s, whatever the graph", async (_, layout) => {
    await using engine = await load();
    let points = 0;
    for (let run = 0; run < 8; run++) {
      const inputs = values(3, run);
      const outputs = Object.values(await engine.run(inputs));
      const { pictures } = await engine.runDetections!(inputs, requestOf(layout, run));
      expect(pictures).toHaveLength(2);
      for (const [image, found] of pictures.entries()) {
        const expected = await locateInstances(layout, SLOTS, outputs, image, geometry(run, image), settingsOf(run), cpuDecoder(addon!));
        expect(found).toEqual(expected);
        points += expected.keyPoints.confidence.length;
      }
    }
    expect(points).toBeGreaterThan(50);
    expect(engine.statistics().graphLaunches).toBeGreaterThan(8);
  });

  it("are refused where the outputs do not have them", async () => {
    await using engine = await load();
    const run = (change: object) => engine.runDetections!(values(2, 1), { ...requestOf(OF_ROWS, 0), ...change });
    const keyPoints = { output: 3, attributes: "last", from: 6, slots: SLOTS } as const;
    await expect(run({ keyPoints: { ...keyPoints, slots: 4 } })).rejects.toThrow(/key points/);
    await expect(run({ keyPoints: { ...keyPoints, slots: 0 } })).rejects.toThrow(/request\.keyPoints\.slots/);
    await expect(run({ keyPoints: { ...keyPoints, output: 2 } })).rejects.toThrow(/three dimensions/);
    const { head } = requestOf(OF_QUERIES, 0);
    await expect(run({ head })).rejects.toThrow(/no other key points/);
    await expect(run({ head: { ...head, points: 3 }, keyPoints: undefined })).rejects.toThrow(/four dimensions/);
    await expect(run({ head: { ...head, slots: 2 }, keyPoints: undefined })).rejects.toThrow(/2 key points for each of 2 classes/);
    await expect(run({ head: { ...head, scales: [] }, keyPoints: undefined })).rejects.toThrow(ModelInputError);
    expect((await run({})).pictures).toHaveLength(2);
  });
});
