/** Tensors and sessions: what the engines room offers to models. */
import type { PixelImage, PreprocessSteps } from "../imaging/types.js";
import type { NativeClassMap, NativeDecodedPicture, NativeDetectionRequest, NativeMapRequest } from "../native/index.js";

/** Element types, named as in ONNX. */
export type ElementType =
  | "float32"
  | "float16"
  | "float64"
  | "bfloat16"
  | "int8"
  | "int16"
  | "int32"
  | "int64"
  | "uint8"
  | "uint16"
  | "uint32"
  | "uint64"
  | "bool"
  | "string";

export type TensorData =
  | Float32Array
  | Float64Array
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array
  | readonly string[];

/** Host tensor, row-major. float16 and bfloat16 are raw 16-bit words in a Uint16Array; bool is one byte 0/1. */
export interface Tensor {
  readonly type: ElementType;
  readonly dims: readonly number[];
  readonly data: TensorData;
}

/** Pictures that an engine prepares on its device, in the place of a tensor. */
export interface PictureBatch {
  /** `[batch, 3, height, width]`, the steps' output; the places behind the pictures are zeros. */
  readonly dims: readonly [batch: number, channels: 3, height: number, width: number];
  /** At least one, at most `batch`. */
  readonly pictures: readonly { readonly image: PixelImage; readonly steps: PreprocessSteps }[];
}

/**
 * What an engine is to read out of the outputs of a run on its device: a head, and the masks or key points of what it finds, by the
 * indices of the network's outputs, which are float32 or float16.
 */
export type DetectionRequest = Omit<NativeDetectionRequest, "outputs">;

/**
 * Of one picture: rows, best first or, where the network has chosen them, in its order; and their masks and key points where they were
 * asked for.
 */
export type DecodedPicture = NativeDecodedPicture;

export interface DetectionRun {
  readonly pictures: readonly DecodedPicture[];
  /** Those that `RunOptions.outputs` names; none where it is left out. */
  readonly outputs: Readonly<Record<string, Tensor>>;
}

/** A class, or a value, for every pixel of each picture of a run, which an engine is to make of one output on its device. */
export type MapRequest = Omit<NativeMapRequest, "outputs">;

/** Pixels of all pictures of a run for which a device makes maps, at most. */
export const DEVICE_MAP_PIXELS = 2 ** 25;

export interface MapRun {
  /** float32 `[height, width]` where the request has no classes. */
  readonly pictures: readonly (NativeClassMap | Float32Array)[];
  /** Those that `RunOptions.outputs` names; none where it is left out. */
  readonly outputs: Readonly<Record<string, Tensor>>;
}

/** One input or output of a network. */
export interface TensorPort {
  readonly name: string;
  readonly kind: "tensor" | "sequence" | "map" | "optional" | "sparse-tensor" | "opaque" | "unknown";
  /** null when the port is not a tensor or its type has no counterpart here (float8, complex, ...). */
  readonly type: ElementType | null;
  /** A number is fixed; a string names a symbolic dimension ("" when it has no name). null when not a tensor. */
  readonly dims: readonly (number | string)[] | null;
}

export interface NetworkMetadata {
  readonly producer: string;
  readonly graphName: string;
  readonly domain: string;
  readonly description: string;
  /** null when the file has none. */
  readonly version: number | null;
  /** Opset of the default ONNX domain; null when it cannot be read. */
  readonly opset: number | null;
  readonly custom: Readonly<Record<string, string>>;
}

/** `cpu`, `cuda`, ... (ONNX Runtime's short names), with options for the provider if it takes any. */
export type ExecutionProvider = string | { readonly name: string; readonly options?: Readonly<Record<string, string | number | boolean>> };

export interface SessionOptions {
  /** In order of preference. Default: `["cpu"]`. A provider that cannot be had is an error unless another follows. */
  readonly executionProviders?: readonly ExecutionProvider[];
  /** Threads inside one run; default 1. 0 = one per physical core. */
  readonly intraOpThreads?: number;
  /** How many runs may compute at once; default 1, at most the number of cores. */
  readonly lanes?: number;
  /** How many runs may wait; one more rejects with QueueFullError. Default 256. */
  readonly queueLimit?: number;
  /** Let idle intra-op threads spin; default false (spinning burns CPU between runs). */
  readonly spinning?: boolean;
  readonly graphOptimization?: "none" | "basic" | "extended" | "all";
  readonly signal?: AbortSignal;
}

export interface RunOptions {
  readonly signal?: AbortSignal;
  /** Outputs wanted, by name; default all in graph order. */
  readonly outputs?: readonly string[];
}

/** Runs of one session: those that wait or run now, and what became of the others since it was opened. */
export interface SessionStatistics {
  readonly waiting: number;
  readonly running: number;
  readonly completed: number;
  readonly failed: number;
  readonly cancelled: number;
  /** How many can run at once. */
  readonly lanes: number;
  /** How many may wait, and how many more there were, which were refused with QueueFullError. Models of one's own may leave them out. */
  readonly queueLimit?: number;
  readonly refused?: number;
}

/** A network ready to run. Safe to call concurrently. */
export interface InferenceSession extends AsyncDisposable {
  /** Which engine runs it: `onnxruntime` (through the addon), `onnxruntime-node` (blocks the event loop), `tensorrt`. */
  readonly engine: "onnxruntime" | "onnxruntime-node" | "tensorrt";
  readonly engineVersion: string;
  /** Providers in effect. */
  readonly executionProviders: readonly string[];
  readonly inputs: readonly TensorPort[];
  readonly outputs: readonly TensorPort[];
  readonly metadata: NetworkMetadata;
  readonly closed: boolean;
  /**
   * Memory for an input that the engine reads in place: float32, zero-filled, aligned to 64 bytes where the engine can.
   * Do not write to it between the call of `run` and its settling.
   */
  allocateInput(elements: number): Float32Array;
  /** @returns outputs by name. @throws ModelInputError on a wrong name, type or shape; rejects with the signal's reason on abort. */
  run(inputs: Readonly<Record<string, Tensor>>, options?: RunOptions): Promise<Readonly<Record<string, Tensor>>>;
  /**
   * Where the engine can prepare pictures on its device, else undefined: runs a network of one input on them. They must not change
   * until the call has returned, or, where they are not `borrowed`, until it has settled.
   */
  readonly runPictures?: ((batch: PictureBatch, options?: RunOptions) => Promise<Readonly<Record<string, Tensor>>>) | undefined;
  /**
   * Where the engine can decode detections on its device, else undefined: runs a network on tensors or pictures, as the two above do,
   * and downloads detections instead of outputs.
   * @throws ModelInputError also for a head that does not lie in the outputs
   */
  readonly runDetections?:
    | ((input: PictureBatch | Readonly<Record<string, Tensor>>, request: DetectionRequest, options?: RunOptions) => Promise<DetectionRun>)
    | undefined;
  /** Likewise, of networks whose outputs become maps. */
  readonly runMaps?:
    ((input: PictureBatch | Readonly<Record<string, Tensor>>, request: MapRequest, options?: RunOptions) => Promise<MapRun>) | undefined;
  statistics(): SessionStatistics;
  /** Idempotent; waits for runs in progress, rejects new ones with ModelDisposedError. */
  close(): Promise<void>;
}
