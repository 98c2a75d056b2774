/** Engines on stand-ins for the driver and for TensorRT: what JavaScript sees. The calls below are tested in test/native. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";

import { TensorRtEngine, type Tensor, type TensorRtEngineOptions } from "../../../src/engines/index.js";
import {
  CorruptedModelPackageError,
  CudaError,
  InvalidOptionError,
  InvalidParameterError,
  MissingDependencyError,
  ModelDisposedError,
  ModelInputError,
  OutOfDeviceMemoryError,
  QueueFullError,
  TensorRtError,
} from "../../../src/errors.js";
import { loadAddon } from "../../../src/native/index.js";
import { runChild } from "../../support/child.js";
import { fakePlan, nvidiaFakes } from "../../support/nvidia-fakes.js";

const addon = loadAddon();
const fakes = addon === null ? null : nvidiaFakes();

const LINES = [
  "name detector",
  "scratch 4096",
  "in images 0 2 -1 3",
  "out scores 0 2 -1 3",
  "out count 8 1 1",
  "profile 0 images 2 1 3 2 3 4 3",
  "profile 1 images 2 5 3 6 3 2000 3",
];
const PLAN = fakePlan([10, 15, 1, 29], LINES);

const rows = (...values: readonly number[]): Readonly<Record<string, Tensor>> => ({
  images: { type: "float32", dims: [values.length / 3, 3], data: Float32Array.from(values) },
});

describe.skipIf(fakes === null)("TensorRtEngine", () => {
  const opened: TensorRtEngine[] = [];
  const scratch = mkdtempSync(join(tmpdir(), "inference-models-"));
  const useTensorRt = (folder: string): void => {
    process.env["INFERENCE_MODELS_TENSORRT_LIBRARY_PATH"] = join(fakes!, folder);
  };

  async function load(plan: string | Uint8Array = PLAN, options: TensorRtEngineOptions = {}): Promise<TensorRtEngine> {
    const engine = await TensorRtEngine.load(plan, options);
    opened.push(engine);
    return engine;
  }

  beforeAll(() => {
    process.env["INFERENCE_MODELS_CUDA_LIBRARY_PATH"] = join(fakes!, "cuda");
    useTensorRt("trt10");
  });
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((engine) => engine.close()));
    useTensorRt("trt10");
  });
  afterAll(() => rmSync(scratch, { recursive: true, force: true }));

  it("says what it is", async () => {
    const path = join(scratch, "engine.plan");
    writeFileSync(path, PLAN);
    for (const plan of [path, PLAN]) {
      const engine = await load(plan);
      expect(engine.engine).toBe("tensorrt");
      expect(engine.engineVersion).toBe("10.15.1.1");
      expect(engine.builtByVersion).toBe("10.15.1.29");
      expect(engine.name).toBe("detector");
      expect(engine.device).toEqual({ ordinal: 0, name: "Stand-in GPU 0" });
      expect(engine.inputs).toEqual([{ name: "images", kind: "tensor", type: "float32", dims: ["", 3] }]);
      expect(engine.outputs.map(({ name, type }) => [name, type])).toEqual([
        ["scores", "float32"],
        ["count", "int64"],
      ]);
      expect(engine.profile).toBe(0);
      expect(engine.profiles).toEqual([
        { images: { minimum: [1, 3], optimum: [2, 3], maximum: [4, 3] } },
        { images: { minimum: [5, 3], optimum: [6, 3], maximum: [2000, 3] } },
      ]);
      expect(engine.hardwareCompatibility).toBe("ampere-plus");
      const memory = engine.memory();
      expect(memory).toMatchObject({ engine: 1000, scratch: 4096 });
      expect(memory.device).toBeGreaterThanOrEqual(1000 + 2 * 4096);
    }
  });

  it("runs, also with the interface of version 11", async () => {
    for (const [folder, version] of [
      ["trt10", [10, 15, 1, 1]],
      ["trt11", [11, 1, 0, 1]],
    ] as const) {
      useTensorRt(folder);
      const engine = await load(fakePlan(version, LINES));
      for (let round = 0; round < 4; round += 1) {
        const { scores, count } = await engine.run(rows(1, 2, round));
        expect(scores).toEqual({ type: "float32", dims: [1, 3], data: Float32Array.of(1, 2, round) });
        expect(count).toEqual({ type: "int64", dims: [1], data: BigInt64Array.of(0n) });
      }
      expect(engine.statistics()).toMatchObject({ completed: 4, failed: 0, running: 0, waiting: 0, graphsCaptured: 1, graphLaunches: 2 });
    }
  });

  it("answers many runs at once, each with its own result, in memory that it hands over", async () => {
    const engine = await load(PLAN, { profile: 1, contexts: 3 });
    const answers = await Promise.all(
      Array.from({ length: 60 }, async (_, index) => {
        const length = (5 + (index % 4) * 600) * 3;
        const data = engine.allocateInput(length).fill(index);
        const { scores } = await engine.run({ images: { type: "float32", dims: [length / 3, 3], data } });
        return scores!.data.length === length && (scores!.data as Float32Array).every((value) => value === index);
      }),
    );
    expect(answers.every(Boolean)).toBe(true);
    expect(engine.statistics()).toMatchObject({ completed: 60, lanes: 3 });
    globalThis.gc?.();
    await new Promise((resolve) => setImmediate(resolve));
    answers.length = 0;
  });

  it("reads inputs when run is called, whatever happens to them then", async () => {
    const engine = await load();
    const inputs = rows(1, 2, 3);
    const answer = engine.run(inputs);
    (inputs["images"]!.data as Float32Array).fill(9);
    structuredClone(inputs["images"]!.data, { transfer: [(inputs["images"]!.data as Float32Array).buffer as ArrayBuffer] });
    expect((await answer)["scores"]!.data).toEqual(Float32Array.of(1, 2, 3));
  });

  it("returns the outputs that were asked for", async () => {
    const engine = await load();
    expect(Object.keys(await engine.run(rows(1, 2, 3), { outputs: ["count"] }))).toEqual(["count"]);
    await expect(engine.run(rows(1, 2, 3), { outputs: ["boxes"] })).rejects.toThrow(ModelInputError);
  });

  it.each([
    ["a shape outside of the profile", rows(...Array<number>(15).fill(0)), /profile 0 of the engine admits \[1\.\.4, 3\]/],
    ["another rank", { images: { type: "float32", dims: [3], data: new Float32Array(3) } }, /expects float32 \[\?, 3\]/],
    ["another type", { images: { type: "int32", dims: [1, 3], data: new Int32Array(3) } }, /received type int32/],
    ["another name", { pixels: rows(1, 2, 3)["images"]! }, /no input "pixels"/],
    ["nothing", {}, /"images" is missing/],
  ] as const)("refuses %s and works afterwards", async (_what, inputs, message) => {
    const engine = await load();
    const failure = await engine.run(inputs as Readonly<Record<string, Tensor>>).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(ModelInputError);
    expect((failure as Error).message).toMatch(message);
    expect((await engine.run(rows(1, 2, 3)))["scores"]!.data).toEqual(Float32Array.of(1, 2, 3));
  });

  it("stops waiting when the signal fires, and the engine goes on", async () => {
    const engine = await load();
    const reason = new Error("enough");
    await expect(engine.run(rows(1, 2, 3), { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    const controller = new AbortController();
    const runs = Array.from({ length: 30 }, () =>
      engine.run(rows(1, 2, 3), { signal: controller.signal }).catch((error: unknown) => error),
    );
    controller.abort(reason);
    expect(new Set(await Promise.all(runs))).toEqual(new Set([reason]));
    expect((await engine.run(rows(4, 5, 6)))["scores"]!.data).toEqual(Float32Array.of(4, 5, 6));
    await expect(load(PLAN, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });

  it("bounds its queue", async () => {
    const engine = await load(PLAN, { contexts: 1, queueLimit: 1 });
    const runs = [engine.run(rows(1, 2, 3)), engine.run(rows(1, 2, 3))];
    await expect(engine.run(rows(1, 2, 3))).rejects.toThrow(QueueFullError);
    await Promise.all(runs);
    await engine.run(rows(1, 2, 3));
  });

  it("finishes what it has accepted before it closes", async () => {
    const engine = await load();
    const runs = Array.from({ length: 10 }, () => engine.run(rows(1, 2, 3)));
    const closing = engine.close();
    expect(engine.close()).toBe(closing);
    await expect(engine.run(rows(1, 2, 3))).rejects.toThrow(ModelDisposedError);
    await closing;
    expect((await Promise.all(runs)).map(({ scores }) => scores!.dims)).toEqual(Array(10).fill([1, 3]));
    expect(engine.memory()).toMatchObject({ engine: 0, scratch: 0, device: 0, pinned: 0 });
  });

  it.each([
    ["an empty file", new Uint8Array(), /is empty/],
    ["an ONNX model", Uint8Array.of(8, 7, 18), /ONNX/],
    ["a header that is cut off", PLAN.subarray(0, 20), /cut off/],
    ["damaged contents", fakePlan([10, 15, 1, 29], ["rubbish"]), /TensorRT says: deserializeCudaEngine: the plan is damaged/],
  ] as const)("calls %s a corrupted package", async (_what, plan, message) => {
    const path = join(scratch, "damaged.plan");
    writeFileSync(path, plan);
    for (const given of [plan, path]) {
      const failure = await load(given).catch((error: unknown) => error);
      expect(failure).toBeInstanceOf(CorruptedModelPackageError);
      expect((failure as Error).message).toMatch(message);
    }
  });

  it("takes the dispatch library where an engine's own code is allowed", async () => {
    useTensorRt("trt10-dispatch");
    await expect(load(PLAN)).rejects.toThrow(/libnvinfer_dispatch.*engineHostCodeAllowed/);
    const engine = await load(PLAN, { engineHostCodeAllowed: true });
    expect((await engine.run(rows(1, 2, 3)))["scores"]!.data).toEqual(Float32Array.of(1, 2, 3));
  });

  it("names what is missing or does not fit", async () => {
    await expect(load("/nowhere/engine.plan")).rejects.toThrow(/\/nowhere\/engine\.plan cannot be read/);
    const older = fakePlan([10, 3, 0, 26], ["host-code", ...LINES]);
    await expect(load(older)).rejects.toThrow(TensorRtError);
    await expect(load(older)).rejects.toThrow(/built by TensorRT 10\.3\.0\.26, installed is 10\.15\.1/);
    expect((await load(older, { engineHostCodeAllowed: true })).builtByVersion).toBe("10.3.0.26");
    await expect(load(PLAN, { device: 7 })).rejects.toThrow(CudaError);
    await expect(load(PLAN, { profile: 2 })).rejects.toThrow(/has 2 optimization profiles/);
    await expect(load(fakePlan([10, 15, 1, 29], [...LINES, "weights 99000000000"]))).rejects.toThrow(OutOfDeviceMemoryError);
    useTensorRt("cuda");
    const missing = await load().catch((error: unknown) => error);
    expect(missing).toBeInstanceOf(MissingDependencyError);
    expect((missing as Error).message).toMatch(/needs TensorRT 10\.15\.1\.29.*no libnvinfer\.so\.10 in/);
  });

  it.each([
    { device: -1 },
    { device: 0.5 },
    { contexts: 0 },
    { contexts: 65 },
    { profile: "0" },
    { cudaGraphs: -1 },
    { cudaGraphs: "yes" },
    { queueLimit: Number.NaN },
    { engineHostCodeAllowed: 1 },
    { gpu: 0 },
  ])("refuses the options %j", async (options) => {
    await expect(load(PLAN, options as TensorRtEngineOptions)).rejects.toThrow(InvalidOptionError);
  });

  it("refuses what is no engine at all", async () => {
    await expect(load(3 as never)).rejects.toThrow(InvalidParameterError);
  });

  it("lets processes and threads end while runs are in progress", async () => {
    const { code, signal, stdout, stderr } = await runChild(new URL("./children/exit.ts", import.meta.url), [fakes!]);
    expect({ code, signal, stderr }).toEqual({ code: 0, signal: null, stderr: "" });
    expect(stdout).toBe("terminated, dropped, leaving");
  }, 90_000);

  describe("that prepares pictures", () => {
    const LINES_OF_PICTURES = ["in images 0 4 -1 3 4 4", "out echo 0 4 -1 3 4 4", "profile 0 images 4 1 3 4 4 2 3 4 4 4 3 4 4"];
    const plan = fakePlan([10, 15, 1, 29], LINES_OF_PICTURES);
    const size = { width: 4, height: 4 };
    const steps = {
      source: size,
      crop: { left: 0, top: 0, ...size },
      grayscale: false,
      contrast: null,
      geometry: [{ kind: "resize", filter: "none", ...size, canvas: { ...size, left: 0, top: 0, fill: 0 } }],
      swapChannels: false,
      normalization: { divisor: null, factor: null, mean: null, std: null },
      output: size,
    } as const;
    const picture = (value: number, borrowed = true) => ({
      image: { data: new Uint8Array(48).fill(value), ...size, channels: 3, colorFormat: "rgb", borrowed } as const,
      steps,
    });

    it("runs on them, and on zeros where the batch has places left", async () => {
      const engine = await load(plan, { preparesPictures: true });
      const { echo } = await engine.runPictures!({ dims: [3, 3, 4, 4], pictures: [picture(7), picture(9, false)] });
      const values = echo!.data as Float32Array;
      expect([values[0], values[47], values[48], values[95], values[96], values[143]]).toEqual([7, 7, 9, 9, 0, 0]);
      expect((await load(plan)).runPictures).toBeUndefined();
    });

    it("refuses what does not fit", async () => {
      const engine = await load(plan, { preparesPictures: true });
      const run = (batch: unknown) => engine.runPictures!(batch as never);
      await expect(run({ dims: [1, 3, 4, 4], pictures: [picture(1), picture(2)] })).rejects.toThrow(ModelInputError);
      await expect(run({ dims: [5, 3, 4, 4], pictures: [picture(1)] })).rejects.toThrow(/admits \[1\.\.4/);
      await expect(run({ dims: [1, 3, 4, 4], pictures: [] })).rejects.toThrow(/array of pictures/);
      await expect(
        run({ dims: [1, 3, 4, 4], pictures: [{ ...picture(1), steps: { ...steps, source: { width: 9, height: 9 } } }] }),
      ).rejects.toThrow(/9x9/);
      await engine.close();
      await expect(run({ dims: [1, 3, 4, 4], pictures: [picture(1)] })).rejects.toThrow(ModelDisposedError);
      await expect(load(plan, { preparesPictures: 1 as never })).rejects.toThrow(InvalidOptionError);
    });
  });
});
