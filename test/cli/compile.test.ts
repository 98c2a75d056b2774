/** `compile` and `inspect`, down to the stand-ins for TensorRT where that says more than a service of the test's own. */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { packageServices } from "../../src/cli/services.js";
import { durationRange, estimateLine, timeLeft } from "../../src/cli/format-estimate.js";
import type { CompilationPlan, CompiledModel, CompileModelOptions, TensorRtBuildEstimate } from "../../src/index.js";
import { forgetRuntimeXRay } from "../../src/environment/x-ray.js";
import { EngineBuildError } from "../../src/errors.js";
import { loadAddon } from "../../src/native/index.js";
import { fakePlan, nvidiaFakes } from "../support/nvidia-fakes.js";
import { constantNetwork, writePackage, YOLO_HEAD } from "../support/packages.js";
import { runCli } from "./support.js";

const fakes = loadAddon() === null ? null : nvidiaFakes();

const COMPILED: CompiledModel = {
  modelId: "acme/bolts/3",
  packageId: "localtrt0123",
  directory: "/cache/localtrt0123",
  sourceDirectory: "/cache/one",
  quantization: "fp16",
  batch: { kind: "dynamic", minimum: 1, optimum: 4, maximum: 8 },
  report: {
    tensorRtVersion: "10.15.1.29",
    device: { ordinal: 1, name: "NVIDIA L4", computeCapability: "8.9" },
    inputs: [],
    outputs: [],
    profiles: [],
    halfPrecision: null,
    layers: 3,
    warnings: "",
    engineBytes: 5 * 1024 * 1024,
    seconds: 61.25,
    timingCache: { path: "timing.cache", state: "used", saved: true, bytes: 9 },
  },
};

const ESTIMATE: TensorRtBuildEstimate = {
  operators: 200,
  heavyOperators: 64,
  parameters: 3_151_904,
  parameterBytes: 12_607_616,
  leastEngineBytes: 6.1 * 2 ** 20,
  multiplyAdds: 4_370_000_000,
  gpu: { ordinal: 1, name: "NVIDIA L4", computeCapability: "8.9", totalBytes: 24 * 2 ** 30, freeBytes: 20 * 2 ** 30 },
  tensorRtVersion: "10.15.1.29",
  weightsFit: "now",
  seconds: { lowest: 60, highest: 120, builds: 4 },
};
const LINE = "64 convolutions and matrix products, 3.2 million parameters, engine at least 6.1 MB";

