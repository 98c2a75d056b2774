/** What `buildTensorRtEngine` and `estimateTensorRtBuild` refuse alike. */
import { BUILD_SETTING_NAMES } from "../engines/index.js";
import { InvalidParameterError } from "../errors.js";
import { invalidOption } from "../options.js";

export const ESTIMATE_OPTION_NAMES = [...BUILD_SETTING_NAMES, "timingCachePath"] as const;

function optionalPath(name: string, value: unknown): void {
  if (value !== undefined && (typeof value !== "string" || value === "")) throw invalidOption(name, "a path", value);
}

/** Settings of the engine are checked where they are used. */
export function checkBuildOptions(
  model: unknown,
  { timingCachePath, outputPath }: { readonly timingCachePath?: unknown; readonly outputPath?: unknown },
): void {
  if (typeof model !== "string" && !(model instanceof Uint8Array)) {
    throw new InvalidParameterError(`Expected a path or a Uint8Array for model but received ${typeof model}.`, { parameter: "model" });
  }
  optionalPath("timingCachePath", timingCachePath);
  optionalPath("outputPath", outputPath);
}
