import { describe, expect, it } from "vitest";

import type { EnvironmentReport } from "../../src/environment/index.js";
import { InvalidEnvVariable } from "../../src/errors.js";
import { runCli } from "./support.js";

const REPORT: EnvironmentReport = {
  packageVersion: "1.2.3",
  node: { version: "v20.19.0", nodeApi: "9" },
  system: {
    platform: "linux",
    architecture: "arm64",
    release: "5.15.148-tegra",
    libc: { name: "glibc", version: "2.35" },
    memoryBytes: 8 * 2 ** 30,
  },
  cpu: { model: "ARMv8", logicalCores: 6, features: ["asimd"] },
  osVersion: "ubuntu-22.04",
  addon: { found: true, path: "/p/addon.node", version: "1.2.3", problem: null, simd: "baseline", compiler: "GNU 11.4.0", attempts: [] },
  jetson: {
    detected: true,
    type: "nvidia-jetson-orin-nano",
    typeSource: "device tree",
    l4t: { found: true, path: "/etc/nv_tegra_release", version: "36.4.3", problem: null },
  },
  nvidia: {
    source: "addon",
    problem: null,
    driver: { found: false, reason: "libnvidia-ml.so.1 was not found" },
    cudaDriver: { found: true, path: "/l/libcuda.so.1", version: "12.6", problem: null },
    cudaRuntime: { found: true, path: "/l/libcudart.so.12", version: null, problem: "cudaRuntimeGetVersion: 35" },
    cudaVersion: "12.6",
    gpus: [{ name: "Orin", computeCapability: "8.7", memoryBytes: 7.5 * 2 ** 30, multiprocessors: 8, uuid: null }],
    tensorRt: {
      full: { found: true, path: "/l/libnvinfer.so.10", version: "10.3.0", problem: null },
      lean: { found: false, reason: "there is none" },
      dispatch: { found: false, reason: "there is none" },
    },
    onnxParser: { found: false, reason: "there is none" },
  },
  onnxRuntime: {
    library: { found: true, path: "/m/libonnxruntime.so.1", version: "1.30.0", problem: null },
    executionProviders: [
      { name: "CUDAExecutionProvider", available: false, reason: "its library is missing" },
      { name: "CPUExecutionProvider", available: true, reason: null },
    ],
  },
  sharp: { found: true, path: null, version: "0.35.5", problem: null },
  notes: ["ONNX models run without CUDA."],
};
const services = { describeEnvironment: () => Promise.resolve(REPORT) };

describe("environment", () => {
  it("is a line for each thing, with what was found, what failed and what to know", async () => {
    const { code, stdout, stderr } = await runCli(["environment"], { services });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const row = (title: string): string => new RegExp(`^${title} {2,}(.*)$`, "m").exec(stdout)?.[1] ?? "";
    expect(row("GPU 0")).toBe("Orin, compute capability 8.7, 7.5 GiB");
    expect(row("Jetson type")).toBe("nvidia-jetson-orin-nano, from device tree");
    expect(row("NVIDIA driver")).toBe("not found: libnvidia-ml.so.1 was not found");
    expect(row("CUDA runtime")).toBe("/l/libcudart.so.12; but cudaRuntimeGetVersion: 35");
    expect(row("Execution providers")).toBe("CPUExecutionProvider");
    expect(row("CUDAExecutionProvider")).toBe("not available: its library is missing");
    expect(stdout).toMatch(/\n\nnote: ONNX models run without CUDA\.\n$/);
  });

  it("is coloured on a terminal only, and says the same", async () => {
    const plain = await runCli(["environment"], { services });
    const terminal = await runCli(["environment"], { services, tty: true });
    expect(plain.stdout).not.toContain("\u001B[");
    expect(terminal.stdout).toContain("\u001B[");
    expect(terminal.stdout.replaceAll(/\u001B\[\d+m/g, "")).toBe(plain.stdout);
  });

  it("is one JSON document, also when it fails", async () => {
    expect(JSON.parse((await runCli(["environment", "--json"], { services })).stdout)).toEqual(REPORT);
    const failing = { describeEnvironment: () => Promise.reject(new InvalidEnvVariable("RUNNING_ON_JETSON is odd.", { variable: "X" })) };
    const { code, stdout, stderr } = await runCli(["environment", "--json"], { services: failing });
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: "INVALID_ENV_VARIABLE" } });
    expect(stderr).toContain("RUNNING_ON_JETSON");
  });
});