describe("compile", () => {
  it("passes its options on and says what came of it", async () => {
    const calls: [string, CompileModelOptions][] = [];
    const compileModel = (id: string, options: CompileModelOptions): Promise<CompiledModel> => (
      calls.push([id, options]),
      Promise.resolve(COMPILED)
    );
    const argv =
      "compile acme/bolts/3 --fp16 --batch 1,4,8 --image-size 640x480 --device cuda:1 --output out --workspace 512 --timing-cache t --hardware-compatible --version-compatible --package one --provider mine";
    const { code, stdout, stderr } = await runCli(argv.split(" "), { services: { compileModel } });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const [id, { onProgress: _onProgress, ...options }] = calls[0]!;
    expect([id, options]).toEqual([
      "acme/bolts/3",
      {
        fp16: true,
        batch: { minimum: 1, optimum: 4, maximum: 8 },
        imageSize: { width: 640, height: 480 },
        device: 1,
        outputDirectory: "out",
        workspaceBytes: 512 * 1024 * 1024,
        timingCachePath: "t",
        hardwareCompatible: true,
        versionCompatible: true,
        modelPackageId: "one",
        weightsProvider: ["mine"],
      },
    ]);
    expect(stdout).toMatch(/engine {4}5\.0 MB, fp16, built in 61\.3 s by TensorRT 10\.15\.1\.29/);
    expect(stdout).toMatch(/for {7}cuda:1 \(NVIDIA L4, compute capability 8\.9\)/);
    expect(stdout).toMatch(/pictures {2}1 to 8, fastest at 4/);
    expect(stdout).toMatch(/timings {3}timing\.cache \(used\)/);
    expect(stdout).toContain("--backend trt --allow-untrusted");
    const json = await runCli(["compile", "acme/bolts/3", "--json"], { services: { compileModel } });
    expect(JSON.parse(json.stdout)).toEqual(COMPILED);
  });

  it("shows progress on a terminal, and none elsewhere", async () => {
    const compileModel = (_id: string, { onProgress }: CompileModelOptions): Promise<CompiledModel> => {
      const building = { name: "Building", parent: null, steps: 4, done: 1 };
      const timing = { name: "Timing tactics", parent: "Building", steps: 20, done: 12 };
      onProgress?.({ type: "building", fraction: 0.4, phases: [building, timing] });
      return Promise.resolve(COMPILED);
    };
    const terminal = await runCli(["compile", "m"], { services: { compileModel }, tty: true, env: { NO_COLOR: "1" } });
    expect(terminal.stderr).toMatch(/Building \[#{12}-{18}\] 40 % {2}Timing tactics \(12 of 20\)/);
    expect(terminal.stderr.endsWith("\r\u001B[2K")).toBe(true);
    expect((await runCli(["compile", "m"], { services: { compileModel } })).stderr).toBe("");
  });

  it("shows before and during the build what is known of it", async () => {
    const compileModel = (_id: string, { onProgress }: CompileModelOptions): Promise<CompiledModel> => {
      onProgress?.({ type: "estimated", estimate: { ...ESTIMATE, seconds: { lowest: 7200, highest: 9000, builds: 4 } } });
      onProgress?.({ type: "building", fraction: 0.4, phases: [] });
      return Promise.resolve(COMPILED);
    };
    const { stderr } = await runCli(["compile", "m"], { services: { compileModel }, tty: true, env: { NO_COLOR: "1" } });
    expect(stderr).toContain(`\r\u001B[2K${LINE}; 4 earlier builds on this GPU suggest 2 to 2.5 hours\n`);
    expect(stderr).toMatch(/Building \[#{12}-{18}\] 40 %, 2 to 2\.5 hours left/);
    expect((await runCli(["compile", "m"], { services: { compileModel } })).stderr).toBe("");
  });

  it("says times as people do, and none that nobody knows", () => {
    expect(estimateLine({ ...ESTIMATE, seconds: { lowest: 50, highest: 50, builds: 1 } })).toBe(
      `${LINE}; 1 earlier build on this GPU suggests 50 seconds`,
    );
    expect(estimateLine({ ...ESTIMATE, seconds: null, heavyOperators: 1, parameters: 40_500, weightsFit: "when-freed" })).toBe(
      "1 convolution or matrix product, 40.5 thousand parameters, engine at least 6.1 MB; more than is free on the GPU at the moment",
    );
    expect(durationRange(0.01, 1.4)).toBe("1 second");
    expect(durationRange(50, 130)).toBe("50 seconds to 2 minutes");
    expect(durationRange(600, 5400)).toBe("10 minutes to 1.5 hours");
    expect(timeLeft(ESTIMATE, 20)).toBe("40 seconds to 2 minutes left");
    expect(timeLeft(ESTIMATE, 90)).toBe("at most 30 seconds left");
    // Longer than any before: nothing is known any more.
    expect(timeLeft(ESTIMATE, 120)).toBeNull();
    expect(timeLeft({ ...ESTIMATE, seconds: null }, 1)).toBeNull();
  });

  it("with --dry-run says what it would take, and builds nothing", async () => {
    const calls: [string, CompileModelOptions][] = [];
    const plan: CompilationPlan = { modelId: "acme/bolts/3", sourceDirectory: "/cache/one", quantization: "fp16", estimate: ESTIMATE };
    const planCompilation = (id: string, options: CompileModelOptions): Promise<CompilationPlan> => (
      calls.push([id, options]),
      Promise.resolve(plan)
    );
    const { code, stdout, stderr } = await runCli(["compile", "bolts", "--dry-run", "--fp16"], { services: { planCompilation } });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(calls).toMatchObject([["bolts", { fp16: true }]]);
    expect(stdout.split("\n")).toEqual([
      "model     acme/bolts/3",
      "network   200 operators, of them 64 convolutions and matrix products, 3.2 million parameters (12.02 MB)",
      "work      4.4 billion multiply-adds for a run",
      "engine    at least 6.1 MB, fp16",
      "GPU       cuda:1 (NVIDIA L4), 20.0 GB free of 24.0 GB; the weights fit",
      "builder   TensorRT 10.15.1.29",
      "time      4 earlier builds on this GPU suggest 1 to 2 minutes",
      "from      /cache/one",
      "",
    ]);
    const json = await runCli(["compile", "bolts", "--dry-run", "--json"], { services: { planCompilation } });
    expect(JSON.parse(json.stdout)).toEqual(plan);
    const nothing = { ...ESTIMATE, gpu: null, tensorRtVersion: null, weightsFit: null, seconds: null, multiplyAdds: null };
    const bare = { planCompilation: () => Promise.resolve({ ...plan, estimate: nothing }) };
    const { stdout: unknown } = await runCli(["compile", "bolts", "--dry-run"], { services: bare });
    expect(unknown).toMatch(/work {6}not known.*\n.*\nGPU {7}none was found\nbuilder {3}no TensorRT.*\ntime {6}not known/);
  });

  it("fails with the reason and its page, and with 130 when it is interrupted", async () => {
    const refused = { compileModel: () => Promise.reject(new EngineBuildError("Node 3 (Thing) is not supported.")) };
    const failed = await runCli(["compile", "m"], { services: refused });
    expect(failed).toMatchObject({ code: 1, stdout: "" });
    expect(failed.stderr).toMatch(
      /error: Node 3 \(Thing\) is not supported\.\n.*ENGINE_BUILD, explained at .*models-runtime\.md#enginebuilderror/,
    );
    const controller = new AbortController();
    const interrupted = {
      compileModel: (_id: string, { signal }: CompileModelOptions) => {
        controller.abort();
        return Promise.reject(signal?.reason as Error);
      },
    };
    const { code, stderr } = await runCli(["compile", "m"], { services: interrupted, signal: controller.signal });
    expect({ code, stderr }).toEqual({ code: 130, stderr: "Interrupted.\n" });
  });

  it.each([
    ["a misspelled command", ["compil", "m"], /Did you mean compile\?/],
    ["a misspelled option", ["compile", "m", "--fp61"], /Did you mean --fp16\?/],
    ["no model", ["compile"], /missing required argument 'model'/],
    ["a range that falls", ["compile", "m", "--batch", "4,2,8"], /MIN,BEST,MAX/],
    ["half a range", ["compile", "m", "--batch", "4,2"], /MIN,BEST,MAX/],
    ["no picture at all", ["compile", "m", "--batch", "0"], /MIN,BEST,MAX/],
    ["another device", ["compile", "m", "--device", "cpu"], /cuda or cuda:N/],
    ["no engine", ["inspect"], /missing required argument 'engine'/],
  ])("%s is refused with code 2", async (_name, argv, message) => {
    const { code, stdout, stderr } = await runCli(argv);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toMatch(message);
  });
});

describe.skipIf(fakes === null)("compile and inspect on the stand-ins", () => {
  let scratch: string;
  const services = {
    compileModel: packageServices.compileModel,
    planCompilation: packageServices.planCompilation,
    inspectEngine: packageServices.inspectEngine,
  };

  beforeEach(async () => {
    scratch = await mkdtemp(join(tmpdir(), "inference-models-"));
    vi.stubEnv("INFERENCE_HOME", join(scratch, "home"));
    vi.stubEnv("INFERENCE_MODELS_CUDA_LIBRARY_PATH", join(fakes!, "cuda"));
    vi.stubEnv("INFERENCE_MODELS_TENSORRT_LIBRARY_PATH", join(fakes!, "trt10"));
    forgetRuntimeXRay();
  });
  afterEach(async () => {
    vi.unstubAllEnvs();
    forgetRuntimeXRay();
    await rm(scratch, { recursive: true, force: true });
  });

  it("build a folder and say what is in it", async () => {
    const source = await writePackage({ weights: constantNetwork([YOLO_HEAD], { width: 64, height: 64 }, "n") });
    const output = join(scratch, "engine");
    const planned = await runCli(["compile", source, "--dry-run", "--batch", "1,2,4", "--json"], { services });
    expect(planned).toMatchObject({ code: 0, stderr: "" });
    expect(JSON.parse(planned.stdout)).toMatchObject({ sourceDirectory: source, estimate: { gpu: { ordinal: 0 }, seconds: null } });
    const compiled = await runCli(["compile", source, "--output", output, "--batch", "1,2,4", "--json"], { services });
    expect(compiled).toMatchObject({ code: 0, stderr: "" });
    expect(JSON.parse(compiled.stdout)).toMatchObject({
      directory: output,
      batch: { kind: "dynamic", minimum: 1, optimum: 2, maximum: 4 },
    });
    const plan = join(output, "engine.plan");
    const inspected = await runCli(["inspect", plan], { services });
    expect(inspected).toMatchObject({ code: 0, stderr: "" });
    expect(inspected.stdout).toMatch(/built by {2}TensorRT 10\.15\.1\.1\n/);
    expect(inspected.stdout).toMatch(/runs on {3}cuda:0 \(Stand-in GPU 0\), TensorRT 10\.15\.1\.1\n/);
    expect(inspected.stdout).toMatch(/input {3}images {3}float32 {2}\? x 3 x 64 x 64\n/);
    expect(inspected.stdout).toMatch(/0 {8}images {2}1 x 3 x 64 x 64 {2}2 x 3 x 64 x 64 {2}4 x 3 x 64 x 64/);
    const json = await runCli(["inspect", plan, "--json"], { services });
    expect(JSON.parse(json.stdout)).toMatchObject({ bytes: (await readFile(plan)).length, problem: null, loaded: { profiles: [{}] } });
  });

  it("show the header of an engine that cannot be loaded here", async () => {
    const path = join(scratch, "engine.plan");
    await writeFile(path, fakePlan([11, 9, 0, 7], ["in x 0 1 1", "out y 0 1 1"]));
    const { code, stdout } = await runCli(["inspect", path], { services });
    expect(code).toBe(0);
    expect(stdout).toMatch(/TensorRT 11\.9\.0\.7\n\nIt cannot be loaded here.*install 11\.9\.0\.7.*\(TENSOR_RT\)/);
    await writeFile(path, "no engine");
    const failed = await runCli(["inspect", path], { services });
    expect(failed).toMatchObject({ code: 1, stdout: "" });
    expect(failed.stderr).toMatch(/does not begin with "ftrt"/);
  });
});
