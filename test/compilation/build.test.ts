/** Building on stand-ins for the driver, TensorRT and its parser: what JavaScript sees. The calls below are tested in test/native. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";

import {
  buildTensorRtEngine,
  inspectEngine,
  TensorRtEngine,
  type BuildTensorRtEngineOptions,
  type TensorRtBuildProgress,
} from "../../src/index.js";
import {
  CacheStorageError,
  CudaError,
  EngineBuildError,
  InvalidOptionError,
  InvalidParameterError,
  MissingDependencyError,
} from "../../src/errors.js";
import { setLogger } from "../../src/logger.js";
import { loadAddon } from "../../src/native/index.js";
import { runChild } from "../support/child.js";
import { nvidiaFakes } from "../support/nvidia-fakes.js";
import { buildModel, type GraphNode } from "../support/onnx-graphs.js";

const fakes = loadAddon() === null ? null : nvidiaFakes();

function model(batch: number | string, op = "Identity", name = "detector"): Uint8Array {
  const node: GraphNode = { op, inputs: ["images"], outputs: ["scores"] };
  return buildModel({
    graphName: name,
    inputs: [{ name: "images", type: "float32", dims: [batch, 3] }],
    outputs: [{ name: "scores", type: "float32", dims: [batch, 3] }],
    nodes: [node],
  });
}

/** The stand-in writes the settings of the builder into its plan. */
const settingsIn = (engine: Uint8Array): string => /^config .*$/m.exec(new TextDecoder().decode(engine.subarray(28)))?.[0] ?? "";
const cacheOf = (release: number, ...entries: readonly string[]): string =>
  `FAKE-TIMING-CACHE ${release}\n${entries.map((entry) => `${entry}\n`).join("")}`;

