import { raceAbort } from "../../abort.js";
import { becauseOf, CorruptedModelPackageError, InvalidParameterError, ModelRuntimeError, reasonOf } from "../../errors.js";
import {
  callNative,
  type NativeAddon,
  type NativeCancelToken,
  type NativeOutputUse,
  type NativePictures,
  type NativeResident,
  type NativeRunCounts,
  type NativeTensor,
  type NativeTensorRtEngine,
  type NativeTensorRtPort,
} from "../../native/index.js";
import { elementTypeFromNumber, elementTypeNumber } from "../element-types.js";
import { queueFull, sessionClosed } from "../refusals.js";
import { checkInputs, checkOutputs, isPictureBatch } from "../tensors.js";
import type {
  DetectionRequest,
  DetectionRun,
  InferenceSession,
  MapRequest,
  MapRun,
  NetworkMetadata,
  PictureBatch,
  RunOptions,
  SessionStatistics,
  Tensor,
  TensorData,
  TensorPort,
} from "../types.js";
import { DeviceTensor } from "./device-tensor.js";
import { missingLibrary, requireAddon } from "./needs.js";
import { checkTensorRtOptions, type CheckedTensorRtOptions, type TensorRtEngineOptions } from "./options.js";

export type { TensorRtEngineOptions } from "./options.js";

const STAGE = "tensorrt.run";

/** What one optimization profile admits, by the name of the input. */
export type TensorRtProfile = Readonly<
  Record<string, { readonly minimum: readonly number[]; readonly optimum: readonly number[]; readonly maximum: readonly number[] }>
>;

/** By name: from the host, or from the memory of the engine's GPU. */
export type TensorRtInputs = Readonly<Record<string, Tensor | DeviceTensor>>;

/** Bytes. */
export interface TensorRtMemory {
  /** Weights and what else TensorRT holds for this engine. */
  readonly engine: number;
  /** Scratch memory of one context; the engine has `contexts` of them. */
  readonly scratch: number;
  /** On the device, in use by all engines of this thread: the above, inputs, outputs. */
  readonly device: number;
  /** Pinned host memory, likewise. */
  readonly pinned: number;
}

/** Runs that wait or run now, and what became of the others. */
export type TensorRtRunCounts = NativeRunCounts;

export interface TensorRtStatistics extends SessionStatistics, TensorRtRunCounts {
  readonly queueLimit: number;
  readonly refused: number;
  /** Of all engines of this JavaScript thread on this GPU, since the first of those that are open was loaded. */
  readonly device: TensorRtRunCounts;
  readonly graphLaunches: number;
  readonly graphsCaptured: number;
  /** Captures that failed, after which the shape runs without a graph until it is tried again; and why the last one did. */
  readonly graphsGivenUp: number;
  readonly lastCaptureFailure: string | null;
}

/**
 * A serialized engine of TensorRT 10 or 11 on a GPU. Runs are put into the device's streams by one thread and waited for by another,
 * never by the thread of JavaScript.
 */
export class TensorRtEngine implements InferenceSession {
  readonly engine = "tensorrt";
  /** Of the installed library. */
  readonly engineVersion: string;
  /** Of the TensorRT that built the engine. */
  readonly builtByVersion: string;
  readonly executionProviders: readonly string[] = ["tensorrt"];
  readonly name: string;
  readonly inputs: readonly TensorPort[];
  readonly outputs: readonly TensorPort[];
  readonly metadata: NetworkMetadata;
  readonly profiles: readonly TensorRtProfile[];
  /** The one in use. */
  readonly profile: number;
  /** On which GPUs it runs beside the one that it was built on. */
  readonly hardwareCompatibility: "none" | "ampere-plus" | "same-compute-capability";
  readonly device: { readonly ordinal: number; readonly name: string };
  readonly runPictures: InferenceSession["runPictures"];
  readonly runDetections: InferenceSession["runDetections"];
  readonly runMaps: InferenceSession["runMaps"];

