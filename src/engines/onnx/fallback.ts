/** Where no addon can be loaded: onnxruntime-node as it is, which computes on the thread that calls. */
import { createRequire } from "node:module";

import { configuration } from "../../configuration.js";
import { LIBRARY_VARIABLE, onnxRuntimeNodeDirectory } from "../../environment/index.js";
import { EnvironmentConfigurationError, MissingDependencyError, ModelRuntimeError } from "../../errors.js";
import { elementArray, isElementType } from "../element-types.js";
import type {
  ElementType,
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
import { splitProviders } from "./providers.js";
import { modelNotLoadable, queueFull, sessionClosed } from "../refusals.js";
import { checkInputs, checkOutputs } from "../tensors.js";

/** The part of onnxruntime-node that is used here. */
interface RuntimeModule {
  readonly InferenceSession: { create(model: string | Uint8Array, options: object): Promise<RuntimeSession> };
  readonly Tensor: new (type: string, data: unknown, dims: readonly number[]) => RuntimeTensor;
  readonly env: { readonly versions: { readonly node?: string; readonly common: string } };
  listSupportedBackends?(): readonly { readonly name: string }[];
}

interface RuntimeSession {
  readonly inputMetadata: readonly RuntimePort[];
  readonly outputMetadata: readonly RuntimePort[];
  run(feeds: Readonly<Record<string, RuntimeTensor>>, fetches: readonly string[]): Promise<Readonly<Record<string, RuntimeTensor>>>;
  release(): Promise<void>;
}

interface RuntimePort {
  readonly name: string;
  readonly isTensor: boolean;
  readonly type?: string;
  readonly shape?: readonly (number | string)[];
}

interface RuntimeTensor {
  readonly type: string;
  readonly data: ArrayBufferView | readonly string[];
  readonly dims: readonly number[];
}

/** @throws MissingDependencyError, EnvironmentConfigurationError */
export function loadRuntimeModule(): RuntimeModule {
  const named = configuration().native.onnxRuntime;
  if (named !== "") {
    throw new EnvironmentConfigurationError(
      `${LIBRARY_VARIABLE} names ${named}, which only the native addon can open. Unset it, or build the addon with "npm run build:native".`,
    );
  }
  const directory = onnxRuntimeNodeDirectory();
  try {
    return createRequire(import.meta.url)("onnxruntime-node") as RuntimeModule;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    if (reason.includes("version `VERS_")) {
      throw new EnvironmentConfigurationError(
        `Two ONNX Runtime releases in one process cannot work, and another one than onnxruntime-node's was loaded first. ${reason}`,
        { cause },
      );
    }
    throw new MissingDependencyError(
      `onnxruntime-node in ${directory} cannot be loaded. ${reason} Reinstall it with "npm install --ignore-scripts onnxruntime-node".`,
      { dependency: "onnxruntime-node", cause },
    );
  }
}

export function runtimeModuleVersion(runtime: RuntimeModule): string {
  return runtime.env.versions.node ?? runtime.env.versions.common;
}

/** A session on onnxruntime-node. Creation and runs block the event loop, so runs are done one after another. */
export async function createFallbackSession(model: string | Uint8Array, options: SessionOptions): Promise<InferenceSession> {
  const checked = checkOptions(options);
  const runtime = loadRuntimeModule();
  warnOnce();
  const providers = splitProviders(options.executionProviders);
  for (const [index, { name: provider, options: settings }] of providers.entries()) {
    try {
      // One at a time: in a list, onnxruntime-node skips a provider that cannot be used without a word.
      const session = await runtime.InferenceSession.create(model, {
        executionProviders: [{ ...settings, name: provider }],
        intraOpNumThreads: checked.intraOpThreads,
        graphOptimizationLevel: options.graphOptimization ?? "all",
        logSeverityLevel: 3,
        extra: { session: { intra_op: { allow_spinning: checked.spinning ? "1" : "0" } } },
      });
      return new FallbackSession(runtime, session, provider === "cpu" ? ["cpu"] : [provider, "cpu"], checked, readMetadata(model));
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      // The only hint at what failed is the text, and a damaged model fails on every provider alike.
      if (provider !== "cpu" && index + 1 < providers.length) continue;
      if (provider !== "cpu") {
        throw new EnvironmentConfigurationError(
          `Execution provider ${provider} cannot be used: ${reason} Let another provider follow in executionProviders.`,
          {
            providers: providers.map(({ name }) => name),
            cause,
          },
        );
      }
      throw modelNotLoadable(model, reason, cause);
    }
  }
  throw new ModelRuntimeError("No execution provider was named.", { stage: "onnxruntime.load" });
}

let warned = false;

function warnOnce(): void {
  if (warned) return;
  warned = true;
  process.emitWarning(
    "Networks run through onnxruntime-node, which blocks the event loop while it creates a session and during every run: timers, " +
      'requests and signals wait meanwhile. With the native addon ("npm run build:native") they run on threads of their own.',
    { type: "InferenceModelsWarning", code: "INFERENCE_MODELS_BLOCKING_RUNTIME" },
  );
}

/** onnxruntime-node does not tell the model's metadata, so it is read from the file. The graph's name lies too deep for that. */
function readMetadata(model: string | Uint8Array): NetworkMetadata {
  const header = readModelHeader(model);
  return { producer: "", domain: "", description: "", version: null, opset: null, custom: {}, ...header, graphName: "" };
}

class FallbackSession implements InferenceSession {
  readonly engine = "onnxruntime-node";
  readonly engineVersion: string;
  readonly inputs: readonly TensorPort[];
  readonly outputs: readonly TensorPort[];

  readonly #runtime: RuntimeModule;
  readonly #session: RuntimeSession;
  readonly #queueLimit: number;
  /** Settles when the last run that was accepted has ended. */
  #tail: Promise<unknown> = Promise.resolve();
  #closing: Promise<void> | null = null;
  readonly #counts = { waiting: 0, running: 0, completed: 0, failed: 0, cancelled: 0, refused: 0 };

  constructor(
    runtime: RuntimeModule,
    session: RuntimeSession,
    readonly executionProviders: readonly string[],
    options: CheckedOptions,
    readonly metadata: NetworkMetadata,
  ) {
    this.#runtime = runtime;
    this.#session = session;
    this.#queueLimit = options.queueLimit;
    this.engineVersion = runtimeModuleVersion(runtime);
    this.inputs = session.inputMetadata.map(describePort);
    this.outputs = session.outputMetadata.map(describePort);
  }

  get closed(): boolean {
    return this.#closing !== null;
  }

  allocateInput(elements: number): Float32Array {
    return new Float32Array(elements);
  }

  async run(inputs: Readonly<Record<string, Tensor>>, { signal, outputs }: RunOptions = {}): Promise<Readonly<Record<string, Tensor>>> {
    signal?.throwIfAborted();
    if (this.closed) throw sessionClosed();
    const tensors = checkInputs(this.inputs, inputs);
    const wanted = checkOutputs(this.outputs, outputs);
    if (this.#counts.waiting + this.#counts.running > this.#queueLimit) {
      this.#counts.refused += 1;
      throw queueFull(this.#queueLimit);
    }
    this.#counts.waiting += 1;
    const work = this.#tail.then(() => this.#compute(tensors, wanted, signal));
    this.#tail = work.catch(() => undefined);
    return raceAbort(signal, work, () => undefined);
  }

  async #compute(
    tensors: readonly (Tensor & { readonly name: string })[],
    outputs: readonly string[],
    signal: AbortSignal | undefined,
  ): Promise<Readonly<Record<string, Tensor>>> {
    const counts = this.#counts;
    counts.waiting -= 1;
    if (signal?.aborted === true) {
      counts.cancelled += 1;
      throw signal.reason;
    }
    counts.running += 1;
    try {
      const feeds = tensors.map(({ name, type, data, dims }) => [name, new this.#runtime.Tensor(type, data, dims)] as const);
      const results = await this.#session.run(Object.fromEntries(feeds), outputs);
      counts.completed += 1;
      return Object.fromEntries(outputs.map((name) => [name, readTensor(name, results[name])]));
    } catch (cause) {
      counts.failed += 1;
      throw new ModelRuntimeError(cause instanceof Error ? cause.message : String(cause), { stage: "onnxruntime.run", cause });
    } finally {
      counts.running -= 1;
    }
  }

  statistics(): SessionStatistics {
    return { ...this.#counts, lanes: 1, queueLimit: this.#queueLimit };
  }

  close(): Promise<void> {
    this.#closing ??= this.#tail.then(() => this.#session.release());
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

function describePort({ name, isTensor, type, shape }: RuntimePort): TensorPort {
  return isTensor && type !== undefined
    ? { name, kind: "tensor", type: isElementType(type) ? type : null, dims: shape ?? [] }
    : { name, kind: "unknown", type: null, dims: null };
}

function readTensor(name: string, tensor: RuntimeTensor | undefined): Tensor {
  if (tensor === undefined) throw new ModelRuntimeError(`Output "${name}" has no value.`, { stage: "onnxruntime.run" });
  const type = tensor.type as ElementType;
  const { data } = tensor;
  if (type === "string" || !ArrayBuffer.isView(data)) return { type, dims: [...tensor.dims], data: data as readonly string[] };
  // Where the engine knows Float16Array, onnxruntime-node returns it; here half precision is words.
  const array = elementArray(type);
  if (data instanceof array) return { type, dims: [...tensor.dims], data };
  const words = new Uint16Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength / Uint16Array.BYTES_PER_ELEMENT);
  return { type, dims: [...tensor.dims], data: words satisfies TensorData };
}
