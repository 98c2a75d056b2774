/** Everything that keeps an engine from running, through the public interface: its class, its reason, its words, its page of help. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import type { EnvironmentReport, Finding } from "../../../src/environment/index.js";
import { loadAddon } from "../../../src/native/index.js";
import { localTrtPackageId, writeLocalTrtPackage, type LocalTrtPackage } from "../../../src/providers/index.js";
import { runChild } from "../../support/child.js";
import { ENGINE_LINES, writeEnginePackage } from "../../support/engine-packages.js";
import { sectionOf } from "../../support/help-pages.js";
import { fakePlan, nvidiaFakes } from "../../support/nvidia-fakes.js";
import { makeUnusableLibraries } from "../../support/unusable-libraries.js";

const fakes = loadAddon() === null ? null : nvidiaFakes();

interface Outcome {
  readonly name: string;
  readonly code: string;
  readonly reason?: string;
  readonly helpUrl: string;
  readonly message: string;
  readonly dependency?: string;
}

interface Loads {
  readonly outcomes: readonly (Outcome | null)[];
  readonly nvidia: EnvironmentReport["nvidia"];
}

const LINES = ["in x 0 2 1 3", "out y 0 2 1 3"];

describe.skipIf(fakes === null)("what keeps an engine from running", () => {
  const scratch = mkdtempSync(join(tmpdir(), "inference-models-"));
  let libraries: (name: string) => string;
  let packageFolder: string;

  beforeAll(async () => {
    libraries = makeUnusableLibraries(join(scratch, "libraries"), fakes!);
    packageFolder = await writeEnginePackage({ static_batch_size: 1 });
  }, 120_000);
  afterAll(() => rmSync(scratch, { recursive: true, force: true }));

  /** Another process each time: a library that is open stays open. */
  async function loadIn(
    { cuda = join(fakes!, "cuda"), tensorRt = join(fakes!, "trt10"), ...environment }: Readonly<Record<string, string>>,
    what: { readonly engines?: readonly string[]; readonly packages?: readonly string[] },
  ): Promise<Loads> {
    const work = JSON.stringify({ engines: [], packages: [], ...what });
    const folders = { INFERENCE_MODELS_CUDA_LIBRARY_PATH: cuda, INFERENCE_MODELS_TENSORRT_LIBRARY_PATH: tensorRt };
    const { code, stdout, stderr } = await runChild(new URL("./children/load.ts", import.meta.url), [work], [], {
      ...environment,
      ...folders,
    });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    return JSON.parse(stdout) as Loads;
  }

  function engine(name: string, plan: Uint8Array): string {
    mkdirSync(join(scratch, "engines"), { recursive: true });
    const path = join(scratch, "engines", name);
    writeFileSync(path, plan);
    return path;
  }

  function expectReason(outcome: Outcome | null | undefined, name: string, reason: string, ...words: readonly RegExp[]): void {
    expect(outcome).toMatchObject({ name, reason });
    for (const word of words) expect(outcome!.message).toMatch(word);
    expect(outcome!.helpUrl).toMatch(new RegExp(`/docs/errors/gpu-and-tensorrt\\.md#${reason}$`));
    expect(sectionOf(outcome!.helpUrl)).toContain(`\`${name}\``);
  }

  const problemOf = (finding: Finding): string => (finding.found ? finding.problem : finding.reason) ?? "";

  describe("of the machine", () => {
    const WHERE_CUDA = /INFERENCE_MODELS_CUDA_LIBRARY_PATH/;
    const WHERE_TENSORRT = /INFERENCE_MODELS_TENSORRT_LIBRARY_PATH/;
    it.each<readonly [string, Readonly<Record<string, string>>, string, string, readonly RegExp[]]>([
      [
        "no driver",
        { cuda: "empty" },
        "MissingDependencyError",
        "driver-missing",
        [/There is no NVIDIA driver/, WHERE_CUDA, /no libcuda\.so\.1 in .*empty/],
      ],
      [
        "a text as driver",
        { cuda: "text-cuda" },
        "MissingDependencyError",
        "driver-not-loadable",
        [/is there but cannot be opened: .*text-cuda\/libcuda\.so\.1/, WHERE_CUDA],
      ],
      [
        "a driver without functions",
        { cuda: "bare-cuda" },
        "MissingDependencyError",
        "driver-not-loadable",
        [/bare-cuda\/libcuda\.so\.1: has no function cuInit/],
      ],
      [
        "an old driver",
        { cuda: "old-cuda" },
        "CudaError",
        "driver-too-old",
        [/too old: .*old-cuda\/libcuda\.so\.1 supports CUDA 11\.2/, /CUDA 11\.4 .* newer/, /Update the driver/],
      ],
      [
        "a driver of an old version with all functions",
        { FAKE_CUDA_VERSION: "11020" },
        "CudaError",
        "driver-too-old",
        [/supports CUDA 11\.2; /],
      ],
      [
        "a driver that lists no GPU",
        { FAKE_CUDA_DEVICES: "0" },
        "CudaError",
        "no-gpu",
        [/cuInit failed: CUDA_ERROR_NO_DEVICE/, /CUDA_VISIBLE_DEVICES/],
      ],
      [
        "no TensorRT",
        { tensorRt: "empty" },
        "MissingDependencyError",
        "tensorrt-missing",
        [/TensorRT is not installed/, WHERE_TENSORRT, /no libnvinfer\.so\.10 in .*empty/],
      ],
      [
        "a text as TensorRT",
        { tensorRt: "text-trt" },
        "MissingDependencyError",
        "tensorrt-not-loadable",
        [/is there but cannot be opened: .*text-trt\/libnvinfer\.so\.10/, WHERE_TENSORRT],
      ],
      [
        "a TensorRT without functions",
        { tensorRt: "bare-trt" },
        "MissingDependencyError",
        "tensorrt-not-loadable",
        [/has no function getInferLibVersion/],
      ],
      ["a TensorRT that lacks a library", { tensorRt: "needy-trt" }, "MissingDependencyError", "tensorrt-not-loadable", [/libgone\.so/]],
      [
        "TensorRT 8",
        { tensorRt: "trt8" },
        "MissingDependencyError",
        "tensorrt-other-major",
        [/of another major version than 10 and 11: .*trt8\/libnvinfer\.so\.8 is TensorRT 8\.6\.1/, WHERE_TENSORRT],
      ],
      [
        "TensorRT 8 under the name of 10",
        { tensorRt: "trt8-as-10" },
        "MissingDependencyError",
        "tensorrt-other-major",
        [/libnvinfer\.so\.10 is TensorRT 8\.6\.1/],
      ],
      ["TensorRT 12", { tensorRt: "trt12" }, "MissingDependencyError", "tensorrt-other-major", [/libnvinfer\.so\.12 is TensorRT 12\.0\.0/]],
    ])(
      "%s",
      async (_what, { cuda, tensorRt, ...environment }, name, reason, words) => {
        const folders = {
          ...(cuda === undefined ? {} : { cuda: libraries(cuda) }),
          ...(tensorRt === undefined ? {} : { tensorRt: libraries(tensorRt) }),
        };
        const engines = [engine("good.plan", fakePlan([10, 15, 1, 29], LINES))];
        const { outcomes, nvidia } = await loadIn({ ...environment, ...folders }, { engines, packages: [packageFolder] });
        for (const outcome of outcomes) expectReason(outcome, name, reason, ...words);
        expect(outcomes).toHaveLength(2);
        if (name === "MissingDependencyError") expect(outcomes[0]!.dependency).toBe(tensorRt === undefined ? "libcuda" : "libnvinfer");
        // The report about the machine says the same.
        const problem = problemOf(tensorRt === undefined ? nvidia.cudaDriver : nvidia.tensorRt.full);
        for (const word of words) expect(problem).toMatch(word);
      },
      60_000,
    );

    it("a TensorRT that is there and does nothing, or wants another driver", async () => {
      const engines = [engine("good.plan", fakePlan([10, 15, 1, 29], LINES))];
      const lacking = await loadIn({ tensorRt: libraries("runs-nothing") }, { engines });
      expectReason(lacking.outcomes[0], "MissingDependencyError", "tensorrt-lacks-part", /createInferRuntime_INTERNAL/);
      const newer = await loadIn({ tensorRt: libraries("newer-cuda") }, { engines });
      expectReason(newer.outcomes[0], "TensorRtError", "driver-too-old", /error: 35/, /supports CUDA 12\.4/, /Update the driver/);
      const dispatch = await loadIn({ tensorRt: join(fakes!, "trt10-dispatch") }, { engines });
      expectReason(dispatch.outcomes[0], "MissingDependencyError", "tensorrt-host-code", /engineHostCodeAllowed/);
    }, 60_000);
  });

  it("an engine that is none, not whole, or for something else", async () => {
    const good = fakePlan([10, 15, 1, 29], LINES);
    const noise = Uint8Array.from({ length: 5000 }, (_, index) => Math.imul(index + 7, 2654435761) >>> 24);
    const noisyBody = Uint8Array.from([...good.subarray(0, 28), ...noise]);
    const noisyForm = Uint8Array.from([...good.subarray(0, 4), ...noise]);
    const description = new TextEncoder().encode('{"stride": 32}');
    const ultralytics = Uint8Array.from([description.length, 0, 0, 0, ...description, ...good]);
    const cases: readonly (readonly [string, string, string, RegExp])[] = [
      [join(scratch, "nowhere.plan"), "CorruptedModelPackageError", "engine-unreadable", /nowhere\.plan cannot be read/],
      [scratch, "CorruptedModelPackageError", "engine-unreadable", /cannot be read/],
      [engine("empty.plan", new Uint8Array()), "CorruptedModelPackageError", "engine-empty", /is empty/],
      [engine("noise.plan", noise), "CorruptedModelPackageError", "engine-other-format", /does not begin with "ftrt"/],
      [engine("form.plan", noisyForm), "CorruptedModelPackageError", "engine-other-format", /written in form \d+/],
      [engine("ultralytics.plan", ultralytics), "CorruptedModelPackageError", "engine-other-format", /Ultralytics/],
      [engine("head.plan", good.subarray(0, 20)), "CorruptedModelPackageError", "engine-cut-off", /has 20 bytes, its header alone has 28/],
      [
        engine("body.plan", good.subarray(0, 34)),
        "CorruptedModelPackageError",
        "engine-refused",
        /damaged or cut off.*the plan is damaged/,
      ],
      [engine("noisy.plan", noisyBody), "CorruptedModelPackageError", "engine-refused", /damaged or cut off.*TensorRT says/],
      [
        engine("v9.plan", fakePlan([9, 3, 0, 1], LINES)),
        "TensorRtError",
        "engine-older",
        /built by TensorRT 9\.3\.0\.1.*engineHostCodeAllowed/,
      ],
      [
        engine("old.plan", fakePlan([10, 3, 0, 26], LINES)),
        "TensorRtError",
        "engine-older",
        /built by TensorRT 10\.3\.0\.26, installed is 10\.15/,
      ],
      [
        engine("new.plan", fakePlan([10, 16, 0, 1], LINES)),
        "TensorRtError",
        "engine-newer",
        /never loads in an older release.*libnvinfer\.so\.10 is 10\.15/,
      ],
      [engine("v11.plan", fakePlan([11, 1, 0, 1], LINES)), "TensorRtError", "engine-newer", /install 11\.1\.0/],
      [
        engine("gpu.plan", fakePlan([10, 15, 1, 29], ["compute 86", ...LINES])),
        "TensorRtError",
        "engine-other-gpu",
        /incompatible device, expecting compute 8\.9 got compute 8\.6/,
      ],
    ];
    const packages = await Promise.all([good.subarray(0, 34), noise].map((plan) => writeEnginePackage({ static_batch_size: 1 }, plan)));
    const { outcomes } = await loadIn({}, { engines: cases.map(([path]) => path), packages });
    for (const [index, [, name, reason, words]] of cases.entries()) expectReason(outcomes[index], name, reason, words);
    const ofPackages = outcomes.slice(cases.length);
    expectReason(ofPackages[0], "CorruptedModelPackageError", "engine-refused");
    expectReason(ofPackages[1], "CorruptedModelPackageError", "engine-other-format");
    expect(new Set(outcomes.map((outcome) => outcome?.message)).size).toBe(outcomes.length);
  }, 60_000);

  it("memory that is not there", async () => {
    const { outcomes } = await loadIn({}, { engines: [engine("big.plan", fakePlan([10, 15, 1, 29], [...LINES, "weights 99000000000"]))] });
    const [big] = outcomes;
    expect(big).toMatchObject({ name: "OutOfDeviceMemoryError", freeBytes: expect.any(Number), requestedBytes: expect.any(Number) });
    const { requestedBytes, freeBytes } = big as Outcome & { readonly requestedBytes: number; readonly freeBytes: number };
    expect(requestedBytes).toBeGreaterThanOrEqual(99000000000);
    expect(freeBytes).toBeLessThan(requestedBytes);
    expect(sectionOf(big!.helpUrl)).toContain("freeBytes");
    // The context itself does not fit: nobody asked for a number of bytes.
    const full = { FAKE_CUDA_FAIL: "cuDevicePrimaryCtxRetain", FAKE_CUDA_FAIL_CODE: "2" };
    const engines = [engine("good.plan", fakePlan([10, 15, 1, 29], LINES))];
    const { outcomes: ofFull } = await loadIn(full, { engines });
    expect(ofFull[0]).toMatchObject({ name: "OutOfDeviceMemoryError", requestedBytes: null, freeBytes: null });
  }, 60_000);

  it("takes the library that fits the engine, not the first one", async () => {
    const engines = [engine("good.plan", fakePlan([10, 15, 1, 29], LINES))];
    expect((await loadIn({ tensorRt: libraries("lean-fits") }, { engines })).outcomes).toEqual([null]);
    const { outcomes } = await loadIn({ tensorRt: libraries("full-10.3") }, { engines });
    expectReason(outcomes[0], "TensorRtError", "engine-newer", /full-10\.3\/libnvinfer\.so\.10 is 10\.3\.0/);
  }, 60_000);

  describe("of a package that was compiled here", () => {
    const settings: Omit<LocalTrtPackage, "engine" | "machine"> = {
      tensorRtVersion: "10.15.1",
      quantization: "fp16",
      batch: { kind: "static", batchSize: 1 },
      sameComputeCapability: false,
      versionCompatible: false,
      descriptions: {},
    };
    async function writeCompiled(computeCapability: string, sameComputeCapability = false): Promise<string> {
      const directory = await writeEnginePackage({ static_batch_size: 1 });
      const platform = { kind: "gpu-server", osVersion: "ubuntu-24.04" } as const;
      const machine = { gpu: "stand-in-gpu-0", computeCapability, cudaVersion: "12.4", driverVersion: "550.54.15", platform };
      const compiled = { ...settings, sameComputeCapability, machine, engine: fakePlan([10, 15, 1, 29], ENGINE_LINES) };
      expect(localTrtPackageId(compiled)).toMatch(/^localtrt/);
      await writeLocalTrtPackage(directory, compiled);
      return directory;
    }

    it("is compared with its manifest before TensorRT sees it", async () => {
      const cut = await writeCompiled("8.9");
      writeFileSync(join(cut, "engine.plan"), fakePlan([10, 15, 1, 29], ENGINE_LINES).subarray(0, 40));
      const packages = [await writeCompiled("8.9"), cut, await writeCompiled("8.6"), await writeCompiled("8.6", true)];
      const { outcomes } = await loadIn({}, { packages });
      expect(outcomes[0]).toBeNull();
      expectReason(outcomes[1], "CorruptedModelPackageError", "engine-altered", /its MD5 is another one/);
      expectReason(outcomes[2], "TensorRtError", "engine-other-gpu", /compute capability 8\.6, and is to run on stand-in-gpu-0, of 8\.9/);
      // What may run on more GPUs only TensorRT can judge, and here it does not mind.
      expect(outcomes[3]).toBeNull();
    }, 60_000);
  });
});
