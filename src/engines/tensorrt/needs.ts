/** What has to be installed for TensorRT engines, and how it is said when it is not. */
import { becauseOf, MissingDependencyError, NativeAddonUnavailableError, reasonOf, type ModelRuntimeError } from "../../errors.js";
import { addonReport, loadAddon, type NativeAddon } from "../../native/index.js";

/** `what`: the beginning of a sentence, "TensorRT engines run". @throws NativeAddonUnavailableError */
export function requireAddon(what: string): NativeAddon {
  const addon = loadAddon();
  if (addon !== null) return addon;
  throw new NativeAddonUnavailableError(
    `${what} through the native addon, which is not available. "npm run build:native" in the package directory builds it.`,
    { dependency: "inference-models.node", attempts: addonReport().attempts },
  );
}

const LIBRARIES: Readonly<Record<string, string>> = {
  "cuda.open": "libcuda",
  "tensorrt.open": "libnvinfer",
  "tensorrt.open-parser": "libnvonnxparser",
};

/** The error for a library that is missing or cannot be used, or null when that is not what failed. */
export function missingLibrary(failure: ModelRuntimeError): MissingDependencyError | null {
  const dependency = LIBRARIES[failure.stage ?? ""];
  if (dependency === undefined) return null;
  return new MissingDependencyError(failure.message, { dependency, cause: failure, ...becauseOf(reasonOf(failure)) });
}
