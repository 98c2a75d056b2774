import { openRuntime, providerShortName } from "../../environment/index.js";
import { InvalidParameterError } from "../../errors.js";
import { loadAddon } from "../../native/index.js";
import type { InferenceSession, SessionOptions } from "../types.js";
import { createFallbackSession, loadRuntimeModule, runtimeModuleVersion } from "./fallback.js";
import { createNativeSession } from "./session.js";

/**
 * Makes a network ready to run.
 *
 * @param model path of an `.onnx` or `.ort` file, or its bytes, which must not change until the promise settles
 * @throws CorruptedModelPackageError when ONNX Runtime cannot load the model
 * @throws MissingDependencyError when ONNX Runtime is not installed
 * @throws EnvironmentConfigurationError when an execution provider cannot be had and none follows it
 */
export async function createInferenceSession(model: string | Uint8Array, options: SessionOptions = {}): Promise<InferenceSession> {
  if (typeof model !== "string" && !(model instanceof Uint8Array)) {
    throw new InvalidParameterError(`Expected a path or a Uint8Array for model but received ${typeof model}.`, { parameter: "model" });
  }
  options.signal?.throwIfAborted();
  const addon = loadAddon();
  return addon === null ? createFallbackSession(model, options) : createNativeSession(addon, model, options);
}

/** What ONNX models run on in this process, for reports about the environment. */
export type OnnxRuntimeInfo =
  | {
      readonly available: true;
      readonly engine: InferenceSession["engine"];
      readonly version: string;
      /** null without the addon: onnxruntime-node opens its own. */
      readonly libraryPath: string | null;
      /** Short names of what is compiled in; not a promise that the drivers they need are there. */
      readonly availableProviders: readonly string[];
    }
  | { readonly available: false; readonly failure: Error };

/** Opens the library on first use; never throws. */
export function onnxRuntimeInfo(): OnnxRuntimeInfo {
  try {
    const addon = loadAddon();
    if (addon === null) {
      const runtime = loadRuntimeModule();
      const availableProviders = (runtime.listSupportedBackends?.() ?? [{ name: "cpu" }]).map(({ name }) => name);
      return { available: true, engine: "onnxruntime-node", version: runtimeModuleVersion(runtime), libraryPath: null, availableProviders };
    }
    const { version, libraryPath, availableProviders } = openRuntime(addon);
    return { available: true, engine: "onnxruntime", version, libraryPath, availableProviders: availableProviders.map(providerShortName) };
  } catch (failure) {
    return { available: false, failure: failure instanceof Error ? failure : new Error(String(failure)) };
  }
}
