import { configuration } from "../../configuration.js";
import { invalidOption, requireKnownOptions } from "../../options.js";
import type { NativeTensorRtOptions } from "../../native/index.js";

export interface TensorRtEngineOptions {
  /** Ordinal of the GPU, from 0; default 0. */
  readonly device?: number;
  /** Optimization profile that inputs have to fit, from 0; default 0. */
  readonly profile?: number;
  /** Runs that may be on the device at once, 1 to 64; each has scratch memory of its own. Default 2: one is prepared while one computes. */
  readonly contexts?: number;
  /** CUDA graphs for shapes that come again: `true` (default) keeps 8 for each context, a number as many, `false` none. */
  readonly cudaGraphs?: boolean | number;
  /** How many runs may wait; one more rejects with QueueFullError. Default 256. */
  readonly queueLimit?: number;
  /**
   * Whether an engine of an older TensorRT may load, if it was built to be version compatible. Such an engine carries machine code
   * that runs in this process: allow it only for files that you trust. Default false.
   */
  readonly engineHostCodeAllowed?: boolean;
  /** Whether the device is to prepare pictures: `runPictures` is there then. Default false. */
  readonly preparesPictures?: boolean;
  /** Whether the device is to decode outputs: `runDetections` and `runMaps` are there then. Default false. */
  readonly decodesOutputs?: boolean;
  readonly signal?: AbortSignal;
}

const NAMES = [
  "device",
  "profile",
  "contexts",
  "cudaGraphs",
  "queueLimit",
  "engineHostCodeAllowed",
  "preparesPictures",
  "decodesOutputs",
  "signal",
] as const satisfies readonly (keyof TensorRtEngineOptions)[];
const DEFAULT_GRAPHS = 8;
const DEFAULT_CONTEXTS = 2;
const DEFAULT_QUEUE_LIMIT = 256;

/** Options with defaults filled in and checked. */
export interface CheckedTensorRtOptions {
  readonly native: NativeTensorRtOptions;
  readonly queueLimit: number;
}

export function integer(name: string, value: unknown, minimum: number, maximum: number): number {
  if (Number.isSafeInteger(value) && (value as number) >= minimum && (value as number) <= maximum) return value as number;
  throw invalidOption(name, `an integer from ${minimum} to ${maximum}`, value);
}

function flag(name: string, value: unknown): boolean {
  if (typeof value === "boolean") return value;
  throw invalidOption(name, "true or false", value);
}

function graphs(value: unknown): number {
  if (value === true) return DEFAULT_GRAPHS;
  return value === false ? 0 : integer("cudaGraphs", value, 0, 1024);
}

/** @throws InvalidOptionError */
export function checkTensorRtOptions(options: TensorRtEngineOptions): CheckedTensorRtOptions {
  requireKnownOptions(options, NAMES, "TensorRtEngine.load");
  const { cudaLibraryPath, tensorRtLibraryPath } = configuration().device;
  return {
    native: {
      cudaLibraryPath,
      tensorRtLibraryPath,
      device: integer("device", options.device ?? 0, 0, 1023),
      profile: integer("profile", options.profile ?? 0, 0, 1023),
      contexts: integer("contexts", options.contexts ?? DEFAULT_CONTEXTS, 1, 64),
      graphs: graphs(options.cudaGraphs ?? true),
      engineHostCodeAllowed: flag("engineHostCodeAllowed", options.engineHostCodeAllowed ?? false),
      preparesPictures: flag("preparesPictures", options.preparesPictures ?? false),
      decodesOutputs: flag("decodesOutputs", options.decodesOutputs ?? false),
    },
    queueLimit: integer("queueLimit", options.queueLimit ?? DEFAULT_QUEUE_LIMIT, 0, 1024 * 1024),
  };
}
