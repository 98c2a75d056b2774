/** What building an engine will take, said before it begins. */
import { readNetworkCost, type NetworkCost, type TensorRtBuildSettings } from "../engines/index.js";
import { OutOfDeviceMemoryError } from "../errors.js";
import { requireKnownOptions } from "../options.js";
import { humanReadableSize } from "../store/index.js";
import { expectedSeconds, readBuildHistory, type BuildKind, type BuildSeconds } from "./build-history.js";
import { checkBuildOptions, ESTIMATE_OPTION_NAMES } from "./build-options.js";
import { buildMachine, type BuildMachine, type EstimateGpu } from "./gpu.js";
import { readTimingCache } from "./timing-cache.js";

/** Those of a build that say what it will take. */
export interface EstimateTensorRtBuildOptions extends TensorRtBuildSettings {
  /** See `buildTensorRtEngine`; only read. */
  readonly timingCachePath?: string;
}

export interface TensorRtBuildEstimate extends Omit<NetworkCost, "heavyWeightBytes"> {
  /**
   * Bytes that the engine has at least: the weights of its convolutions and matrix products in the precision that was asked for. Other
   * weights, code for the GPU, and what TensorRT computes beforehand come on top.
   */
  readonly leastEngineBytes: number;
  /** null where no driver answers, or it has no such GPU. */
  readonly gpu: EstimateGpu | null;
  /** Release that would build; null when none is installed. */
  readonly tensorRtVersion: string | null;
  /**
   * Whether the engine's weights alone fit into the GPU's memory: `now`, `when-freed` (something else holds it at the moment), or `never`, where
   * `buildTensorRtEngine` refuses to begin. null without a GPU.
   */
  readonly weightsFit: "now" | "when-freed" | "never" | null;
  /**
   * Of the build, from the times of earlier ones here: on the same GPU model, with the same release of TensorRT, precision and number of
   * profiles, and with a timing cache or without as this one. Scaled by `heavyOperators`. null when there were none.
   */
  readonly seconds: BuildSeconds | null;
}

function weightsFit(bytes: number, gpu: EstimateGpu | null): TensorRtBuildEstimate["weightsFit"] {
  if (gpu === null) return null;
  if (bytes > gpu.totalBytes) return "never";
  return gpu.freeBytes !== null && bytes > gpu.freeBytes ? "when-freed" : "now";
}

/** null when the machine is not known well enough to compare its builds. */
function kindOf({ gpu, tensorRtVersion }: BuildMachine, settings: TensorRtBuildSettings, timingCacheUsed: boolean): BuildKind | null {
  if (gpu === null || tensorRtVersion === null) return null;
  const { fp16 = false, stronglyTyped = false, profiles } = settings;
  return {
    gpu: gpu.name,
    computeCapability: gpu.computeCapability,
    tensorRtVersion,
    precision: fp16 ? "fp16" : stronglyTyped ? "as-modelled" : "fp32",
    profiles: Math.max(1, profiles?.length ?? 0),
    timingCacheUsed,
  };
}

export interface EstimatedBuild {
  readonly estimate: TensorRtBuildEstimate;
  readonly kind: BuildKind | null;
}

/** As {@link estimateTensorRtBuild}, of options that are known to be good; `kind` is what its time will be remembered by. */
export async function estimateBuild(
  model: string | Uint8Array,
  settings: TensorRtBuildSettings,
  timingCacheUsed: boolean,
): Promise<EstimatedBuild> {
  const { heavyWeightBytes, ...cost } = await readNetworkCost(model, settings);
  const machine = await buildMachine(settings.device ?? 0);
  const kind = kindOf(machine, settings, timingCacheUsed);
  const seconds = kind === null ? null : expectedSeconds(await readBuildHistory(), kind, cost.heavyOperators);
  const fit = weightsFit(heavyWeightBytes, machine.gpu);
  return { estimate: { ...cost, leastEngineBytes: heavyWeightBytes, ...machine, weightsFit: fit, seconds }, kind };
}

/** @throws OutOfDeviceMemoryError for an engine that this GPU could never hold, unless it may be meant for another one */
export function requireThatWeightsFit(
  { gpu, weightsFit: fit, leastEngineBytes }: TensorRtBuildEstimate,
  settings: TensorRtBuildSettings,
): void {
  if (gpu === null || fit !== "never" || (settings.hardwareCompatible ?? false) !== false) return;
  throw new OutOfDeviceMemoryError(
    `The engine's weights alone take ${humanReadableSize(leastEngineBytes)}, and ${gpu.name} has ${humanReadableSize(gpu.totalBytes)} of memory, so ` +
      `the build was not begun. Build with fp16, which halves float32 weights, take a smaller model, or a GPU with more memory.`,
    { stage: "estimate", requestedBytes: leastEngineBytes, freeBytes: gpu.freeBytes ?? gpu.totalBytes },
  );
}

/**
 * What building an engine from an ONNX model would take: from the model's graph, whose weights are not read, from the GPU, and from how long
 * earlier builds took here. Starts no build. What the graph tells is there without addon, driver and GPU, too.
 *
 * @param model path of an ONNX file, or its bytes
 * @throws InvalidOptionError for an unknown option or an impossible value, InvalidParameterError for what is no model at all
 * @throws EngineBuildError for a file that cannot be read, is no ONNX model, or is damaged
 * @throws CacheStorageError when the timing cache is there and cannot be read
 */
export async function estimateTensorRtBuild(
  model: string | Uint8Array,
  options: EstimateTensorRtBuildOptions = {},
): Promise<TensorRtBuildEstimate> {
  requireKnownOptions(options, ESTIMATE_OPTION_NAMES, "estimateTensorRtBuild");
  checkBuildOptions(model, options);
  const { timingCachePath, ...settings } = options;
  const cache = timingCachePath === undefined ? new Uint8Array() : await readTimingCache(timingCachePath);
  return (await estimateBuild(model, settings, cache.length > 0)).estimate;
}
