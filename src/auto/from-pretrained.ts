/** From a name to a ready model: what the name means decides the way. */
import { DirectLocalStorageAccessError, UnsupportedCheckpointError } from "../errors.js";
import type { AnyModel } from "../models/index.js";
import { loadPackage } from "./auto-model.js";
import { accessForbidden, loadById } from "./load-by-id.js";
import { checkAutoModelOptions, type AutoModelOptions } from "./options.js";
import { apiKeyOf } from "./resolution.js";
import { requireModelConfig, resolveSource, type ModelSource } from "./source.js";

type LocalSource = Exclude<ModelSource, { readonly kind: "id" }>;

async function loadLocal(source: LocalSource, options: AutoModelOptions): Promise<AnyModel> {
  const { modelAccessManager: access = {}, allowDirectLocalStorageLoading = true } = options;
  if ((await access.isModelAccessForbidden?.(source.id, apiKeyOf(options))) === true) throw accessForbidden(source.id);
  if (source.kind !== "embedded" && !allowDirectLocalStorageLoading) {
    throw new DirectLocalStorageAccessError(
      `"${source.id}" is a path, and loading from paths is off. Pass allowDirectLocalStorageLoading: true, or give the id of a model.`,
    );
  }
  if (source.kind === "file") {
    throw new UnsupportedCheckpointError(
      `${source.path} is a file. This version loads package folders and ids; export the checkpoint to ONNX and give the folder that holds it with its model_config.json.`,
      { path: source.path },
    );
  }
  if (source.kind === "directory") await requireModelConfig(source);
  const { kind, id, directory } = source;
  return loadPackage({ id, packageId: null, directory, recommendedParameters: null, dependencies: {}, origin: { kind, directory } }, options);
}

async function load(given: string | URL, options: AutoModelOptions, only: "path" | "anything"): Promise<AnyModel> {
  checkAutoModelOptions(options);
  options.signal?.throwIfAborted();
  const source = await resolveSource(given, only);
  return source.kind === "id" ? loadById(source.id, options) : loadLocal(source, options);
}

/**
 * The id of a provider's model, a folder with a model package, or the id of a model that ships with this package
 * (`mediapipe/face-detector`). A folder wins over an id of the same spelling.
 */
export function fromPretrained(modelIdOrPath: string | URL, options: AutoModelOptions = {}): Promise<AnyModel> {
  return load(modelIdOrPath, options, "anything");
}

/** A folder and nothing else: text that is no path is an error and not asked from a provider. */
export function fromPath(path: string | URL, options: AutoModelOptions = {}): Promise<AnyModel> {
  return load(path, options, "path");
}
