/** Detections that the device decodes behind the network, on the stand-ins. The kernels are tested in test/native. */
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { describe, expect, it } from "vitest";

import { float32ToFloat16, TensorRtEngine, type DetectionRequest, type Tensor } from "../../../src/engines/index.js";
import { InvalidOptionError, ModelDisposedError, ModelInputError } from "../../../src/errors.js";
import { cpuDecoder } from "../../../src/models/decoding/index.js";
import { decodeHead, readHead } from "../../../src/models/families/head.js";
import { loadAddon } from "../../../src/native/index.js";
import { readVectors } from "../../conformance/vectors.js";
import { decoding as mapFunctions } from "../../conformance/adapters/maps.js";
import { deviceDecoder } from "../../support/device-decoder.js";
import { compareDecoding } from "../../support/device-vectors.js";
import { behindEngines } from "../../support/engine-decoding.js";
import { fakePlan, nvidiaFakes } from "../../support/nvidia-fakes.js";
import { useStandIns } from "../../support/stand-ins.js";

const addon = loadAddon();
const fakes = addon === null ? null : nvidiaFakes();
const vectors = resolve("../shared/conformance");
if (!existsSync(vectors)) process.stderr.write("skipped: ../shared/conformance is not there\n");

const [ATTRIBUTES, ANCHORS] = [7, 30];
const PLAN = fakePlan(
  [10, 15, 1, 29],
  [
    "in images 0 3 -1 7 30",
    "out head 0 3 -1 7 30",
    "out rest 0 2 -1 5",
    "out whole 3 3 -1 7 30",
    "profile 0 images 3 1 7 30 2 7 30 4 7 30",
  ],
);

const head = {
  kind: "dense",
  boxes: { output: 0, attributes: "first", from: 0 },
  boxFormat: "cxcywh",
  scores: { output: 0, attributes: "first", from: 4 },
  extras: 0,
  objectness: null,
  objectnessUse: "none",
} as const;

function request(threshold: number, pictures: number): DetectionRequest {
  const settings = { thresholds: Float32Array.of(threshold), iouThreshold: 0.3, classAgnostic: false, maxDetections: 20 };
  return { head, settings, pictures };
}

function heads(batch: number, seed: number): Readonly<Record<string, Tensor>> {
  const data = Float32Array.from({ length: batch * ATTRIBUTES * ANCHORS }, (_, index) => {
    const number = (Math.imul(index + seed * 7919, 2654435761) >>> 8) / 2 ** 24;
    return index % (ATTRIBUTES * ANCHORS) < 4 * ANCHORS ? number * 64 : number;
  });
  return { images: { type: "float32", dims: [batch, ATTRIBUTES, ANCHORS], data } };
}

