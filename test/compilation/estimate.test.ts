/** What is said before a build: of the graph alone, and on stand-ins for the driver, TensorRT and its parser. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { buildHistoryPath, readBuildHistory } from "../../src/compilation/build-history.js";
import {
  CacheStorageError,
  CudaError,
  EngineBuildError,
  InvalidOptionError,
  InvalidParameterError,
  MissingDependencyError,
} from "../../src/errors.js";
import { buildTensorRtEngine, compileModel, estimateTensorRtBuild, planCompilation, type CompileProgress } from "../../src/index.js";
import { forgetRuntimeXRay } from "../../src/environment/x-ray.js";
import { loadAddon } from "../../src/native/index.js";
import { nvidiaFakes } from "../support/nvidia-fakes.js";
import { buildModel } from "../support/onnx-graphs.js";
import { inferenceConfig, writePackage } from "../support/packages.js";

const fakes = loadAddon() === null ? null : nvidiaFakes();

/** So many products of 1 x 4 by 4 x 4, one after the other; the operator that comes last makes the stand-in slow. */
function products(count: number, last = "Identity"): Uint8Array {
  const names = Array.from({ length: count + 1 }, (_, index) => (index === 0 ? "images" : `v${index}`));
  return buildModel({
    inputs: [{ name: "images", type: "float32", dims: ["n", 4] }],
    outputs: [{ name: "scores", type: "float32", dims: ["n", 4] }],
    nodes: [
      ...names.slice(1).map((name, index) => ({ op: "MatMul", inputs: [names[index]!, `w${index}`], outputs: [name] })),
      { op: last, inputs: [names.at(-1)!], outputs: ["scores"] },
    ],
    initializers: names.slice(1).map((_, index) => ({ name: `w${index}`, dims: [4, 4], data: new Float32Array(16) })),
  });
}

const ONE = { batch: { minimum: 1, optimum: 1, maximum: 1 } };

let scratch: string;

beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), "inference-models-"));
  vi.stubEnv("INFERENCE_HOME", join(scratch, "home"));
  vi.stubEnv("INFERENCE_MODELS_CUDA_LIBRARY_PATH", join(fakes ?? "", "cuda"));
  vi.stubEnv("INFERENCE_MODELS_TENSORRT_LIBRARY_PATH", join(fakes ?? "", "trt10"));
  forgetRuntimeXRay();
});
afterEach(() => {
  vi.unstubAllEnvs();
  forgetRuntimeXRay();
  rmSync(scratch, { recursive: true, force: true });
});

const GRAPH = {
  operators: 4,
  heavyOperators: 3,
  parameters: 48,
  parameterBytes: 192,
  leastEngineBytes: 192,
  multiplyAdds: 48,
};

describe("estimateTensorRtBuild", () => {
  it.each([
    ["a path that is none", 3, {}, InvalidParameterError],
    ["an unknown option", products(1), { half: true }, InvalidOptionError],
    ["an option of building alone", products(1), { outputPath: "engine.plan" }, InvalidOptionError],
    ["an impossible value", products(1), { batch: { minimum: 2, optimum: 1, maximum: 1 } }, InvalidOptionError],
    ["no model", Uint8Array.of(1, 2, 3), {}, EngineBuildError],
    ["half a model", products(3).subarray(0, 200), {}, EngineBuildError],
    ["a timing cache that is a folder", products(1), { timingCachePath: tmpdir() }, CacheStorageError],
  ])("refuses %s", async (_name, model, options, type) => {
    const failure = await estimateTensorRtBuild(model as never, options as never).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(type);
  });

  it("tells what the graph tells where there is no driver", async () => {
    vi.stubEnv("INFERENCE_MODELS_CUDA_LIBRARY_PATH", join(scratch, "nothing"));
    const estimate = await estimateTensorRtBuild(products(3), { ...ONE, device: 900 });
    expect(estimate).toMatchObject({ ...GRAPH, gpu: null, weightsFit: null, seconds: null });
    expect(await estimateTensorRtBuild(products(3), { fp16: true })).toMatchObject({ leastEngineBytes: 96, multiplyAdds: null });
  });
});

