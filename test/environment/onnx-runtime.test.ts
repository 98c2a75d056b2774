import { copyFileSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, afterEach, describe, expect, it, vi } from "vitest";

import { resolveLibrary } from "../../src/environment/index.js";
import { openMachine } from "../../src/environment/machine.js";
import { findOnnxRuntime, judgeProviders } from "../../src/environment/onnx-runtime.js";
import { loadAddon } from "../../src/native/index.js";

const addon = loadAddon();
const folder = realpathSync(mkdtempSync(join(tmpdir(), "inference-models-onnx-")));
const library = join(folder, "libonnxruntime.so.1");
afterAll(() => {
  rmSync(folder, { recursive: true });
});
afterEach(() => {
  vi.unstubAllEnvs();
});

const providersWith = async (hasGpu: boolean) => judgeProviders(await findOnnxRuntime(openMachine(), addon), hasGpu).executionProviders;

describe.skipIf(addon === null || process.platform !== "linux")("execution providers of a library", () => {
  it("need their own libraries, and a GPU", async () => {
    copyFileSync(resolveLibrary(""), library);
    vi.stubEnv("INFERENCE_MODELS_ONNXRUNTIME", library);
    const cuda = { name: "CUDAExecutionProvider" };
    const before = await providersWith(true);
    if (!before.some(({ name }) => name === cuda.name)) return; // built without CUDA, as on ARM
    expect(before).toContainEqual({ ...cuda, available: false, reason: expect.stringContaining("onnxruntime_providers_cuda") as string });
    writeFileSync(join(folder, "libonnxruntime_providers_cuda.so"), "");
    expect(await providersWith(true)).toContainEqual({ ...cuda, available: true, reason: null });
    expect(await providersWith(false)).toContainEqual({ ...cuda, available: false, reason: expect.stringContaining("GPU") as string });
    expect(before).toContainEqual({ name: "CPUExecutionProvider", available: true, reason: null });
  });

  it("cannot be had of a library that is missing; the reason tells which", async () => {
    vi.stubEnv("INFERENCE_MODELS_ONNXRUNTIME", join(folder, "absent.so"));
    const { library: found, executionProviders } = judgeProviders(await findOnnxRuntime(openMachine(), addon), false);
    expect(found).toMatchObject({ found: false, reason: expect.stringContaining("absent.so") as string });
    expect(executionProviders).toEqual([]);
  });
});

it("without the addon the library is found and not opened", async () => {
  const { library: found, executionProviders } = judgeProviders(await findOnnxRuntime(openMachine(), null), false);
  expect(found).toMatchObject({ found: true, path: resolveLibrary(""), version: expect.stringMatching(/^1\.\d+/) as string });
  expect(executionProviders).toContainEqual({ name: "CPUExecutionProvider", available: true, reason: null });
});
