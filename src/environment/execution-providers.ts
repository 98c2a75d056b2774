import { configuration } from "../configuration.js";
import type { RuntimeXRay } from "./types.js";

/** `CUDAExecutionProvider`, `CUDA` and `cuda` are all `cuda`. */
export function providerShortName(name: string): string {
  return name.replace(/ExecutionProvider$/, "").toLowerCase();
}

/** Those that run on an NVIDIA GPU, by their short names. */
const ON_CUDA = ["cuda", "tensorrt", "nvtensorrtrtx"];

/**
 * Providers for whoever names none: `ONNXRUNTIME_EXECUTION_PROVIDERS` in its order, those that this machine has, by their full names.
 * Empty when it has none of them.
 *
 * @param device what the model is to run on: those of NVIDIA's GPUs are left out for the processor. Default: whatever there is.
 */
export function defaultOnnxExecutionProviders(
  { availableOnnxExecutionProviders }: Pick<RuntimeXRay, "availableOnnxExecutionProviders">,
  device = "cuda",
): readonly string[] {
  const available = new Map((availableOnnxExecutionProviders ?? []).map((name) => [providerShortName(name), name]));
  const wanted = new Set(configuration().onnx.executionProviders.map(providerShortName));
  const excluded = device.startsWith("cuda") ? [] : ON_CUDA;
  return [...wanted].filter((name) => !excluded.includes(name)).flatMap((name) => available.get(name) ?? []);
}