describe.skipIf(fakes === null)("an engine whose detections the device decodes", () => {
  const load = () => TensorRtEngine.load(PLAN, { decodesOutputs: true });
  const expected = (inputs: Readonly<Record<string, Tensor>>, { settings, pictures }: DetectionRequest) =>
    Promise.all(
      Array.from({ length: pictures }, (_, image) =>
        decodeHead(readHead(head, [inputs["images"] as Tensor], image), settings, cpuDecoder(addon!)),
      ),
    );

  useStandIns(fakes);

  it("finds what the CPU finds, many at once, with thresholds of their own and places left in the batch", async () => {
    await using engine = await load();
    let found = 0;
    await Promise.all(
      Array.from({ length: 40 }, async (_, run) => {
        const [inputs, what] = [heads(1 + (run % 3), run), request(0.3 + run / 100, Math.max(run % 3, 1))];
        const { pictures, outputs } = await engine.runDetections!(inputs, what);
        const detections = pictures.map(({ rows }) => rows);
        expect(detections).toEqual(await expected(inputs, what));
        expect(outputs).toEqual({});
        found += detections.reduce((sum, { scores }) => sum + scores.length, 0);
      }),
    );
    expect(found).toBeGreaterThan(100);
    const { graphLaunches, graphsCaptured } = engine.statistics();
    // Three shapes in each of two contexts, whatever the thresholds: all other runs are launches.
    expect(graphsCaptured).toBeLessThanOrEqual(6);
    expect(graphLaunches).toBeGreaterThanOrEqual(40 - 12);
  });

  it("reads float16, and rows that the network has chosen", async () => {
    const shape = `0 3 2 ${ATTRIBUTES} ${ANCHORS}`;
    const lines = [`in images ${shape}`, `in halves 1${shape.slice(1)}`, `out head ${shape}`, `out half 1${shape.slice(1)}`];
    await using engine = await TensorRtEngine.load(fakePlan([10, 15, 1, 29], lines), { decodesOutputs: true });
    const dims = [2, ATTRIBUTES, ANCHORS];
    let found = 0;
    for (let seed = 1; seed < 5; seed += 1) {
      const images = heads(2, seed)["images"] as Tensor;
      const halves: Tensor = { type: "float16", dims, data: float32ToFloat16(images.data as Float32Array) };
      const mixed = { ...head, scores: { ...head.scores, output: 1 } };
      for (const layout of [mixed, { kind: "rows", output: 1, inclusive: true } as const]) {
        const { settings } = request(0.7, 2);
        const { pictures } = await engine.runDetections!({ images, halves }, { head: layout, settings, pictures: 2 });
        for (const [image, { rows }] of pictures.entries()) {
          expect(rows).toEqual(await decodeHead(readHead(layout, [images, halves], image), settings, cpuDecoder(addon!)));
          found += rows.scores.length;
        }
      }
    }
    expect(found).toBeGreaterThan(50);
  });

  it("hands out the outputs that are asked for besides", async () => {
    await using engine = await load();
    const inputs = heads(2, 1);
    const { pictures, outputs } = await engine.runDetections!(inputs, request(0.5, 2), { outputs: ["rest"] });
    expect(pictures).toHaveLength(2);
    expect(outputs).toEqual({ rest: (await engine.run(inputs))["rest"] });
  });

  it("refuses what does not fit", async () => {
    await using plain = await TensorRtEngine.load(PLAN);
    expect(plain.runDetections).toBeUndefined();
    await expect(TensorRtEngine.load(PLAN, { decodesOutputs: 1 as never })).rejects.toThrow(InvalidOptionError);
    const engine = await load();
    const inputs = heads(2, 1);
    const run = (change: object, options = {}) => engine.runDetections!(inputs, { ...request(0.5, 2), ...change }, options);
    const withScores = (change: object) => run({ head: { ...head, scores: { ...head.scores, ...change } } });
    await expect(run({ pictures: 3 })).rejects.toThrow(ModelInputError);
    await expect(run({ pictures: 0 })).rejects.toThrow(/request\.pictures/);
    await expect(withScores({ output: 3 })).rejects.toThrow(/3 outputs/);
    await expect(withScores({ output: 2 })).rejects.toThrow(/int32.*float32 and float16/);
    await expect(withScores({ output: 1 })).rejects.toThrow(/three dimensions/);
    await expect(withScores({ from: 7 })).rejects.toThrow(/no attributes/);
    await expect(run({ head: { ...head, extras: 3 } })).rejects.toThrow(/no class scores/);
    await expect(run({ head: { kind: "columns" } })).rejects.toThrow(/request\.head\.kind/);
    await expect(run({ head: { kind: "rows", output: 1, inclusive: true } })).rejects.toThrow(/three dimensions/);
    await expect(run({}, { outputs: ["nothing"] })).rejects.toThrow(/no output "nothing"/);
    await expect(run({}, { signal: AbortSignal.abort(new Error("enough")) })).rejects.toThrow("enough");
    expect((await run({})).pictures.map(({ rows }) => rows)).toEqual(await expected(inputs, request(0.5, 2)));
    await engine.close();
    await expect(run({})).rejects.toThrow(ModelDisposedError);
  });

  it.skipIf(!existsSync(vectors))(
    "finds what the CPU finds in every vector with boxes, key points or maps to decode",
    async () => {
      await using onDevice = deviceDecoder(addon!, behindEngines());
      const { compared, differing } = await compareDecoding(readVectors(vectors), addon!, onDevice);
      expect(differing).toEqual([]);
      for (const name of [
        "nms-object-detection",
        "rfdetr-object-detection",
        "post-process-object-detection",
        "post-process-key-points",
        "rfdetr-key-points",
        "post-process-instance-segmentation",
      ]) {
        expect(compared.get(name), name).toBeGreaterThan(10);
      }
      for (const name of Object.keys(mapFunctions)) expect(compared.get(name), name).toBeGreaterThan(4);
      for (const kind of ["dense cxcywh", "dense xyxy", "dense offsets", "rows", "queries", "maps"])
        expect(onDevice.decoded.get(kind), kind).toBeGreaterThan(5);
    },
    240_000,
  );
});
