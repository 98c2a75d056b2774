import { describe, expect, it } from "vitest";

import { ADDON_INTERFACE_VERSION, type NativeAddon } from "../../src/native/addon.js";
import { loadAddon } from "../../src/native/index.js";
import { runChild } from "../support/child.js";

const addon = loadAddon();
if (addon === null) process.stderr.write("skipped: the addon is not available\n");

/** Every name of the declaration; the compiler notices a missing or a foreign one. */
const NAMES: Readonly<Record<keyof NativeAddon, true>> = {
  interfaceVersion: true,
  buildInfo: true,
  allocate: true,
  memoryInUse: true,
  preprocess: true,
  openDevicePreprocessor: true,
  assembleMasks: true,
  decodeOnDevice: true,
  measureDevice: true,
  decodeDense: true,
  decodeRows: true,
  decodeQueries: true,
  decodeKeyPointQueries: true,
  gatherKeyPoints: true,
  decodeMasks: true,
  nonMaximumSuppression: true,
  makeClassMap: true,
  makeValueMap: true,
  openOnnxRuntime: true,
  createSession: true,
  createCancelToken: true,
  cropQuadrilaterals: true,
  probeNvidia: true,
  readDeviceMemory: true,
  loadTensorRtEngine: true,
  buildTensorRtEngine: true,
  measureTensorRtEngine: true,
  combineTensorRtTimingCaches: true,
  readTensorRtPlanVersion: true,
};

describe.skipIf(addon === null)("the addon", () => {
  it("exports what is declared, and nothing else", () => {
    expect(Object.keys(addon ?? {}).sort()).toEqual(Object.keys(NAMES).sort());
    expect(addon?.interfaceVersion).toBe(ADDON_INTERFACE_VERSION);
  });

  it.each([-1, 1.5, Number.NaN, "8", 2 ** 39, null])("refuses to allocate %s bytes", (size) => {
    expect(() => addon?.allocate(size as number)).toThrow();
  });

  it("hands out aligned, zeroed memory and counts it", () => {
    const before = addon?.memoryInUse() ?? 0;
    const buffer = addon?.allocate(1000) ?? new ArrayBuffer(0);
    expect(new Uint8Array(buffer).every((value) => value === 0)).toBe(true);
    expect(addon?.memoryInUse()).toBeGreaterThanOrEqual(before + 1000);
  });

  it("lets workers be terminated within a call", async () => {
    const result = await runChild(new URL("./children/terminate.ts", import.meta.url));
    expect(result).toEqual({ code: 0, signal: null, stdout: "100 terminated", stderr: "" });
  }, 60_000);
});
