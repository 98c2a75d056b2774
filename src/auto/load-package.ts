import { stat } from "node:fs/promises";
import { basename, join } from "node:path";

import type { InferenceSession } from "../engines/index.js";
import { CorruptedModelPackageError } from "../errors.js";
import { configuration } from "../configuration.js";
import { createPreprocessExecutor, preloadDecoder, referenceExecutor, zeroPadded, type Size } from "../imaging/index.js";
import {
  createDecoder,
  createModel,
  decodesOnDevice,
  findImplementation,
  imagePort,
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
import { networkFiles, openNetwork, type NetworkOptions, type OpenedNetwork } from "./open-network.js";
import type { AutoModelOptions } from "./options.js";
import { allOrNone } from "./owned.js";

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

export type PackageOptions = NetworkOptions & Pick<AutoModelOptions, "allowLocalCodePackages" | "modelOptions">;

function batchLimits(session: InferenceSession, description: FamilyDescription): ModelInfo["batchSize"] {
  const batch = imagePort(session, description)?.dims?.[0];
  return typeof batch === "number" ? { minimum: batch, maximum: batch } : { minimum: 1, maximum: description.maximumDynamicBatch };
}

function limitOf(size: PackageOptions["maximumInputSize"]): Size | null {
  if (size === undefined) return null;
  const [width, height] = typeof size === "number" ? [size, size] : size;
  return { width, height };
}

/** Of files that hold the same the first that is there, or the first for the error about it; nothing of nothing. */
async function firstOf(directory: string, names: readonly string[]): Promise<readonly string[]> {
  for (const name of names) if (await stat(join(directory, name)).catch(() => null)) return [name];
  return names.slice(0, 1);
}

async function readContents(
  directory: string,
  modelConfig: ModelConfig,
  family: Family,
  backend: string,
  maximumInputSize: Size | null,
): Promise<PackageContents & { readonly network: readonly string[]; readonly otherNetworks: readonly string[] }> {
  const { resizeModes, otherWeights = [], oneOf = [] } = family;
  const network = networkFiles(backend, family.weights);
  const binary = [...network, ...otherWeights];
  const files = await requirePackageFiles(directory, [...family.files, ...(await firstOf(directory, oneOf)), ...binary]);
  const configPath = files["inference_config.json"];
  const namesPath = files["class_names.txt"];
  const others = Object.entries(files).filter(([name]) => !["inference_config.json", "class_names.txt", ...binary].includes(name));
  const [inferenceConfig, classNames, texts] = await Promise.all([
    configPath === undefined || resizeModes === null
      ? null
      : readPackageFile(configPath).then((text) => parseInferenceConfig(text, { ...resizeModes, maximumInputSize }, { path: configPath })),
    namesPath === undefined ? null : readPackageFile(namesPath).then((text) => parseClassNames(text, { path: namesPath })),
    Promise.all(
      others.map(async ([name, path]): Promise<[string, PackageText]> => [name, { path, text: await readPackageFile(path) }]),
    ).then(Object.fromEntries<PackageText>),
  ]);
  const paths = (names: readonly string[]): readonly string[] => names.map((name) => files[name] ?? "");
  return { directory, modelConfig, inferenceConfig, classNames, texts, network: paths(network), otherNetworks: paths(otherWeights) };
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
  const contents = await readContents(directory, modelConfig, family, backend, limitOf(options.maximumInputSize));
  options.signal?.throwIfAborted();
  const files = [contents.network, ...contents.otherNetworks.map((path) => [path])];
  const opening = allOrNone(
    files.map((paths) => openNetwork(paths, options, source.origin.kind !== "provider")),
    ({ session }) => session.close(),
  );
  // The networks are loaded by another thread meanwhile.
  preloadDecoder();
  const networks = await opening;
  try {
    return assemble(source, family, contents, networks, options);
  } catch (error) {
    await Promise.all(networks.map(({ session }) => session.close()));
    throw withPath(error, contents.network[0] ?? "");
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
  [network, ...others]: readonly OpenedNetwork[],
  options: PackageOptions,
): AnyModel {
  const { session, backend, device, batchSize } = network as OpenedNetwork;
  const otherSessions = others.map((other) => other.session);
  const { id, packageId, origin } = source;
  const reference = options.executor === "reference";
  const decoder = reference ? referenceDecoder : createDecoder();
  const description: FamilyDescription = family.describe(contents, session, otherSessions);
  const executor = reference ? referenceExecutor : createPreprocessExecutor();
  const preprocess = description.plan.kind === "corner" ? zeroPadded(executor) : executor;
  const onDevice = decodesOnDevice(family, description, session);
  return createModel({
    family,
    description,
    session,
    otherSessions,
    preprocess,
    decoder,
    decodesOnDevice: onDevice,
    info: {
      id,
      packageId: packageId ?? basename(contents.directory),
      origin,
      architecture: contents.modelConfig.modelArchitecture ?? "",
      task: family.task,
      variant: null,
      backend,
      engine: session.engine,
      engineVersion: session.engineVersion,
      executionProviders: session.executionProviders,
      device,
      preprocessExecutor: session.runPictures === undefined ? preprocess.name : "cuda",
      decodeExecutor: onDevice ? "cuda" : decoder.name,
      inputSize: description.plan.defaultSize,
      batchSize: batchSize ?? batchLimits(session, description),
    },
    recommended: options.recommendedParameters ?? source.recommendedParameters ?? contents.modelConfig.recommendedParameters,
    strictOptions: options.strictOptions ?? false,
    queueLimit: options.queueLimit ?? 256,
    maximumPixels: options.maximumPixels ?? configuration().inputs.maximumPixels,
  });
}