  readonly #addon: NativeAddon;
  readonly #native: NativeTensorRtEngine;
  readonly #contexts: number;
  readonly #queueLimit: number;
  #unsettled = 0;
  #closing: Promise<void> | null = null;

  private constructor(
    addon: NativeAddon,
    native: NativeTensorRtEngine,
    { native: { contexts, preparesPictures, decodesOutputs }, queueLimit }: CheckedTensorRtOptions,
  ) {
    this.#addon = addon;
    this.#native = native;
    this.#contexts = contexts;
    this.#queueLimit = queueLimit;
    this.runPictures = preparesPictures ? (batch, options) => this.#runPictures(batch, options) : undefined;
    this.runDetections = decodesOutputs ? (input, request, options) => this.#runDetections(input, request, options) : undefined;
    this.runMaps = decodesOutputs ? (input, request, options) => this.#runMaps(input, request, options) : undefined;
    this.engineVersion = native.libraryVersion;
    this.builtByVersion = native.builtByVersion;
    this.name = native.name;
    this.inputs = native.inputs.map(toPort);
    this.outputs = native.outputs.map(toPort);
    this.profile = native.profile;
    this.profiles = Array.from({ length: native.profiles }, (_, index) => profileOf(native.inputs, index));
    this.hardwareCompatibility = native.hardwareCompatibility;
    this.device = { ordinal: native.device, name: native.deviceName };
    this.metadata = {
      producer: `TensorRT ${native.builtByVersion}`,
      graphName: native.name,
      domain: "",
      description: "",
      version: null,
      opset: null,
      custom: {},
    };
  }

  /**
   * @param plan path of an engine, or its bytes, which must not change until the promise settles
   * @throws NativeAddonUnavailableError without the addon
   * @throws MissingDependencyError when the driver or TensorRT is missing, cannot be opened, or is of another major version; the
   *   message says what was found and where it was looked for
   * @throws CorruptedModelPackageError for what is no engine, and when TensorRT cannot load it, with TensorRT's own reason
   * @throws TensorRtError for an engine of another version or GPU; CudaError for a driver that is too old or has no GPU, and
   *   OutOfDeviceMemoryError from the device. `reason` tells all of these apart.
   */
  static async load(plan: string | Uint8Array, options: TensorRtEngineOptions = {}): Promise<TensorRtEngine> {
    if (typeof plan !== "string" && !(plan instanceof Uint8Array)) {
      throw new InvalidParameterError(`Expected a path or a Uint8Array for plan but received ${typeof plan}.`, { parameter: "plan" });
    }
    const { signal } = options;
    const checked = checkTensorRtOptions(options);
    signal?.throwIfAborted();
    const addon = requireAddon("TensorRT engines run");
    const cancel = addon.createCancelToken();
    const loading = callNative(() => addon.loadTensorRtEngine(plan, checked.native, cancel));
    try {
      const native = await raceAbort(signal, loading, () => {
        cancel.cancel();
        // Too late to stop it: what it made is not wanted any more.
        void loading.then((engine) => engine.close()).catch(() => undefined);
      });
      return new TensorRtEngine(addon, native, checked);
    } catch (failure) {
      if (signal?.aborted === true) throw failure;
      throw describeLoadFailure(failure, plan);
    }
  }

  get closed(): boolean {
    return this.#closing !== null;
  }

