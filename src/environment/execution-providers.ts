import { configuration } from "../configuration.js";
import type { RuntimeXRay } from "./types.js";

/** `CUDAExecutionProvider`, `CUDA` and `cuda` are all `cuda`. */
export function providerShortName(name: string): string {
  return name.replace(/ExecutionProvider$/, "").toLowerCase();
}

/**
 * Providers for whoever names none: `ONNXRUNTIME_EXECUTION_PROVIDERS` in its order, those that this machine has, by their full names.
 * Empty when it has none of them.
 */
export function defaultOnnxExecutionProviders({
  availableOnnxExecutionProviders,
}: Pick<RuntimeXRay, "availableOnnxExecutionProviders">): readonly string[] {
  const available = new Map((availableOnnxExecutionProviders ?? []).map((name) => [providerShortName(name), name]));
  const wanted = new Set(configuration().onnx.executionProviders.map(providerShortName));
  return [...wanted].flatMap((name) => available.get(name) ?? []);
}