describe.skipIf(fakes === null)("before a build, on the stand-ins", () => {
  it("tells about the GPU and TensorRT, and starts nothing", async () => {
    expect(await estimateTensorRtBuild(products(3), ONE)).toEqual({
      ...GRAPH,
      gpu: { ordinal: 0, name: "Stand-in GPU 0", computeCapability: "8.9", totalBytes: 2 ** 30, freeBytes: 2 ** 30 },
      tensorRtVersion: "10.15.1.1",
      weightsFit: "now",
      seconds: null,
    });
    expect(await readBuildHistory()).toEqual([]);
    vi.stubEnv("INFERENCE_MODELS_TENSORRT_LIBRARY_PATH", join(fakes!, "trt10-dispatch"));
    expect(await estimateTensorRtBuild(products(3))).toMatchObject({ gpu: { ordinal: 0 }, tensorRtVersion: null, seconds: null });
  });

  it("learns from builds that were alike", async () => {
    const seen: unknown[] = [];
    const onEstimate = (estimate: unknown): void => void seen.push(estimate);
    const { report } = await buildTensorRtEngine(products(2), { ...ONE, onEstimate });
    const [known] = await readBuildHistory();
    expect(await readBuildHistory()).toEqual([
      {
        gpu: report.device.name,
        computeCapability: report.device.computeCapability,
        // What the library says of itself before a build is what the engine says of its builder.
        tensorRtVersion: report.tensorRtVersion,
        precision: "fp32",
        heavyOperators: 2,
        profiles: 1,
        timingCacheUsed: false,
        seconds: expect.any(Number) as number,
      },
    ]);
    expect(known!.seconds).toBeLessThanOrEqual(report.seconds);
    const { seconds } = await estimateTensorRtBuild(products(6), ONE);
    expect(seconds).toEqual({ lowest: known!.seconds * 3, highest: known!.seconds * 3, builds: 1 });
    for (const other of [{ fp16: true }, { stronglyTyped: true }]) {
      expect((await estimateTensorRtBuild(products(6), other)).seconds).toBeNull();
    }
    // The next build says it, too, before any progress; and it is one more to learn from.
    await buildTensorRtEngine(products(6), { ...ONE, onEstimate, onProgress: () => seen.push("progress") });
    expect(seen[1]).toMatchObject({ heavyOperators: 6, seconds });
    expect(seen.indexOf("progress")).toBe(2);
    expect((await estimateTensorRtBuild(products(6), ONE)).seconds).toMatchObject({ builds: 2 });
  });

  it("tells builds apart that had earlier measurements to begin with", async () => {
    const timingCachePath = join(scratch, "timing.cache");
    const options = { ...ONE, timingCachePath };
    for (const _round of [1, 2]) await buildTensorRtEngine(products(2), options);
    // Of another release: as if there had been none.
    writeFileSync(timingCachePath, "FAKE-TIMING-CACHE 90000\nold\n");
    await buildTensorRtEngine(products(2), options);
    expect((await readBuildHistory()).map(({ timingCacheUsed }) => timingCacheUsed)).toEqual([false, true, false]);
    expect((await estimateTensorRtBuild(products(2), ONE)).seconds).toMatchObject({ builds: 2 });
    expect((await estimateTensorRtBuild(products(2), options)).seconds).toMatchObject({ builds: 1 });
    expect((await estimateTensorRtBuild(products(2), { timingCachePath: join(scratch, "none") })).seconds).toMatchObject({ builds: 2 });
  });

  it("remembers nothing of builds that failed, were stopped, or had to wait", async () => {
    const reason = new Error("enough");
    const stop = (): never => {
      throw reason;
    };
    await expect(buildTensorRtEngine(products(1), { ...ONE, onEstimate: stop })).rejects.toBe(reason);
    await expect(buildTensorRtEngine(products(1, "Slow"), { ...ONE, onProgress: stop })).rejects.toBe(reason);
    await expect(buildTensorRtEngine(products(1, "UnsupportedThing"), ONE)).rejects.toThrow(EngineBuildError);
    expect(await readBuildHistory()).toEqual([]);
    const others: Promise<unknown>[] = [];
    // It begins while the first one is at work, and so waits for most of its time.
    const onProgress = (): void => {
      if (others.length === 0) others.push(buildTensorRtEngine(products(3), ONE));
    };
    await buildTensorRtEngine(products(2, "Slow"), { ...ONE, onProgress });
    await Promise.all(others);
    expect((await readBuildHistory()).map(({ heavyOperators }) => heavyOperators)).toEqual([2]);
  });

  it("leaves it to the builder to say what is wrong", async () => {
    const estimates: unknown[] = [];
    const onEstimate = (estimate: unknown): void => void estimates.push(estimate);
    await expect(buildTensorRtEngine(Uint8Array.of(1, 2, 3), { onEstimate })).rejects.toThrow(/no ONNX model/);
    await expect(buildTensorRtEngine("/nowhere/model.onnx", { onEstimate })).rejects.toThrow(EngineBuildError);
    expect(estimates).toEqual([]);
    await expect(buildTensorRtEngine(products(1), { ...ONE, device: 7, onEstimate })).rejects.toThrow(CudaError);
    vi.stubEnv("INFERENCE_MODELS_TENSORRT_LIBRARY_PATH", join(fakes!, "cuda"));
    await expect(buildTensorRtEngine(products(1), { ...ONE, onEstimate })).rejects.toThrow(MissingDependencyError);
    expect(estimates).toMatchObject([{ gpu: null }, { gpu: { ordinal: 0 }, tensorRtVersion: null }]);
  });

  it("builds whatever became of the history", async () => {
    writeFileSync(join(scratch, "home"), "a file where the cache should be");
    expect((await buildTensorRtEngine(products(1), ONE)).report.layers).toBe(2);
    rmSync(join(scratch, "home"));
    await buildTensorRtEngine(products(1), ONE);
    writeFileSync(buildHistoryPath(), "{");
    expect((await estimateTensorRtBuild(products(1), ONE)).seconds).toBeNull();
    await buildTensorRtEngine(products(1), ONE);
    expect(JSON.parse(readFileSync(buildHistoryPath(), "utf8"))).toHaveLength(1);
  });
});

