import { createInferenceSession } from "../engines/index.js";
import type { ExecutionProvider, InferenceSession, SessionOptions } from "../engines/index.js";
import { CorruptedModelPackageError, ForbiddenLocalCodePackageAccessError } from "../errors.js";
import { configuration } from "../configuration.js";
import { defaultOnnxExecutionProviders, xRayRuntimeEnvironment } from "../environment/index.js";
import { createPreprocessExecutor, preloadDecoder, referenceExecutor } from "../imaging/index.js";
import {
  createDetectionDecoder,
  findImplementation,
  LoadedKeyPointModel,
  LoadedObjectDetectionModel,
  referenceDecoder,
  type AnyModel,
  type Family,
  type FamilyDescription,
  type ModelInfo,
  type ModelParts,
  type PackageContents,
} from "../models/index.js";
import { invalidOption, requireKnownOptions } from "../options.js";
import { parseClassNames, parseInferenceConfig, parseModelConfig, readPackageFile, requirePackageFiles } from "../packages/index.js";
import type { ModelConfig, RecommendedParameters } from "../packages/index.js";
import { resolveSource } from "./source.js";

export interface AutoModelOptions {
  /** Stops loading; rejects with the signal's reason. */
  readonly signal?: AbortSignal;
  /** Which code prepares pictures and decodes outputs: `auto` takes the addon where there is one, `reference` plain TypeScript. */
  readonly executor?: "auto" | "reference";
  /** ONNX Runtime providers in order of preference; default those of `ONNXRUNTIME_EXECUTION_PROVIDERS` that this machine has. */
  readonly executionProviders?: readonly ExecutionProvider[];
  /** Threads inside one network run, default 1; 0 = one per physical core. */
  readonly intraOpThreads?: number;
  /** Network runs at once, default 1. */
  readonly lanes?: number;
  /** Predictions that may wait for a place; one more rejects with QueueFullError. Default 256. */
  readonly queueLimit?: number;
  /** Thresholds for `confidence: "best"`, instead of the package's own. */
  readonly recommendedParameters?: RecommendedParameters;
  /** Options of a call that the model cannot honour are errors instead of one warning each. Default false. */
  readonly strictOptions?: boolean;
  /** Files with more pixels than this are refused before they are decoded; a sharp pipeline keeps its own limit. */
  readonly maximumPixels?: number;
}

const OPTION_NAMES = [
  "signal",
  "executor",
  "executionProviders",
  "intraOpThreads",
  "lanes",
  "queueLimit",
  "recommendedParameters",
  "strictOptions",
  "maximumPixels",
] as const satisfies readonly (keyof AutoModelOptions)[];

function checkOptions(options: AutoModelOptions): void {
  requireKnownOptions(options, OPTION_NAMES, "AutoModel.fromPretrained");
  if (options.executor !== undefined && !["auto", "reference"].includes(options.executor)) {
    throw invalidOption("executor", '"auto" or "reference"', options.executor);
  }
  for (const [name, minimum] of [
    ["intraOpThreads", 0],
    ["lanes", 1],
    ["queueLimit", 0],
    ["maximumPixels", 1],
  ] as const) {
    const value = options[name];
    if (value !== undefined && !(Number.isSafeInteger(value) && value >= minimum))
      throw invalidOption(name, `an integer of at least ${minimum}`, value);
  }
}

async function defaultExecutionProviders(): Promise<readonly ExecutionProvider[]> {
  const usable = defaultOnnxExecutionProviders(await xRayRuntimeEnvironment());
  // Where none can be had, the session is the one to say so.
  return usable.length > 0 ? usable : configuration().onnx.executionProviders;
}

/** Only what was given: absent and undefined differ for the rooms below. */
async function sessionOptions(options: AutoModelOptions): Promise<SessionOptions> {
  const { executionProviders, intraOpThreads, lanes, signal } = options;
  return {
    executionProviders: executionProviders ?? (await defaultExecutionProviders()),
    ...(intraOpThreads === undefined ? {} : { intraOpThreads }),
    ...(lanes === undefined ? {} : { lanes }),
    ...(signal === undefined ? {} : { signal }),
  };
}

function batchLimits(session: InferenceSession, description: FamilyDescription): ModelInfo["batchSize"] {
  const batch = session.inputs[0]?.dims?.[0];
  return typeof batch === "number" ? { minimum: batch, maximum: batch } : { minimum: 1, maximum: description.maximumDynamicBatch };
}

