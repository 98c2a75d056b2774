import { access, constants, mkdir } from "node:fs/promises";
import { dirname, resolve } from "node:path";

import { compileNetwork, type CompiledNetwork, type TensorRtBuildProgress, type TensorRtBuildSettings } from "../engines/index.js";
import { CacheStorageError, EngineBuildError } from "../errors.js";
import { logger } from "../logger.js";
import { invalidOption, requireKnownOptions } from "../options.js";
import { writeFileDurably } from "../store/index.js";
import { recordBuild, type BuildRecord } from "./build-history.js";
import { checkBuildOptions, ESTIMATE_OPTION_NAMES } from "./build-options.js";
import { estimateBuild, requireThatWeightsFit, type EstimatedBuild, type TensorRtBuildEstimate } from "./estimate.js";
import { readTimingCache, saveTimingCache, type TimingCacheReport } from "./timing-cache.js";

export interface BuildTensorRtEngineOptions extends TensorRtBuildSettings {
  /** File with what earlier builds have measured, which makes later ones faster; made when it is not there, joined with what others add. */
  readonly timingCachePath?: string;
  /** File for the engine, written as a whole; default: none, the bytes alone. */
  readonly outputPath?: string;
  /** Called once, before the build begins, where the model's graph could be read. What it throws stops the build. */
  readonly onEstimate?: (estimate: TensorRtBuildEstimate) => void;
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
  ...ESTIMATE_OPTION_NAMES,
  "outputPath",
  "onEstimate",
  "onProgress",
  "signal",
] as const satisfies readonly (keyof BuildTensorRtEngineOptions)[];

/** Of this thread. While there are others, a build waits, and its time tells nothing. */
let buildsUnderWay = 0;

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

/** null for what is no model, which the builder says best. */
async function estimateOrNull(...question: Parameters<typeof estimateBuild>): Promise<EstimatedBuild | null> {
  try {
    return await estimateBuild(...question);
  } catch (error) {
    if (!EngineBuildError.is(error)) throw error;
    logger().debug(error.message);
    return null;
  }
}

interface TimedBuild {
  readonly built: CompiledNetwork;
  /** To be remembered for estimates; null where the time tells nothing. */
  readonly record: BuildRecord | null;
}

async function timed(estimated: EstimatedBuild | null, build: () => Promise<CompiledNetwork>): Promise<TimedBuild> {
  const alone = buildsUnderWay === 0;
  buildsUnderWay += 1;
  const start = performance.now();
  const built = await build().finally(() => (buildsUnderWay -= 1));
  const seconds = (performance.now() - start) / 1000;
  const kind = estimated?.kind ?? null;
  if (!alone || estimated === null || kind === null) return { built, record: null };
  // Measurements of another GPU or release were of no use.
  const timingCacheUsed = kind.timingCacheUsed && built.timingCache?.refused !== true;
  return { built, record: { ...kind, timingCacheUsed, heavyOperators: estimated.estimate.heavyOperators, seconds } };
}

/**
 * Builds an engine for a GPU of this machine from an ONNX model. Takes seconds to many minutes (`onEstimate` says what is known beforehand),
 * on a thread of the addon; builds of one process wait for each other, because they measure.
 *
 * @param model path of an ONNX file, or its bytes, which must not change until the promise settles. Weights in files of their own are
 *   looked for beside the path.
 * @throws NativeAddonUnavailableError without the addon
 * @throws MissingDependencyError when the driver, TensorRT or its ONNX parser is not installed
 * @throws InvalidOptionError for an unknown option, an impossible value, or ranges that do not fit the model's inputs
 * @throws EngineBuildError when TensorRT refuses the model or cannot build it, with TensorRT's reason; CudaError, OutOfDeviceMemoryError,
 *   the latter before anything begins where the engine's weights alone are more than the GPU has memory
 * @throws CacheStorageError when the engine cannot be written, or the timing cache cannot be read
 */
export async function buildTensorRtEngine(
  model: string | Uint8Array,
  options: BuildTensorRtEngineOptions = {},
): Promise<BuiltTensorRtEngine> {
  requireKnownOptions(options, NAMES, "buildTensorRtEngine");
  checkBuildOptions(model, options);
  const { timingCachePath, outputPath, onEstimate, onProgress, signal, ...settings } = options;
  for (const [name, value] of Object.entries({ onEstimate, onProgress })) {
    if (value !== undefined && typeof value !== "function") throw invalidOption(name, "a function", value);
  }
  if (outputPath !== undefined) await requireWritableFolder(outputPath);
  const start = performance.now();
  const before = timingCachePath === undefined ? null : await readTimingCache(timingCachePath);
  const estimated = await estimateOrNull(model, settings, before !== null && before.length > 0);
  signal?.throwIfAborted();
  if (estimated !== null) {
    requireThatWeightsFit(estimated.estimate, settings);
    onEstimate?.(estimated.estimate);
  }
  const { built, record } = await timed(estimated, () => compileNetwork(model, settings, { timingCache: before, onProgress, signal }));
  const { engine, timingCache, ...described } = built;
  if (described.warnings !== "") logger().debug(`TensorRT while building: ${described.warnings}`);
  if (outputPath !== undefined) await writeFileDurably(outputPath, engine);
  const cacheReport =
    timingCachePath === undefined || before === null || timingCache === null
      ? null
      : await saveTimingCache(timingCache, { path: timingCachePath, before, settings, signal });
  if (record !== null) await recordBuild(record);
  const seconds = (performance.now() - start) / 1000;
  return {
    engine,
    path: outputPath ?? null,
    report: { ...described, engineBytes: engine.length, seconds, timingCache: cacheReport },
  };
}