describe.skipIf(fakes === null)("planCompilation", () => {
  it("says what compileModel says, which says it before it builds", async () => {
    const weights = buildModel({
      inputs: [{ name: "images", type: "float32", dims: ["n", 3, "h", "w"] }],
      outputs: [{ name: "output0", type: "float32", dims: ["n", 6, "h", "w"] }],
      nodes: [{ op: "Conv", inputs: ["images", "w"], outputs: ["output0"] }],
      initializers: [{ name: "w", dims: [6, 3, 1, 1], data: new Float32Array(18) }],
    });
    const source = await writePackage({ weights, inferenceConfig: inferenceConfig({ forwardPass: { max_dynamic_batch_size: 2 } }) });
    // Nobody asks where the package is to be, since none is made.
    const plan = await planCompilation(source, { fp16: true });
    expect(plan).toMatchObject({
      modelId: source,
      sourceDirectory: source,
      quantization: "fp16",
      // Pictures of 64 x 64, as the package says, one at a time.
      estimate: { operators: 1, heavyOperators: 1, leastEngineBytes: 36, multiplyAdds: 64 * 64 * 6 * 3, seconds: null },
    });
    const events: CompileProgress[] = [];
    await compileModel(source, { fp16: true, outputDirectory: join(scratch, "engine"), onProgress: (event) => events.push(event) });
    expect(events[0]).toEqual({ type: "estimated", estimate: plan.estimate });
    expect(events.slice(1).every(({ type }) => type === "building")).toBe(true);
    expect((await planCompilation(source, { fp16: true })).estimate.seconds).toMatchObject({ builds: 1 });
    await expect(planCompilation(source, { half: true } as never)).rejects.toThrow(InvalidOptionError);
    vi.stubEnv("INFERENCE_MODELS_CUDA_LIBRARY_PATH", join(scratch, "nothing"));
    expect((await planCompilation(source, { device: 900 })).estimate).toMatchObject({ gpu: null, multiplyAdds: 73_728 });
  });
});
