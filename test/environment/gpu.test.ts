/** A machine with a GPU, as far as this process can tell: the addon opens stand-ins for NVIDIA's libraries. */
import { join } from "node:path";

import { expect, it, vi } from "vitest";

import { describeEnvironment, xRayRuntimeEnvironment } from "../../src/environment/index.js";
import { loadAddon } from "../../src/native/index.js";
import { nvidiaFakes } from "../support/nvidia-fakes.js";

const fakes = loadAddon() === null ? null : nvidiaFakes();

it.skipIf(fakes === null)("has its GPU, CUDA and TensorRT in the x-ray", async () => {
  vi.stubEnv("INFERENCE_MODELS_CUDA_LIBRARY_PATH", join(fakes!, "cuda"));
  vi.stubEnv("INFERENCE_MODELS_TENSORRT_LIBRARY_PATH", join(fakes!, "versions"));
  expect(await xRayRuntimeEnvironment()).toMatchObject({
    gpuAvailable: true,
    gpuDevices: ["stand-in-gpu-0"],
    gpuDevicesCc: ["8.9"],
    driverVersion: "550.54.15",
    // The runtime is 12.6, the driver supports 12.4.
    cudaVersion: "12.4",
    trtVersion: "10.15.1.29",
    trtBindingAvailable: true,
  });
  const { nvidia, notes } = await describeEnvironment();
  expect(nvidia.gpus).toMatchObject([{ memoryBytes: 2 ** 30, multiprocessors: 58 }]);
  expect(nvidia.tensorRt.lean).toMatchObject({ found: true, version: "11.4.0" });
  expect(notes.join("\n")).toMatch(/driver supports CUDA up to 12\.4/);
});
