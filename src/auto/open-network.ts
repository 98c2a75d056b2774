/** The network of a package, on the engine that its backend names. */
import { createInferenceSession, TensorRtEngine } from "../engines/index.js";
import type { ExecutionProvider, InferenceSession, SessionOptions } from "../engines/index.js";
import { configuration } from "../configuration.js";
import { defaultOnnxExecutionProviders, xRayRuntimeEnvironment } from "../environment/index.js";
import { ModelRuntimeError } from "../errors.js";
import type { ModelInfo } from "../models/index.js";
import { parseDevice } from "../negotiation/index.js";
import { parseTrtConfig, readPackageFile } from "../packages/index.js";
import { resolveDevice } from "./device.js";
import type { AutoModelOptions, RuntimeOptions } from "./options.js";

export type NetworkOptions = RuntimeOptions &
  Pick<AutoModelOptions, "onnxExecutionProviders" | "device" | "trtEngineHostCodeAllowed" | "signal">;

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

async function defaultExecutionProviders(device: string | undefined): Promise<readonly ExecutionProvider[]> {
  const environment = await xRayRuntimeEnvironment();
  const usable = defaultOnnxExecutionProviders(environment, resolveDevice(device, environment));
  // Where none can be had, the session is the one to say so.
  return usable.length > 0 ? usable : configuration().onnx.executionProviders;
}

async function openOnnx(weights: string, options: NetworkOptions): Promise<OpenedNetwork> {
  const { onnxExecutionProviders, intraOpThreads, lanes, signal } = options;
  const settings: SessionOptions = {
    executionProviders: onnxExecutionProviders ?? (await defaultExecutionProviders(options.device)),
    // Only what was given: absent and undefined differ for the rooms below.
    ...(intraOpThreads === undefined ? {} : { intraOpThreads }),
    ...(lanes === undefined ? {} : { lanes }),
    ...(signal === undefined ? {} : { signal }),
  };
  signal?.throwIfAborted();
  const session = await createInferenceSession(weights, settings);
  const device = session.executionProviders.some((provider) => /cuda|tensorrt/i.test(provider)) ? "cuda:0" : "cpu";
  return { session, backend: "onnx", device, batchSize: null };
}

async function openTensorRt(weights: string, configPath: string, options: NetworkOptions): Promise<OpenedNetwork> {
  const { lanes, signal } = options;
  const config = parseTrtConfig(await readPackageFile(configPath), { path: configPath });
  const { type, index } = parseDevice(options.device ?? (configuration().device.standard || "cuda"));
  if (type !== "cuda") {
    throw new ModelRuntimeError(
      `The package is a TensorRT engine, which runs on a GPU, and the device is ${type}. Name "cuda" as device, or choose a package of another backend.`,
      { stage: "tensorrt.load" },
    );
  }
  const session = await TensorRtEngine.load(weights, {
    device: index ?? 0,
    engineHostCodeAllowed: options.trtEngineHostCodeAllowed ?? true,
    ...(lanes === undefined ? {} : { contexts: lanes }),
    ...(signal === undefined ? {} : { signal }),
  });
  const [minimum, maximum] = config.kind === "static" ? [config.batchSize, config.batchSize] : [config.minimum, config.maximum];
  return { session, backend: "trt", device: `cuda:${index ?? 0}`, batchSize: { minimum, maximum } };
}

/** @param files paths in the order of {@link networkFiles} */
export function openNetwork([weights = "", trtConfig]: readonly string[], options: NetworkOptions): Promise<OpenedNetwork> {
  return trtConfig === undefined ? openOnnx(weights, options) : openTensorRt(weights, trtConfig, options);
}
