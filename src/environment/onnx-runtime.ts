/** Which ONNX Runtime networks run on, and which of its execution providers can be had here. */
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";

import type { NativeAddon } from "../native/index.js";
import type { Machine } from "./machine.js";
import { onnxRuntimeNodeDirectory, openRuntime, resolveLibrary } from "./onnx-library.js";
import { readManifestVersion } from "./packages.js";
import type { ExecutionProviderReport, Finding, OnnxRuntimeReport } from "./types.js";

/** Providers that lie in a library of their own beside ONNX Runtime's. What is compiled in is only the means to open it. */
const SEPARATE: Readonly<Record<string, string>> = {
  CUDAExecutionProvider: "cuda",
  TensorrtExecutionProvider: "tensorrt",
  OpenVINOExecutionProvider: "openvino",
  MIGraphXExecutionProvider: "migraphx",
  ROCMExecutionProvider: "rocm",
  CANNExecutionProvider: "cann",
};
const NEEDS_NVIDIA = ["CUDAExecutionProvider", "TensorrtExecutionProvider"];
const CPU = "CPUExecutionProvider";

export interface OnnxRuntimeFindings {
  readonly library: Finding;
  readonly providers: readonly string[];
  /** Files in the folder of the library. */
  readonly beside: readonly string[];
}

/** Opens the library. Never fails: what goes wrong is the reason that it was not found. */
export async function findOnnxRuntime(machine: Machine, addon: NativeAddon | null): Promise<OnnxRuntimeFindings> {
  try {
    return addon === null ? await lookWithoutOpening(machine) : await open(machine, addon);
  } catch (error) {
    return { library: { found: false, reason: error instanceof Error ? error.message : String(error) }, providers: [], beside: [] };
  }
}

async function open(machine: Machine, addon: NativeAddon): Promise<OnnxRuntimeFindings> {
  const { libraryPath, version, availableProviders } = openRuntime(addon);
  const beside = await machine.list(dirname(libraryPath));
  return { library: { found: true, path: libraryPath, version, problem: null }, providers: availableProviders, beside };
}

/** onnxruntime-node would open the library on the thread that asks, which takes longer than everything else here together. */
async function lookWithoutOpening(machine: Machine): Promise<OnnxRuntimeFindings> {
  const path = resolveLibrary();
  const [manifest, beside] = await Promise.all([
    readFile(join(onnxRuntimeNodeDirectory(), "package.json"), "utf8"),
    machine.list(dirname(path)),
  ]);
  const providers = [...Object.keys(SEPARATE).filter((name) => has(name, beside)), CPU];
  return { library: { found: true, path, version: readManifestVersion(manifest), problem: null }, providers, beside };
}

export function judgeProviders({ library, providers, beside }: OnnxRuntimeFindings, hasGpu: boolean): OnnxRuntimeReport {
  return { library, executionProviders: providers.map((name) => judge(name, beside, hasGpu)) };
}

/** `libonnxruntime_providers_cuda.so` and what it is called on other systems. */
function has(name: string, files: readonly string[]): boolean {
  const pattern = new RegExp(`^(?:lib)?onnxruntime_providers_${SEPARATE[name] ?? ""}\\.(?:so|dll|dylib)$`);
  return files.some((file) => pattern.test(file));
}

function judge(name: string, beside: readonly string[], hasGpu: boolean): ExecutionProviderReport {
  if (name in SEPARATE && !has(name, beside)) {
    return { name, available: false, reason: `its library onnxruntime_providers_${SEPARATE[name] ?? ""} is not beside ONNX Runtime's` };
  }
  if (NEEDS_NVIDIA.includes(name) && !hasGpu) return { name, available: false, reason: "no NVIDIA GPU was found" };
  return { name, available: true, reason: null };
}
