import { join } from "node:path";
import { describe, expect, it } from "vitest";

import { loadAddon } from "../../src/native/index.js";
import { nvidiaFakes } from "../support/nvidia-fakes.js";

const addon = loadAddon();
if (addon === null) process.stderr.write("skipped: the addon is not available\n");
const fakes = addon === null ? null : nvidiaFakes();

describe.skipIf(addon === null)("probeNvidia", () => {
  it("answers on any machine: what is missing has its reason", async () => {
    const probe = await addon!.probeNvidia({ cudaLibraryPath: "/nowhere", tensorRtLibraryPath: "/nowhere" });
    expect(probe.tensorRt.length).toBeGreaterThan(0);
    for (const library of [probe.driver, probe.nvml, probe.cudaRuntime, probe.onnxParser, ...probe.tensorRt]) {
      if (library.path === null) expect(library.reason).toContain("/nowhere: does not exist");
      else expect(library.version ?? library.reason).toBeTypeOf("string");
    }
  });

  it.each([
    undefined,
    null,
    "cuda",
    {},
    { cudaLibraryPath: "", tensorRtLibraryPath: 3 },
    { cudaLibraryPath: null, tensorRtLibraryPath: "" },
  ])("refuses %j", (options) => {
    expect(() => addon!.probeNvidia(options as never)).toThrow(/Expected/);
  });

  it.skipIf(fakes === null)("describes a machine with a GPU", async () => {
    const probe = await addon!.probeNvidia({ cudaLibraryPath: join(fakes!, "cuda"), tensorRtLibraryPath: join(fakes!, "versions") });
    const found = (path: string, version: string) => ({ path: join(fakes!, path), version, reason: null });
    expect(probe.driver).toEqual(found("cuda/libcuda.so.1", "12.4"));
    expect(probe.nvml).toEqual(found("cuda/libnvidia-ml.so.1", "550.54.15"));
    expect(probe.devices).toEqual([
      {
        name: "Stand-in GPU 0",
        computeCapability: "8.9",
        memoryBytes: 2 ** 30,
        multiprocessors: 58,
        uuid: "GPU-00102030-4050-6070-8090-a0b0c0d0e0f0",
      },
    ]);
    expect(probe.tensorRt).toContainEqual({ ...found("versions/libnvinfer.so.10", "10.15.1.29"), kind: "full" });
    expect(probe.tensorRt).toContainEqual({ ...found("versions/libnvinfer_lean.so.11", "11.4.0"), kind: "lean" });
    expect(probe.onnxParser).toEqual(found("versions/libnvonnxparser.so.10", "0.1.0"));
  });

  it("settles several at once", async () => {
    const options = { cudaLibraryPath: "", tensorRtLibraryPath: "" };
    const [first, second] = await Promise.all([addon!.probeNvidia(options), addon!.probeNvidia(options)]);
    expect(second).toEqual(first);
  });
});
