import { basename } from "node:path";

import { createInferenceSession } from "../engines/index.js";
import type { ExecutionProvider, InferenceSession, SessionOptions } from "../engines/index.js";
import { CorruptedModelPackageError } from "../errors.js";
import { configuration } from "../configuration.js";
import { defaultOnnxExecutionProviders, xRayRuntimeEnvironment } from "../environment/index.js";
import { createPreprocessExecutor, preloadDecoder, referenceExecutor } from "../imaging/index.js";
import {
  createDecoder,
  createModel,
  findImplementation,
  referenceDecoder,
  type AnyModel,
  type Family,
  type FamilyDescription,
  type ModelInfo,
  type ModelOrigin,
  type PackageContents,
  type PackageText,
} from "../models/index.js";
import { parseClassNames, parseInferenceConfig, parseModelConfig, readPackageFile, requirePackageFiles } from "../packages/index.js";
import type { ModelConfig, RecommendedParameters } from "../packages/index.js";
import { loadCodePackage } from "./code-package.js";
import { resolveDevice } from "./device.js";
import type { AutoModelOptions, RuntimeOptions } from "./options.js";

/** What is loaded, from where, and what was found out about it on the way. */
export interface PackageSource {
  /** As the caller named it. */
  readonly id: string;
  /** null = the name of the folder. */
  readonly packageId: string | null;
  readonly directory: string;
  readonly origin: ModelOrigin;
  /** What the provider recommends; the package's own file counts when this is null. */
  readonly recommendedParameters: RecommendedParameters | null;
  /** By name. They belong to whoever loaded them. */
  readonly dependencies: Readonly<Record<string, AnyModel>>;
}

export type PackageOptions = RuntimeOptions &
  Pick<AutoModelOptions, "onnxExecutionProviders" | "device" | "allowLocalCodePackages" | "modelOptions" | "signal">;

async function defaultExecutionProviders(device: string | undefined): Promise<readonly ExecutionProvider[]> {
  const environment = await xRayRuntimeEnvironment();
  const usable = defaultOnnxExecutionProviders(environment, resolveDevice(device, environment));
  // Where none can be had, the session is the one to say so.
  return usable.length > 0 ? usable : configuration().onnx.executionProviders;
}

/** Only what was given: absent and undefined differ for the rooms below. */
async function sessionOptions(options: PackageOptions): Promise<SessionOptions> {
  const { onnxExecutionProviders, intraOpThreads, lanes, signal } = options;
  return {
    executionProviders: onnxExecutionProviders ?? (await defaultExecutionProviders(options.device)),
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
  const others = Object.entries(files).filter(([name]) => !["inference_config.json", "class_names.txt", family.weights].includes(name));
  const [inferenceConfig, classNames, texts] = await Promise.all([
    configPath === undefined || resizeModes === null
      ? null
      : readPackageFile(configPath).then((text) => parseInferenceConfig(text, resizeModes, { path: configPath })),
    namesPath === undefined ? null : readPackageFile(namesPath).then((text) => parseClassNames(text, { path: namesPath })),
    Promise.all(
      others.map(async ([name, path]): Promise<[string, PackageText]> => [name, { path, text: await readPackageFile(path) }]),
    ).then(Object.fromEntries<PackageText>),
  ]);
  return { directory, modelConfig, inferenceConfig, classNames, texts, weights: files[family.weights] ?? "" };
}

/**
 * From a folder to a ready model.
 * @throws CorruptedModelPackageError, ModelImplementationNotFoundError, MissingDependencyError, ForbiddenLocalCodePackageAccessError
 */
export async function loadPackage(source: PackageSource, options: PackageOptions): Promise<AnyModel> {
  const { directory } = source;
  const configPath = (await requirePackageFiles(directory, ["model_config.json"]))["model_config.json"] ?? "";
  const modelConfig = parseModelConfig(await readPackageFile(configPath), { path: configPath });
  const { modelArchitecture: architecture, backendType: backend, taskType: task, modelFeatures } = modelConfig;
  if (architecture === null || backend === null) {
    const { dependencies } = source;
    const codeOptions = { ...options, ...options.modelOptions, modelDependencies: dependencies };
    return loadCodePackage(directory, modelConfig, codeOptions, options.allowLocalCodePackages ?? true);
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
    return assemble(source, family, contents, session, options);
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

function assemble(
  source: PackageSource,
  family: Family,
  contents: PackageContents,
  session: InferenceSession,
  options: PackageOptions,
): AnyModel {
  const { id, packageId, origin } = source;
  const reference = options.executor === "reference";
  const preprocess = reference ? referenceExecutor : createPreprocessExecutor();
  const decoder = reference ? referenceDecoder : createDecoder();
  const description: FamilyDescription = family.describe(contents, session);
  return createModel({
    family,
    description,
    session,
    preprocess,
    decoder,
    info: {
      id,
      packageId: packageId ?? basename(contents.directory),
      origin,
      architecture: contents.modelConfig.modelArchitecture ?? "",
      task: family.task,
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
    recommended: options.recommendedParameters ?? source.recommendedParameters ?? contents.modelConfig.recommendedParameters,
    strictOptions: options.strictOptions ?? false,
    queueLimit: options.queueLimit ?? 256,
    maximumPixels: options.maximumPixels ?? configuration().inputs.maximumPixels,
  });
}
