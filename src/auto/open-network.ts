/** The network of a package, on the engine that its backend names. */
import { dirname } from "node:path";

import { createInferenceSession, TensorRtEngine } from "../engines/index.js";
import type { ExecutionProvider, InferenceSession, SessionOptions } from "../engines/index.js";
import { configuration } from "../configuration.js";
import { defaultOnnxExecutionProviders, xRayRuntimeEnvironment } from "../environment/index.js";
import { ModelRuntimeError } from "../errors.js";
import { logger } from "../logger.js";
import { invalidOption } from "../options.js";
import type { ModelInfo } from "../models/index.js";
import { parseDevice } from "../negotiation/index.js";
import { parseTrtConfig, readPackageFile } from "../packages/index.js";
import { checkLocalEngine, type EngineGpu } from "../providers/index.js";
import { resolveDevice } from "./device.js";
import { withProviderDefaults } from "./execution-providers.js";
import type { AutoModelOptions, RuntimeOptions } from "./options.js";

export type NetworkOptions = RuntimeOptions &
  Pick<AutoModelOptions, "onnxExecutionProviders" | "defaultOnnxTrtOptions" | "device" | "trtEngineHostCodeAllowed" | "signal">;

export interface OpenedNetwork {
  readonly session: InferenceSession;
  readonly backend: ModelInfo["backend"];
  readonly device: string;
  /** null: whatever the network and its family say. */
  readonly batchSize: ModelInfo["batchSize"] | null;
}

/** Files of a backend beside those of the family, the network's own last. */
export function networkFiles(backend: string, onnxWeights: string): readonly [weights: string, ...others: readonly string[]] {
  return backend === "trt" ? ["engine.plan", "trt_config.json"] : [onnxWeights];
}

const GPU_PROVIDER = /cuda|tensorrt/i;

/** Providers in order of preference, and the device that they are to run on. */
async function placement({
  device,
  onnxExecutionProviders,
}: NetworkOptions): Promise<{ readonly device: string; readonly providers: readonly ExecutionProvider[] }> {
  if (onnxExecutionProviders !== undefined) {
    const onGpu = onnxExecutionProviders.some((one) => GPU_PROVIDER.test(typeof one === "string" ? one : one.name));
    return { device: onGpu ? (device ?? "cuda") : "cpu", providers: onnxExecutionProviders };
  }
  const environment = await xRayRuntimeEnvironment();
  const resolved = resolveDevice(device, environment);
  const usable = defaultOnnxExecutionProviders(environment, resolved);
  // Where none can be had, the session is the one to say so.
  return { device: resolved, providers: usable.length > 0 ? usable : configuration().onnx.executionProviders };
}

/** Where the session really runs. A GPU that was to be used and is not must not go unnoticed. */
function deviceOf({ executionProviders }: InferenceSession, wanted: string): string {
  const { type, index } = parseDevice(wanted);
  if (executionProviders.some((provider) => GPU_PROVIDER.test(provider))) return `cuda:${index ?? 0}`;
  if (type === "cuda") {
    logger().warn(
      `The device is ${wanted}, but ONNX Runtime runs this network on ${executionProviders.join(", ")}: its build here has no provider for the GPU, or that one could not be loaded. ` +
        'Use a TensorRT package, set INFERENCE_MODELS_ONNXRUNTIME to a build with CUDA, or pass device: "cpu".',
    );
  }
  return "cpu";
}

async function openOnnx(weights: string, options: NetworkOptions): Promise<OpenedNetwork> {
  const { defaultOnnxTrtOptions = true, executor, intraOpThreads, lanes, signal } = options;
  if (executor === "cuda") throw invalidOption("executor", '"auto" or "reference", because ONNX Runtime runs this package', executor);
  const { device, providers } = await placement(options);
  const settings: SessionOptions = {
    executionProviders: withProviderDefaults(providers, { device, directory: dirname(weights), defaultOnnxTrtOptions }),
    // Only what was given: absent and undefined differ for the rooms below.
    ...(intraOpThreads === undefined ? {} : { intraOpThreads }),
    ...(lanes === undefined ? {} : { lanes }),
    ...(signal === undefined ? {} : { signal }),
  };
  signal?.throwIfAborted();
  const session = await createInferenceSession(weights, settings);
  return { session, backend: "onnx", device: deviceOf(session, device), batchSize: null };
}

/** Null where it is not known: then whoever loads the engine says what is wrong. */
async function gpuOf(ordinal: number): Promise<EngineGpu | null> {
  const environment = await xRayRuntimeEnvironment().catch(() => null);
  const [name, computeCapability] = [environment?.gpuDevices[ordinal], environment?.gpuDevicesCc[ordinal]];
  return name === undefined || computeCapability === undefined ? null : { name, computeCapability };
}

async function openTensorRt(weights: string, configPath: string, options: NetworkOptions, checksHash: boolean): Promise<OpenedNetwork> {
  const { lanes, signal } = options;
  const config = parseTrtConfig(await readPackageFile(configPath), { path: configPath });
  const { type, index } = parseDevice(options.device ?? (configuration().device.standard || "cuda"));
  if (type !== "cuda") {
    throw new ModelRuntimeError(
      `The package is a TensorRT engine, which runs on a GPU, and the device is ${type}. Name "cuda" as device, or choose a package of another backend.`,
      { stage: "tensorrt.load" },
    );
  }
  await checkLocalEngine(dirname(weights), { gpu: () => gpuOf(index ?? 0), checksHash });
  signal?.throwIfAborted();
  const session = await TensorRtEngine.load(weights, {
    device: index ?? 0,
    engineHostCodeAllowed: options.trtEngineHostCodeAllowed ?? true,
    preparesPictures: options.executor === "cuda",
    decodesOutputs: options.executor === "cuda",
    ...(lanes === undefined ? {} : { contexts: lanes }),
    ...(signal === undefined ? {} : { signal }),
  });
  const [minimum, maximum] = config.kind === "static" ? [config.batchSize, config.batchSize] : [config.minimum, config.maximum];
  return { session, backend: "trt", device: `cuda:${index ?? 0}`, batchSize: { minimum, maximum } };
}

/**
 * @param files paths in the order of {@link networkFiles}
 * @param checksHash whether an engine is held against the hash that its package may have: not again where that was done before
 */
export function openNetwork(
  [weights = "", trtConfig]: readonly string[],
  options: NetworkOptions,
  checksHash: boolean,
): Promise<OpenedNetwork> {
  return trtConfig === undefined ? openOnnx(weights, options) : openTensorRt(weights, trtConfig, options, checksHash);
}
