/** From a name to a ready model: what the name means decides the way. */
import { describeEnvironment } from "../environment/index.js";
import { DirectLocalStorageAccessError, UnsupportedCheckpointError } from "../errors.js";
import type { AnyModel } from "../models/index.js";
import { describeModel, describeModelPackage } from "./describe.js";
import { downloadModel } from "./download.js";
import { resolveCheckpointKind } from "./checkpoint.js";
import { accessForbidden } from "./context.js";
import { loadLinked } from "./dependencies.js";
import { loadById } from "./load-by-id.js";
import { loadPackage } from "./load-package.js";
import { checkAutoModelOptions, type AutoModelOptions } from "./options.js";
import { closingWith } from "./owned.js";
import { planLoading } from "./plan.js";
import { apiKeyOf } from "./resolution.js";
import { requireModelConfig, resolveSource, type ModelSource } from "./source.js";

type LocalSource = Exclude<ModelSource, { readonly kind: "id" }>;
type FolderSource = Exclude<LocalSource, { readonly kind: "file" }>;

/** Networks of packages, by the ends of their names. */
const NETWORK_FILE = /\.(onnx|plan|engine|trt)$/i;

/** @throws MissingModelInitParameterError, InvalidModelInitParameterError */
function refuseFile(path: string, options: AutoModelOptions): UnsupportedCheckpointError {
  if (NETWORK_FILE.test(path)) {
    return new UnsupportedCheckpointError(
      `${path} is a network without its package. Give the folder that holds it, with a model_config.json that says what it is.`,
      { path },
    );
  }
  const { modelType, task } = resolveCheckpointKind(options);
  return new UnsupportedCheckpointError(
    `${path} is a checkpoint (${modelType}, ${task}). This version loads package folders and ids; export it to ONNX and give the folder that holds it with its model_config.json.`,
    { path },
  );
}

async function loadLocal(source: LocalSource, options: AutoModelOptions): Promise<AnyModel> {
  const { modelAccessManager: access = {}, allowDirectLocalStorageLoading = true } = options;
  if ((await access.isModelAccessForbidden?.(source.id, apiKeyOf(options))) === true) throw accessForbidden(source.id);
  if (source.kind !== "embedded" && !allowDirectLocalStorageLoading) {
    throw new DirectLocalStorageAccessError(
      `"${source.id}" is a path, and loading from paths is off. Pass allowDirectLocalStorageLoading: true, or give the id of a model.`,
    );
  }
  if (source.kind === "file") {
    throw refuseFile(source.path, options);
  }
  if (source.kind === "directory") await requireModelConfig(source);
  return loadFolder(source, options);
}

async function loadFolder({ kind, id, directory }: FolderSource, options: AutoModelOptions): Promise<AnyModel> {
  const { models: dependencies, close } = await loadLinked(directory, options, (linked, own) =>
    loadFolder({ kind: "directory", id: linked, directory: linked }, own),
  );
  try {
    const origin = { kind, directory };
    const model = await loadPackage({ id, packageId: null, directory, recommendedParameters: null, dependencies, origin }, options);
    return Object.keys(dependencies).length === 0 ? model : closingWith(model, close);
  } catch (error) {
    await close();
    throw error;
  }
}

async function load(given: string | URL, options: AutoModelOptions, only: "path" | "anything"): Promise<AnyModel> {
  checkAutoModelOptions(options);
  options.signal?.throwIfAborted();
  const source = await resolveSource(given, only);
  return source.kind === "id" ? loadById(source.id, options) : loadLocal(source, options);
}

/** From a name to a ready model. */
export const AutoModel = {
  /**
   * @param modelIdOrPath the id of a provider's model (`yolov8n-640`, `workspace/project/3`), a folder with a model package, or the id of a
   *   model that ships with this package (`mediapipe/face-detector`). A folder wins over an id of the same spelling.
   * @returns a model that is ready: its network is loaded, its configuration checked. `model.info.origin` tells which package it is and
   *   why. Close it when done (`await using` does).
   * @throws of the provider: ModelNotFoundError, UnauthorizedModelAccessError, RetryError, ...; of the choice: NoModelPackagesAvailableError;
   *   of loading: ModelPackageAlternativesExhaustedError (ids), CorruptedModelPackageError, ModelImplementationNotFoundError (folders);
   *   InvalidOptionError, InvalidParameterError, MissingDependencyError
   */
  fromPretrained(modelIdOrPath: string | URL, options: AutoModelOptions = {}): Promise<AnyModel> {
    return load(modelIdOrPath, options, "anything");
  },

  /** A folder and nothing else: text that is no path is an error and is not asked from a provider. @throws see fromPretrained */
  fromPath(path: string | URL, options: AutoModelOptions = {}): Promise<AnyModel> {
    return load(path, options, "path");
  },

  describeModel,
  describeModelPackage,
  /** What this machine offers to models. */
  describeComputeEnvironment: describeEnvironment,
  planLoading,
  download: downloadModel,
} as const;