describe.skipIf(fakes === null)("buildTensorRtEngine", () => {
  let scratch: string;
  const warnings: string[] = [];
  const useTensorRt = (folder: string): void => {
    process.env["INFERENCE_MODELS_TENSORRT_LIBRARY_PATH"] = join(fakes!, folder);
  };
  const failureOf = (given: string | Uint8Array, options?: BuildTensorRtEngineOptions): Promise<unknown> =>
    buildTensorRtEngine(given, options).catch((error: unknown) => error);

  beforeAll(() => {
    process.env["INFERENCE_MODELS_CUDA_LIBRARY_PATH"] = join(fakes!, "cuda");
  });
  beforeEach(() => {
    scratch = mkdtempSync(join(tmpdir(), "inference-models-"));
    process.env["INFERENCE_HOME"] = join(scratch, "home");
    useTensorRt("trt10");
    warnings.length = 0;
    const ignore = (): void => undefined;
    setLogger({ debug: ignore, info: ignore, warn: (message) => warnings.push(message), error: ignore });
  });
  afterEach(() => rmSync(scratch, { recursive: true, force: true }));
  afterAll(() => setLogger(null));

  it("gives an engine that loads and runs, from a file and from bytes, with either major", async () => {
    const path = join(scratch, "model.onnx");
    writeFileSync(path, model("n"));
    for (const [folder, version] of [
      ["trt10", "10.15.1.1"],
      ["trt11", "11.1.0.1"],
    ] as const) {
      useTensorRt(folder);
      for (const given of [path, model("n")]) {
        const outputPath = join(scratch, folder, "engine.plan");
        const built = await buildTensorRtEngine(given, { batch: { minimum: 1, optimum: 2, maximum: 4 }, outputPath });
        expect(built.path).toBe(outputPath);
        expect(Buffer.compare(readFileSync(outputPath), built.engine)).toBe(0);
        expect(built.report).toMatchObject({
          tensorRtVersion: version,
          device: { ordinal: 0, name: "Stand-in GPU 0", computeCapability: "8.9" },
          inputs: [{ name: "images", kind: "tensor", type: "float32", dims: ["", 3] }],
          outputs: [{ name: "scores", kind: "tensor", type: "float32", dims: ["", 3] }],
          profiles: [{ images: { minimum: [1, 3], optimum: [2, 3], maximum: [4, 3] } }],
          layers: 1,
          engineBytes: built.engine.length,
          timingCache: null,
        });
        await using engine = await TensorRtEngine.load(built.engine);
        const { scores } = await engine.run({ images: { type: "float32", dims: [1, 3], data: Float32Array.of(1, 2, 3) } });
        expect(scores!.data).toEqual(Float32Array.of(1, 2, 3));
        expect((await inspectEngine(outputPath)).loaded).toMatchObject({ name: "detector", memory: { engine: 1000 } });
      }
    }
  });

  it("tells the builder what was asked for", async () => {
    const options = { fp16: true, workspaceBytes: 2 ** 33, hardwareCompatible: true, versionCompatible: true };
    expect(settingsIn((await buildTensorRtEngine(model(1), options)).engine)).toBe(
      `config network=1 flags=${2 ** 13 + 1} hardware=1 workspace=${2 ** 33} layers=1`,
    );
    const same = { hardwareCompatible: "same-compute-capability", stronglyTyped: true } as const;
    expect(settingsIn((await buildTensorRtEngine(model(1), same)).engine)).toBe("config network=3 flags=0 hardware=2 workspace=0 layers=1");
    const profiles = [1, 5].map((size) => ({ images: { minimum: [size, 3], optimum: [size, 3], maximum: [size + 1, 3] } }));
    expect((await buildTensorRtEngine(model("n"), { profiles })).report.profiles).toEqual(profiles);
  });

  it("converts the model where TensorRT cannot choose the precision", async () => {
    useTensorRt("trt11");
    const weights = { name: "weights", dims: [3, 3], data: Float32Array.of(1, 0, 0, 0, 1, 0, 0, 0, 1) };
    const given = buildModel({
      inputs: [{ name: "images", type: "float32", dims: [1, 3] }],
      outputs: [{ name: "scores", type: "float32", dims: [1, 3] }],
      nodes: [
        { op: "MatMul", inputs: ["images", "weights"], outputs: ["product"] },
        { op: "Softmax", inputs: ["product"], outputs: ["scores"] },
      ],
      initializers: [weights],
    });
    const path = join(scratch, "model.onnx");
    writeFileSync(path, given);
    for (const either of [given, path]) {
      const { engine, report } = await buildTensorRtEngine(either, { fp16: true });
      expect(report.halfPrecision).toEqual({ nodes: 2, halfNodes: 1 });
      // Two casts, and inputs and outputs as before.
      expect(settingsIn(engine)).toContain("layers=4");
      expect(report.inputs).toMatchObject([{ name: "images", type: "float32" }]);
    }
    expect((await buildTensorRtEngine(given)).report.halfPrecision).toBeNull();
    const failure = await failureOf(Uint8Array.of(1, 2, 3), { fp16: true });
    expect(failure).toBeInstanceOf(EngineBuildError);
    expect((failure as Error).message).toMatch(/half precision, because it is no ONNX model/);
    useTensorRt("trt10");
    const chosen = await buildTensorRtEngine(given, { fp16: true });
    expect(chosen.report.halfPrecision).toBeNull();
    expect(settingsIn(chosen.engine)).toContain("flags=1 ");
  });

  it("shows progress that never goes back", async () => {
    const seen: TensorRtBuildProgress[] = [];
    await buildTensorRtEngine(model(1, "Slow"), { onProgress: (progress) => seen.push(progress) });
    expect(seen.length).toBeGreaterThan(3);
    const fractions = seen.map(({ fraction }) => fraction);
    expect(fractions).toEqual([...fractions].sort((a, b) => a - b));
    expect(fractions.at(-1)).toBe(1);
    const phases = seen.find((progress) => progress.phases.length === 2)?.phases;
    expect(phases).toMatchObject([
      { name: "Building", parent: null, steps: 400 },
      { name: "Timing tactics", parent: "Building", steps: 2 },
    ]);
  });

  it("stops when the signal fires or the listener throws, and builds again", async () => {
    const reason = new Error("enough");
    expect(await failureOf(model(1), { signal: AbortSignal.abort(reason) })).toBe(reason);
    const controller = new AbortController();
    const outputPath = join(scratch, "engine.plan");
    const onProgress = (): void => controller.abort(reason);
    expect(await failureOf(model(1, "Slow"), { signal: controller.signal, onProgress, outputPath })).toBe(reason);
    const listener = (): void => {
      throw reason;
    };
    expect(await failureOf(model(1, "Slow"), { onProgress: listener })).toBe(reason);
    // Waits for the builder's thread, and so for the builds that were stopped, which took far less than their 400 steps.
    expect((await buildTensorRtEngine(model(1), { outputPath })).path).toBe(outputPath);
  });

  it("keeps what was measured, and joins what others have measured meanwhile", async () => {
    const timingCachePath = join(scratch, "caches", "timing.cache");
    const first = await buildTensorRtEngine(model(1), { timingCachePath });
    expect(first.report.timingCache).toEqual({
      path: timingCachePath,
      state: "new",
      saved: true,
      bytes: cacheOf(101501, "tactics of detector").length,
    });
    // Another process adds its own while this one builds.
    const onProgress = (): void => writeFileSync(timingCachePath, cacheOf(101501, "tactics of a neighbour"));
    const second = await buildTensorRtEngine(model(1, "Slow", "second"), { timingCachePath, onProgress });
    expect(second.report.timingCache).toMatchObject({ state: "used", saved: true });
    expect(readFileSync(timingCachePath, "utf8")).toBe(
      cacheOf(101501, "tactics of a neighbour", "tactics of detector", "tactics of second"),
    );
    expect(warnings).toEqual([]);
  });

  it("replaces what another release has measured, with a word when it appeared meanwhile", async () => {
    const timingCachePath = join(scratch, "timing.cache");
    for (const content of [cacheOf(90000, "old"), "rubbish"]) {
      writeFileSync(timingCachePath, content);
      const { report } = await buildTensorRtEngine(model(1), { timingCachePath });
      expect(report.timingCache).toMatchObject({ state: "replaced", saved: true });
      expect(readFileSync(timingCachePath, "utf8")).toBe(cacheOf(101501, "tactics of detector"));
    }
    expect(warnings).toEqual([]);
    const onProgress = (): void => writeFileSync(timingCachePath, cacheOf(90000, "foreign"));
    await buildTensorRtEngine(model(1, "Slow"), { timingCachePath, onProgress });
    expect(readFileSync(timingCachePath, "utf8")).toBe(cacheOf(101501, "tactics of detector"));
    expect(warnings).toEqual([expect.stringMatching(/is replaced.*different releases/)]);
  });

  it("names a cache or a place for the engine that cannot be used", async () => {
    expect(await failureOf(model(1), { timingCachePath: scratch })).toBeInstanceOf(CacheStorageError);
    writeFileSync(join(scratch, "file"), "");
    expect(await failureOf(model(1), { outputPath: join(scratch, "file", "engine.plan") })).toBeInstanceOf(CacheStorageError);
  });

  it.each([
    [
      "a node that is not known",
      (): Uint8Array => model(1, "UnsupportedThing"),
      {},
      EngineBuildError,
      /Node 0 \(UnsupportedThing, .*the operator is not supported/,
    ],
    ["what is no model", (): Uint8Array => Uint8Array.of(1, 2, 3), {}, EngineBuildError, /no ONNX model/],
    ["a missing file", (): string => "/nowhere/model.onnx", {}, EngineBuildError, /\/nowhere\/model\.onnx cannot be read/],
    ["a folder", (): string => tmpdir(), {}, EngineBuildError, /cannot be read|could not be read/],
    ["a missing batch", (): Uint8Array => model("n"), {}, InvalidOptionError, /say which shapes the engine is to take/],
    [
      "fp16 beside strong types",
      (): Uint8Array => model(1),
      { fp16: true, stronglyTyped: true },
      InvalidOptionError,
      /fp16 cannot be chosen/,
    ],
    ["a device that is not there", (): Uint8Array => model(1), { device: 7 }, CudaError, /GPU 7 was asked for, and the driver lists 1/],
  ] as const)("refuses %s in words", async (_what, given, options, type, message) => {
    const failure = await failureOf(given(), options);
    expect(failure).toBeInstanceOf(type);
    expect((failure as Error).message).toMatch(message);
  });

  it.each([
    { fp16: 1 },
    { workspaceBytes: -1 },
    { batch: { minimum: 4, optimum: 2, maximum: 8 } },
    { batch: { minimum: 0, optimum: 2, maximum: 8 } },
    { imageSize: { width: 64 } },
    { imageSize: { width: 64, height: 0.5 } },
    { profiles: {} },
    { profiles: [{ images: { minimum: [0], optimum: [1], maximum: [1] } }] },
    { hardwareCompatible: "all" },
    { timingCachePath: 1 },
    { outputPath: "" },
    { onProgress: true },
    { onEstimate: "yes" },
    { half: true },
  ])("refuses the options %j", async (options) => {
    expect(await failureOf(model(1), options as BuildTensorRtEngineOptions)).toBeInstanceOf(InvalidOptionError);
  });

  it("refuses what is no model at all", async () => {
    expect(await failureOf(3 as never)).toBeInstanceOf(InvalidParameterError);
  });

  it("says which library is missing", async () => {
    useTensorRt("cuda");
    expect(await failureOf(model(1))).toBeInstanceOf(MissingDependencyError);
    expect(await failureOf(model(1))).toMatchObject({
      dependency: "libnvinfer",
      message: expect.stringMatching(/needs the full TensorRT library/),
    });
  });

  it("takes no harm from wrong values at the native door", async () => {
    const addon = loadAddon()!;
    const range = { input: "images", minimum: [1, 3], optimum: [1, 3], maximum: [2, 3] };
    const good: Readonly<Record<string, unknown>> = {
      cudaLibraryPath: join(fakes!, "cuda"),
      tensorRtLibraryPath: join(fakes!, "trt10"),
      device: 0,
      fp16: false,
      stronglyTyped: false,
      versionCompatible: false,
      workspaceBytes: 0,
      hardwareCompatibility: "none",
      batch: null,
      imageSize: null,
      profiles: [[range]],
      timingCache: null,
    };
    const build = (...args: readonly unknown[]): Promise<unknown> =>
      Promise.resolve()
        .then(() => (addon.buildTensorRtEngine as (...given: readonly unknown[]) => Promise<unknown>)(...args))
        .then(() => "built")
        .catch((error: unknown) => error);
    const wrong = [
      undefined,
      true,
      "x",
      10n,
      Symbol("x"),
      {},
      [],
      [[{}]],
      [[{ ...range, minimum: ["1"] }]],
      [[{ ...range, maximum: [2 ** 60, 3] }]],
    ];
    wrong.push([[{ ...range, input: 3 }]], Array(65).fill([range]), NaN, -1, 0.5, 2 ** 53, new Float32Array(4), { minimum: 1 });
    for (const name of Object.keys(good)) {
      for (const value of wrong) {
        const outcome = await build(model("n"), { ...good, [name]: value }, null, null);
        if (outcome !== "built") expect(outcome, name).toBeInstanceOf(Error);
      }
    }
    for (const value of [undefined, null, 3, new Float32Array(4), {}]) expect(await build(value, good, null, null)).toBeInstanceOf(Error);
    for (const value of [3, "x", {}]) expect(await build(model("n"), good, value, null)).toBeInstanceOf(Error);
    for (const value of [3, "x", {}]) expect(await build(model("n"), good, null, value)).toBeInstanceOf(Error);
    for (const value of [null, "x", new Float32Array(8)]) expect(() => addon.readTensorRtPlanVersion(value as never)).toThrow();
    expect(await build(model("n"), good, null, null)).toBe("built");
  });

  it("lets processes and threads end while a build is in progress", async () => {
    const { code, signal, stdout, stderr } = await runChild(new URL("./children/exit.ts", import.meta.url), [fakes!]);
    expect({ code, signal, stderr }).toEqual({ code: 0, signal: null, stderr: "" });
    expect(stdout).toBe("terminated, leaving");
  }, 90_000);
});