async function readContents(
  directory: string,
  modelConfig: ModelConfig,
  family: Family,
): Promise<PackageContents & { readonly weights: string }> {
  const { resizeModes } = family;
  const files = await requirePackageFiles(directory, [...family.files, family.weights]);
  const configPath = files["inference_config.json"];
  const namesPath = files["class_names.txt"];
  const [inferenceConfig, classNames] = await Promise.all([
    configPath === undefined || resizeModes === null
      ? null
      : readPackageFile(configPath).then((text) => parseInferenceConfig(text, resizeModes, { path: configPath })),
    namesPath === undefined ? null : readPackageFile(namesPath).then((text) => parseClassNames(text, { path: namesPath })),
  ]);
  return { directory, modelConfig, inferenceConfig, classNames, weights: files[family.weights] ?? "" };
}

async function loadPackage(id: string, directory: string, options: AutoModelOptions): Promise<AnyModel> {
  const configPath = (await requirePackageFiles(directory, ["model_config.json"]))["model_config.json"] ?? "";
  const modelConfig = parseModelConfig(await readPackageFile(configPath), { path: configPath });
  const { modelArchitecture: architecture, backendType: backend, taskType: task, modelFeatures } = modelConfig;
  if (architecture === null || backend === null) {
    throw new ForbiddenLocalCodePackageAccessError(
      `The package in ${directory} names no ${architecture === null ? "model_architecture" : "backend_type"} in model_config.json, so it would have to bring its own code, which is not loaded. ` +
        "Name model_architecture, task_type and backend_type to load it with a class of this library.",
    );
  }
  const { load } = findImplementation({ architecture, task, backend, features: Object.keys(modelFeatures ?? {}) });
  const { family } = await load();
  const [contents, settings] = await Promise.all([readContents(directory, modelConfig, family), sessionOptions(options)]);
  options.signal?.throwIfAborted();
  const creating = createInferenceSession(contents.weights, settings);
  // The network is loaded by another thread meanwhile.
  preloadDecoder();
  const session = await creating;
  try {
    return assemble(id, family, contents, session, options);
  } catch (error) {
    await session.close();
    throw withPath(error, contents.weights);
  }
}

/** A family knows its ports but not where they came from. */
function withPath(error: unknown, path: string): unknown {
  if (error instanceof CorruptedModelPackageError && error.path === undefined) Object.assign(error, { path });
  return error;
}

function assemble(id: string, family: Family, contents: PackageContents, session: InferenceSession, options: AutoModelOptions): AnyModel {
  const reference = options.executor === "reference";
  const preprocess = reference ? referenceExecutor : createPreprocessExecutor();
  const decoder = reference ? referenceDecoder : createDetectionDecoder();
  const parts = <F extends Family, D extends FamilyDescription>(of: F, description: D): ModelParts<F, D> => ({
    family: of,
    description,
    session,
    preprocess,
    decoder,
    info: {
      id,
      packageId: contents.directory.split(/[\\/]/).findLast((part) => part !== "") ?? id,
      architecture: contents.modelConfig.modelArchitecture ?? "",
      task: of.task,
      variant: null,
      backend: "onnx",
      engine: session.engine,
      engineVersion: session.engineVersion,
      executionProviders: session.executionProviders,
      device: session.executionProviders.some((provider) => /cuda|tensorrt/i.test(provider)) ? "cuda:0" : "cpu",
      preprocessExecutor: preprocess.name,
      decodeExecutor: decoder.name,
      inputSize: description.plan.defaultSize,
      batchSize: batchLimits(session, description),
    },
    recommended: options.recommendedParameters ?? contents.modelConfig.recommendedParameters,
    strictOptions: options.strictOptions ?? false,
    queueLimit: options.queueLimit ?? 256,
    maximumPixels: options.maximumPixels ?? configuration().inputs.maximumPixels,
  });
  switch (family.task) {
    case "object-detection":
      return new LoadedObjectDetectionModel(parts(family, family.describe(contents, session)));
    case "keypoint-detection":
      return new LoadedKeyPointModel(parts(family, family.describe(contents, session)));
  }
}

/** From a name to a ready model. */
export const AutoModel = {
  /**
   * @param source a folder with a model package, or the id of a model that ships with this package (`mediapipe/face-detector`).
   * @returns a model that is ready: its network is loaded, its configuration checked. Close it when done (`await using` does).
   * @throws ModelNotFoundError, CorruptedModelPackageError, ModelImplementationNotFoundError, InvalidOptionError, MissingDependencyError
   */
  async fromPretrained(source: string, options: AutoModelOptions = {}): Promise<AnyModel> {
    checkOptions(options);
    options.signal?.throwIfAborted();
    const { id, directory } = await resolveSource(source);
    return loadPackage(id, directory, options);
  },
} as const;