  allocateInput(elements: number): Float32Array {
    return new Float32Array(this.#addon.allocate(elements * Float32Array.BYTES_PER_ELEMENT));
  }

  /**
   * @param inputs by name; shapes have to fit the profile
   * @returns the outputs that are asked for, which alone are downloaded
   * @throws ModelInputError on a wrong name, type or shape; rejects with the signal's reason on abort. A run that is on the device
   *   already goes on to its end there.
   */
  async run(inputs: TensorRtInputs, options: RunOptions = {}): Promise<Readonly<Record<string, Tensor>>> {
    this.#requireReady(options);
    return this.#run(this.#readTensors(inputs), options);
  }

  /** As `run`, but the outputs stay on the device, as inputs of further runs. Close them. */
  async runOnDevice(inputs: TensorRtInputs, options: RunOptions = {}): Promise<Readonly<Record<string, DeviceTensor>>> {
    this.#requireReady(options);
    const outputs = await this.#runFor("keep", this.#readTensors(inputs), options);
    return Object.fromEntries(
      outputs.flatMap((output) => ("resident" in output ? [[output.name, DeviceTensor.of(this.#addon, output.resident)]] : [])),
    );
  }

  async #runPictures(batch: PictureBatch, options: RunOptions = {}): Promise<Readonly<Record<string, Tensor>>> {
    this.#requireReady(options);
    return this.#run(this.#readPictures(batch), options);
  }

  async #run(inputs: readonly NativeInput[], options: RunOptions): Promise<Readonly<Record<string, Tensor>>> {
    return readTensors(await this.#runFor("download", inputs, options));
  }

  #runFor(
    use: NativeOutputUse,
    inputs: readonly NativeInput[],
    { signal, outputs }: RunOptions,
  ): Promise<readonly (NativeTensor | NativeResident)[]> {
    const wanted = checkOutputs(this.outputs, outputs);
    const uses = this.outputs.map(({ name }) => (wanted.includes(name) ? use : "ignore"));
    return this.#submit(signal, (cancel) => this.#native.run(inputs, uses, cancel), closeResidents);
  }

  #runDetections(input: DecodingInput, request: DetectionRequest, options: RunOptions = {}): Promise<DetectionRun> {
    return this.#runDecoded(input, options, (inputs, outputs, cancel) =>
      this.#native.runDetections(inputs, { ...request, outputs }, cancel),
    );
  }

  #runMaps(input: DecodingInput, request: MapRequest, options: RunOptions = {}): Promise<MapRun> {
    return this.#runDecoded(input, options, (inputs, outputs, cancel) => this.#native.runMaps(inputs, { ...request, outputs }, cancel));
  }

  async #runDecoded<Picture>(
    input: DecodingInput,
    options: RunOptions,
    start: (
      inputs: readonly NativeInput[],
      outputs: readonly number[],
      cancel: NativeCancelToken | null,
    ) => Promise<{ readonly pictures: readonly Picture[]; readonly outputs: readonly NativeTensor[] }>,
  ): Promise<{ readonly pictures: readonly Picture[]; readonly outputs: Readonly<Record<string, Tensor>> }> {
    this.#requireReady(options);
    const { signal, outputs = [] } = options;
    const inputs = isPictureBatch(input) ? this.#readPictures(input) : this.#readTensors(input);
    const names = outputs.length === 0 ? [] : checkOutputs(this.outputs, outputs);
    const wanted = names.map((wantedName) => this.outputs.findIndex(({ name }) => name === wantedName));
    const run = await this.#submit(signal, (cancel) => start(inputs, wanted, cancel));
    return { pictures: run.pictures, outputs: readTensors(run.outputs) };
  }

