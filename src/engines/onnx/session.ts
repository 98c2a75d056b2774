import { openRuntime, providerShortName, type OpenedRuntime } from "../../environment/index.js";
import { EnvironmentConfigurationError, ModelRuntimeError } from "../../errors.js";
import { callNative, type NativeAddon, type NativeCancelToken, type NativeSession, type NativeTensor } from "../../native/index.js";
import { elementTypeFromNumber, elementTypeNumber } from "../element-types.js";
import type {
  InferenceSession,
  NetworkMetadata,
  RunOptions,
  SessionOptions,
  SessionStatistics,
  Tensor,
  TensorData,
  TensorPort,
} from "../types.js";
import { raceAbort } from "../../abort.js";
import { readModelHeader } from "./model-file.js";
import { checkOptions, type CheckedOptions } from "./options.js";
import { modelNotLoadable, queueFull, sessionClosed } from "../refusals.js";
import { checkInputs, checkOutputs } from "../tensors.js";

/** A session whose runs compute on threads of the addon. */
export async function createNativeSession(
  addon: NativeAddon,
  model: string | Uint8Array,
  options: SessionOptions,
): Promise<InferenceSession> {
  const checked = checkOptions(options);
  const runtime = openRuntime(addon);
  const opset = readModelHeader(model)?.opset ?? null;
  const cancel = addon.createCancelToken();
  const creation = callNative(() => addon.createSession(model, checked, cancel));
  let native: NativeSession;
  try {
    native = await raceAbort(options.signal, creation, () => {
      cancel.cancel();
      // Too late to stop it: what it made is not wanted any more.
      void creation.then((session) => session.close()).catch(() => undefined);
    });
  } catch (failure) {
    if (options.signal?.aborted === true) throw failure;
    throw describeLoadFailure(failure, model, checked);
  }
  return new NativeInferenceSession(addon, native, runtime, checked, opset);
}

function describeLoadFailure(failure: unknown, model: string | Uint8Array, options: CheckedOptions): unknown {
  if (!(failure instanceof ModelRuntimeError)) return failure;
  if (failure.stage === "onnxruntime.provider") {
    return new EnvironmentConfigurationError(
      `${failure.message} Install what it needs, or let another provider follow in executionProviders.`,
      {
        providers: options.providers.map(({ name }) => providerShortName(name)),
        cause: failure,
      },
    );
  }
  if (failure.stage !== "onnxruntime.load" || failure.code !== "MODEL_RUNTIME") return failure;
  return modelNotLoadable(model, failure.message, failure);
}

class NativeInferenceSession implements InferenceSession {
  readonly engine = "onnxruntime";
  readonly engineVersion: string;
  readonly executionProviders: readonly string[];
  readonly inputs: readonly TensorPort[];
  readonly outputs: readonly TensorPort[];
  readonly metadata: NetworkMetadata;

  readonly #addon: NativeAddon;
  readonly #native: NativeSession;
  readonly #lanes: number;
  readonly #queueLimit: number;
  #unsettled = 0;
  #refused = 0;
  #closing: Promise<void> | null = null;

  constructor(addon: NativeAddon, native: NativeSession, runtime: OpenedRuntime, options: CheckedOptions, opset: number | null) {
    this.#addon = addon;
    this.#native = native;
    this.#lanes = options.lanes;
    this.#queueLimit = options.queueLimit;
    this.engineVersion = runtime.version;
    this.executionProviders = native.providers.map(providerShortName);
    this.inputs = native.inputs.map(namePortType);
    this.outputs = native.outputs.map(namePortType);
    this.metadata = { ...native.metadata, opset };
  }

  get closed(): boolean {
    return this.#closing !== null;
  }

  allocateInput(elements: number): Float32Array {
    return new Float32Array(this.#addon.allocate(elements * Float32Array.BYTES_PER_ELEMENT));
  }

  async run(inputs: Readonly<Record<string, Tensor>>, { signal, outputs }: RunOptions = {}): Promise<Readonly<Record<string, Tensor>>> {
    signal?.throwIfAborted();
    if (this.closed) throw sessionClosed();
    const tensors = checkInputs(this.inputs, inputs).map((tensor) => ({ ...tensor, type: elementTypeNumber(tensor.type) }));
    const wanted = checkOutputs(this.outputs, outputs);
    // Runs that were aborted count until their lane has let go of them: what is bounded is work, not promises.
    if (this.#unsettled >= this.#lanes + this.#queueLimit) {
      this.#refused += 1;
      throw queueFull(this.#queueLimit);
    }
    const cancel = signal === undefined ? null : this.#addon.createCancelToken();
    const work = this.#submit(tensors, wanted, cancel);
    const results = await raceAbort(signal, work, () => cancel?.cancel());
    return Object.fromEntries(results.map((tensor) => [tensor.name, readTensor(tensor)]));
  }

  async #submit(
    inputs: readonly NativeTensor[],
    outputs: readonly string[],
    cancel: NativeCancelToken | null,
  ): Promise<readonly NativeTensor[]> {
    this.#unsettled += 1;
    try {
      return await callNative(() => this.#native.run(inputs, outputs, cancel));
    } finally {
      this.#unsettled -= 1;
    }
  }

  statistics(): SessionStatistics {
    return { ...this.#native.statistics(), lanes: this.#lanes, queueLimit: this.#queueLimit, refused: this.#refused };
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

function namePortType(port: NativeSession["inputs"][number]): TensorPort {
  return { ...port, type: port.kind === "tensor" ? elementTypeFromNumber(port.type) : null };
}

function readTensor({ type, dims, data }: NativeTensor): Tensor {
  const named = elementTypeFromNumber(type);
  if (named === null)
    throw new ModelRuntimeError(`The network returned elements of an unknown type (${type}).`, { stage: "onnxruntime.run" });
  return { type: named, dims, data: data as TensorData };
}
