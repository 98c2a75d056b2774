import { access, constants, mkdir } from "node:fs/promises";
import { dirname, resolve } from "node:path";

import {
  BUILD_SETTING_NAMES,
  compileNetwork,
  type CompiledNetwork,
  type TensorRtBuildProgress,
  type TensorRtBuildSettings,
} from "../engines/index.js";
import { CacheStorageError, InvalidParameterError } from "../errors.js";
import { logger } from "../logger.js";
import { invalidOption, requireKnownOptions } from "../options.js";
import { writeFileDurably } from "../store/index.js";
import { readTimingCache, saveTimingCache, type TimingCacheReport } from "./timing-cache.js";

export interface BuildTensorRtEngineOptions extends TensorRtBuildSettings {
  /** File with what earlier builds have measured, which makes later ones faster; made when it is not there, joined with what others add. */
  readonly timingCachePath?: string;
  /** File for the engine, written as a whole; default: none, the bytes alone. */
  readonly outputPath?: string;
  /** Called while the builder works, as often as something changes and this thread has time. What it throws stops the build. */
  readonly onProgress?: (progress: TensorRtBuildProgress) => void;
  /** Stops the build at the builder's next step; rejects at once with the signal's reason. */
  readonly signal?: AbortSignal;
}

export interface TensorRtBuildReport extends Omit<CompiledNetwork, "engine" | "timingCache"> {
  readonly engineBytes: number;
  /** Of the whole call. */
  readonly seconds: number;
  readonly timingCache: TimingCacheReport | null;
}

export interface BuiltTensorRtEngine {
  /** For `TensorRtEngine.load`, or a file. */
  readonly engine: Uint8Array;
  /** Null without `outputPath`. */
  readonly path: string | null;
  readonly report: TensorRtBuildReport;
}

const NAMES = [
  ...BUILD_SETTING_NAMES,
  "timingCachePath",
  "outputPath",
  "onProgress",
  "signal",
] as const satisfies readonly (keyof BuildTensorRtEngineOptions)[];

function optionalPath(name: string, value: unknown): void {
  if (value !== undefined && (typeof value !== "string" || value === "")) throw invalidOption(name, "a path", value);
}

/** Before the build, which takes long. */
async function requireWritableFolder(path: string): Promise<void> {
  const folder = dirname(resolve(path));
  try {
    await mkdir(folder, { recursive: true });
    await access(folder, constants.W_OK);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new CacheStorageError(`The engine cannot be written to ${path}: ${reason}. Name another place.`, { path, cause: error });
  }
}

/**
 * Builds an engine for a GPU of this machine from an ONNX model. Takes seconds to many minutes, on a thread of the addon; builds of one
 * process wait for each other, because they measure.
 *
 * @param model path of an ONNX file, or its bytes, which must not change until the promise settles. Weights in files of their own are
 *   looked for beside the path.
 * @throws NativeAddonUnavailableError without the addon
 * @throws MissingDependencyError when the driver, TensorRT or its ONNX parser is not installed
 * @throws InvalidOptionError for an unknown option, an impossible value, or ranges that do not fit the model's inputs
 * @throws EngineBuildError when TensorRT refuses the model or cannot build it, with TensorRT's reason; CudaError, OutOfDeviceMemoryError
 * @throws CacheStorageError when the engine cannot be written, or the timing cache cannot be read
 */
export async function buildTensorRtEngine(
  model: string | Uint8Array,
  options: BuildTensorRtEngineOptions = {},
): Promise<BuiltTensorRtEngine> {
  if (typeof model !== "string" && !(model instanceof Uint8Array)) {
    throw new InvalidParameterError(`Expected a path or a Uint8Array for model but received ${typeof model}.`, { parameter: "model" });
  }
  requireKnownOptions(options, NAMES, "buildTensorRtEngine");
  const { timingCachePath, outputPath, onProgress, signal, ...settings } = options;
  optionalPath("timingCachePath", timingCachePath);
  optionalPath("outputPath", outputPath);
  if (onProgress !== undefined && typeof onProgress !== "function") throw invalidOption("onProgress", "a function", onProgress);
  if (outputPath !== undefined) await requireWritableFolder(outputPath);
  const start = performance.now();
  const before = timingCachePath === undefined ? null : await readTimingCache(timingCachePath);
  const { engine, timingCache, ...described } = await compileNetwork(model, settings, { timingCache: before, onProgress, signal });
  if (described.warnings !== "") logger().debug(`TensorRT while building: ${described.warnings}`);
  if (outputPath !== undefined) await writeFileDurably(outputPath, engine);
  const cacheReport =
    timingCachePath === undefined || before === null || timingCache === null
      ? null
      : await saveTimingCache(timingCache, { path: timingCachePath, before, settings, signal });
  const seconds = (performance.now() - start) / 1000;
  return {
    engine,
    path: outputPath ?? null,
    report: { ...described, engineBytes: engine.length, seconds, timingCache: cacheReport },
  };
}