  #requireReady({ signal }: RunOptions): void {
    signal?.throwIfAborted();
    if (this.closed) throw sessionClosed(STAGE);
  }

  #readTensors(inputs: TensorRtInputs): readonly (NativeTensor | NativeResident)[] {
    const residents: NativeResident[] = [];
    const others: Record<string, Tensor> = {};
    for (const [name, tensor] of Object.entries(inputs)) {
      if (tensor instanceof DeviceTensor) residents.push({ name, resident: tensor.nativeHandle });
      else others[name] = tensor;
    }
    const ports = this.inputs.filter((port) => !residents.some(({ name }) => name === port.name));
    return [...checkInputs(ports, others).map((tensor) => ({ ...tensor, type: elementTypeNumber(tensor.type) })), ...residents];
  }

  #readPictures({ dims, pictures }: PictureBatch): readonly NativePictures[] {
    const [port] = this.inputs;
    const read = pictures.map(({ image: { data, width, height, channels, colorFormat, borrowed }, steps }) => ({
      pixels: data,
      image: { width, height, channels, colorFormat, borrowed },
      steps,
    }));
    return [{ name: port?.name ?? "", type: elementTypeNumber(port?.type ?? "float32"), dims, pictures: read }];
  }

  /** @param discard what becomes of a result that comes after the abort. */
  async #submit<Result>(
    signal: AbortSignal | undefined,
    start: (cancel: NativeCancelToken | null) => Promise<Result>,
    discard: (result: Result) => void = () => undefined,
  ): Promise<Result> {
    // Runs that were aborted count until the device has let go of them: what is bounded is work, not promises.
    if (this.#unsettled >= this.#contexts + this.#queueLimit) {
      this.#native.countRefusal();
      throw queueFull(this.#queueLimit, STAGE);
    }
    const cancel = signal === undefined ? null : this.#addon.createCancelToken();
    this.#unsettled += 1;
    const running = callNative(() => start(cancel)).finally(() => {
      this.#unsettled -= 1;
    });
    try {
      return await raceAbort(signal, running, () => cancel?.cancel());
    } catch (failure) {
      void running.then(discard).catch(() => undefined);
      throw failure;
    }
  }

  statistics(): TensorRtStatistics {
    const { runs, deviceRuns, graphLaunches, graphsCaptured, graphsGivenUp, lastCaptureFailure } = this.#native.statistics();
    const settings = { lanes: this.#contexts, queueLimit: this.#queueLimit };
    return { ...runs, ...settings, device: deviceRuns, graphLaunches, graphsCaptured, graphsGivenUp, lastCaptureFailure };
  }

  memory(): TensorRtMemory {
    const { engineBytes, scratchBytes, deviceBytes, pinnedBytes } = this.#native.statistics();
    return { engine: engineBytes, scratch: scratchBytes, device: deviceBytes, pinned: pinnedBytes };
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await callNative(() => this.#native.close());
    // The last runs settled natively in this turn of the loop; whoever awaits them is to go on before whoever awaits this.
    await new Promise((resolve) => setImmediate(resolve));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

function describeLoadFailure(failure: unknown, plan: string | Uint8Array): unknown {
  if (!(failure instanceof ModelRuntimeError)) return failure;
  const { stage, message, code } = failure;
  const missing = missingLibrary(failure);
  if (missing !== null) return missing;
  if (stage !== "tensorrt.load" || code !== "TENSOR_RT") return failure;
  const what = typeof plan === "string" ? plan : `the engine of ${plan.length} bytes`;
  return new CorruptedModelPackageError(`TensorRT cannot load ${what}. ${message}`, {
    ...(typeof plan === "string" ? { path: plan } : {}),
    kind: "engine",
    cause: failure,
    ...becauseOf(reasonOf(failure)),
  });
}

export function toPort({ name, type, dims }: NativeTensorRtPort): TensorPort {
  return { name, kind: "tensor", type: elementTypeFromNumber(type), dims };
}

export function profileOf(inputs: readonly NativeTensorRtPort[], index: number): TensorRtProfile {
  return Object.fromEntries(
    inputs.flatMap(({ name, profiles }) => {
      const range = profiles[index];
      return range === undefined ? [] : [[name, range]];
    }),
  );
}

type DecodingInput = PictureBatch | Readonly<Record<string, Tensor>>;

type NativeInput = NativeTensor | NativePictures | NativeResident;

/** The collector would not know how much memory they hold. */
function closeResidents(outputs: readonly (NativeTensor | NativeResident)[]): void {
  for (const output of outputs) if ("resident" in output) void output.resident.close().catch(() => undefined);
}

function readTensors(tensors: readonly (NativeTensor | NativeResident)[]): Readonly<Record<string, Tensor>> {
  return Object.fromEntries(tensors.flatMap((tensor) => ("data" in tensor ? [[tensor.name, readTensor(tensor)]] : [])));
}

function readTensor({ type, dims, data }: NativeTensor): Tensor {
  const named = elementTypeFromNumber(type);
  if (named === null) throw new ModelRuntimeError(`The network returned elements of an unknown type (${type}).`, { stage: STAGE });
  return { type: named, dims, data: data as TensorData };
}
