import fc from "fast-check";
import { afterEach, describe, expect, it, vi } from "vitest";

import { configure } from "../../src/configuration.js";
import {
  defaultOnnxExecutionProviders,
  describeEnvironment,
  parseRuntimeXRay,
  toRuntimeXRay,
  xRayRuntimeEnvironment,
} from "../../src/environment/index.js";
import { forgetRuntimeXRay } from "../../src/environment/x-ray.js";
import { InvalidParameterError, JetsonTypeResolutionError, RuntimeIntrospectionError } from "../../src/errors.js";
import { parseVersion } from "../../src/versions.js";

afterEach(() => {
  vi.unstubAllEnvs();
  configure({});
  forgetRuntimeXRay();
});

describe("the x-ray of this machine", () => {
  it("is looked at once, and is what the report says", async () => {
    const xRay = await xRayRuntimeEnvironment();
    expect(await xRayRuntimeEnvironment()).toBe(xRay);
    expect(xRay).toEqual(toRuntimeXRay(await describeEnvironment()));
    forgetRuntimeXRay();
    expect(await xRayRuntimeEnvironment()).not.toBe(xRay);
  });

  it("holds versions that can be compared", async () => {
    const { gpuDevices, gpuDevicesCc, driverVersion, cudaVersion, trtVersion, onnxruntimeVersion, availableOnnxExecutionProviders } =
      await xRayRuntimeEnvironment();
    expect(gpuDevicesCc).toHaveLength(gpuDevices.length);
    for (const version of [...gpuDevicesCc, driverVersion, cudaVersion, trtVersion, onnxruntimeVersion]) {
      if (version !== null) expect(parseVersion(version)).not.toBeNull();
    }
    expect(availableOnnxExecutionProviders).toContain("CPUExecutionProvider");
  });

  it("fails for a wrong setting, and is looked at again once that is corrected", async () => {
    vi.stubEnv("JETSON_MODULE", "Jetson 9000");
    await expect(xRayRuntimeEnvironment()).rejects.toBeInstanceOf(JetsonTypeResolutionError);
    vi.stubEnv("JETSON_MODULE", "NVIDIA Jetson Nano");
    await expect(xRayRuntimeEnvironment()).resolves.toMatchObject({ jetsonType: "nvidia-jetson-nano", osVersion: null });
  });
});

describe("saved x-rays and reports", () => {
  it("are read back as they were", async () => {
    const [report, xRay] = await Promise.all([describeEnvironment(), xRayRuntimeEnvironment()]);
    expect(parseRuntimeXRay(JSON.stringify(xRay))).toEqual(xRay);
    expect(parseRuntimeXRay(JSON.stringify(report))).toEqual(xRay);
    expect(parseRuntimeXRay({ ...xRay, somethingNew: 1 })).toEqual(xRay);
  });

  it("are refused with the field that is wrong", async () => {
    const xRay = await xRayRuntimeEnvironment();
    expect(() => parseRuntimeXRay({ ...xRay, cudaVersion: "newest" })).toThrow(/cudaVersion/);
    expect(() => parseRuntimeXRay({ ...xRay, gpuDevices: ["nvidia-l4"], gpuDevicesCc: [] })).toThrow(InvalidParameterError);
    const report = await describeEnvironment();
    expect(() => parseRuntimeXRay({ ...report, nvidia: { ...report.nvidia, gpus: 3 } })).toThrow(/nvidia\.gpus/);
    expect(() => parseRuntimeXRay("{")).toThrow(InvalidParameterError);
    expect(() => parseRuntimeXRay(`"${"x".repeat(2 ** 21)}"`)).toThrow(/characters/);
  });

  it("that contradict themselves are refused as on the machine itself", async () => {
    const report = await describeEnvironment();
    const gpus = [{ name: "Orin", computeCapability: "8.7", memoryBytes: null, multiprocessors: null, uuid: null }];
    expect(() => parseRuntimeXRay({ ...report, nvidia: { ...report.nvidia, gpus } })).toThrow(RuntimeIntrospectionError);
  });

  it("of any other kind end in the one error", () => {
    fc.assert(
      fc.property(fc.anything(), (value) => {
        expect(() => parseRuntimeXRay(value)).toThrow(InvalidParameterError);
      }),
    );
  });
});

describe("execution providers by default", () => {
  const choose = (...names: readonly string[]) => defaultOnnxExecutionProviders({ availableOnnxExecutionProviders: names });

  it("CUDA before the processor, TensorRT only when it is asked for", () => {
    expect(choose("TensorrtExecutionProvider", "CPUExecutionProvider", "CUDAExecutionProvider")).toEqual([
      "CUDAExecutionProvider",
      "CPUExecutionProvider",
    ]);
    vi.stubEnv("ONNXRUNTIME_EXECUTION_PROVIDERS", "[tensorrt, CPU, cpu, qnn]");
    expect(choose("CPUExecutionProvider", "TensorrtExecutionProvider")).toEqual(["TensorrtExecutionProvider", "CPUExecutionProvider"]);
  });

  it("no GPU for a model that is to run on the processor", () => {
    const machine = { availableOnnxExecutionProviders: ["CUDAExecutionProvider", "CPUExecutionProvider"] };
    expect(defaultOnnxExecutionProviders(machine, "cpu")).toEqual(["CPUExecutionProvider"]);
    expect(defaultOnnxExecutionProviders(machine, "cuda:1")).toEqual(["CUDAExecutionProvider", "CPUExecutionProvider"]);
  });

  it("none where there are none", () => {
    expect(defaultOnnxExecutionProviders({ availableOnnxExecutionProviders: null })).toEqual([]);
    configure({ onnx: { executionProviders: ["cuda"] } });
    expect(choose("CPUExecutionProvider")).toEqual([]);
  });
});
