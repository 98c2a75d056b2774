/** Other models that a model needs: loaded first, handed over by name, closed with it. */
import { readdir } from "node:fs/promises";
import { join } from "node:path";

import { CorruptedModelPackageError, DependencyModelParametersValidationError } from "../errors.js";
import type { AnyModel } from "../models/index.js";
import { requirePortableName, type ModelDependency, type ModelMetadata } from "../packages/index.js";
import type { MaterializedDependency } from "../store/index.js";
import type { LoadContext } from "./context.js";
import type { LoadById } from "./load-by-id.js";
import { checkDependencyParameters, type AutoModelOptions } from "./options.js";
import { allOrNone } from "./owned.js";

export interface LoadedDependencies {
  readonly models: Readonly<Record<string, AnyModel>>;
  /** For the manifest of the parent: which package each of them was. */
  readonly materialized: readonly MaterializedDependency[];
  close(): Promise<void>;
}

export const NO_DEPENDENCIES: LoadedDependencies = { models: {}, materialized: [], close: () => Promise.resolve() };

/** Names become folders, so they are unique even where upper and lower case are the same. */
function requireNames(id: string, names: readonly string[]): void {
  const seen = new Set<string>();
  for (const name of names) {
    const key = requirePortableName(name).toLowerCase();
    if (seen.has(key) || key.endsWith(".lock")) {
      throw new CorruptedModelPackageError(
        `"${id}" declares a dependency with the name "${name}", which is taken or reserved. Tell its provider.`,
        { kind: "metadata" },
      );
    }
    seen.add(key);
  }
}

function requireParameters(options: AutoModelOptions, names: readonly string[]): void {
  for (const [name, parameters] of Object.entries(options.dependencyModelsParams ?? {})) {
    if (!names.includes(name)) {
      throw new DependencyModelParametersValidationError(
        `dependencyModelsParams names "${name}", which the model does not depend on. Its dependencies: ${names.join(", ") || "none"}.`,
        { issues: [`unknown dependency ${name}`] },
      );
    }
    try {
      checkDependencyParameters(parameters, `dependencyModelsParams.${name}`);
    } catch (error) {
      const issue = error instanceof Error ? error.message : String(error);
      throw new DependencyModelParametersValidationError(`${issue} Which model it is, the package says.`, {
        issues: [issue],
        cause: error,
      });
    }
  }
}

/** Everything that is about the caller and the cache; nothing that is about one model's package. */
const INHERITED = [
  "weightsProvider",
  "apiKey",
  "weightsProviderExtraQueryParams",
  "weightsProviderExtraHeaders",
  "allowUntrustedPackages",
  "trtEngineHostCodeAllowed",
  "maxPackageLoadingAttempts",
  "fileLockTimeoutSeconds",
  "verifyHashWhileDownload",
  "downloadFilesWithoutHash",
  "useAutoResolutionCache",
  "autoResolutionCache",
  "onProgress",
  "modelAccessManager",
  "verbose",
  "signal",
  "executor",
  "device",
  "allowLocalCodePackages",
] as const satisfies readonly (keyof AutoModelOptions)[];

function optionsFor(name: string, options: AutoModelOptions): AutoModelOptions {
  const given = Object.fromEntries(INHERITED.map((key) => [key, options[key]] as const).filter(([, value]) => value !== undefined));
  const { forwardedOptions = [], modelOptions = {} } = options;
  const forwarded = Object.entries(modelOptions).filter(([option]) => forwardedOptions.includes(option));
  return {
    ...given,
    ...(forwarded.length === 0 ? {} : { modelOptions: Object.fromEntries(forwarded) }),
    ...options.dependencyModelsParams?.[name],
    allowLoadingDependencyModels: false,
  };
}

function requireAllowed(id: string, { allowLoadingDependencyModels = true }: AutoModelOptions, needed: readonly string[]): void {
  if (needed.length === 0 || allowLoadingDependencyModels) return;
  throw new CorruptedModelPackageError(
    `"${id}" needs other models (${needed.join(", ")}), and loading them is off: either by allowLoadingDependencyModels, or because it is itself a dependency.`,
    { kind: "metadata" },
  );
}

/**
 * What a model's metadata declares.
 * @throws CorruptedModelPackageError when a dependency has dependencies itself, or names are not usable;
 * DependencyModelParametersValidationError.
 */
export function declaredDependencies({ id, options }: LoadContext, { modelDependencies }: ModelMetadata): readonly ModelDependency[] {
  const dependencies = modelDependencies ?? [];
  const names = dependencies.map(({ name }) => name);
  requireParameters(options, names);
  requireAllowed(
    id,
    options,
    dependencies.map(({ modelId }) => modelId),
  );
  requireNames(id, names);
  return dependencies;
}

/** Of a declared dependency. */
export function optionsForDeclared({ options, device }: LoadContext, { name, modelPackageId }: ModelDependency): AutoModelOptions {
  return { ...optionsFor(name, { ...options, device }), ...(modelPackageId === null ? {} : { modelPackageId }) };
}

/** @throws what declaredDependencies throws; whatever loading throws. */
export async function loadDependencies(context: LoadContext, metadata: ModelMetadata, load: LoadById): Promise<LoadedDependencies> {
  const dependencies = declaredDependencies(context, metadata);
  return dependencies.length === 0 ? NO_DEPENDENCIES : loadDeclared(context, dependencies, load);
}

/** For dependencies that were declared when the model was loaded the last time. @throws whatever loading throws */
export async function loadDeclared(
  context: LoadContext,
  dependencies: readonly ModelDependency[],
  load: LoadById,
): Promise<LoadedDependencies> {
  const names = dependencies.map(({ name }) => name);
  requireNames(context.id, names);
  const { models, close } = await loadTogether(
    dependencies.map((one) => [one.name, () => load(one.modelId, optionsForDeclared(context, one))]),
  );
  return { models, materialized: dependencies.map((one) => materializedOf(one, models[one.name] as AnyModel)), close };
}

/** Folder of the packages that a package on this machine depends on, by name; the cache keeps links there. */
const LINKED = "model_dependencies";

/**
 * For a package that is loaded from a folder.
 * @throws CorruptedModelPackageError when loading dependencies is off; DependencyModelParametersValidationError; whatever loading throws.
 */
export async function loadLinked(
  directory: string,
  options: AutoModelOptions,
  load: (directory: string, options: AutoModelOptions) => Promise<AnyModel>,
): Promise<Pick<LoadedDependencies, "models" | "close">> {
  const entries = await readdir(join(directory, LINKED), { withFileTypes: true }).catch((error: unknown) => {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return [];
    throw error;
  });
  const names = entries.filter((entry) => entry.isDirectory() || entry.isSymbolicLink()).map(({ name }) => name);
  requireParameters(options, names);
  requireAllowed(directory, options, names);
  return loadTogether(names.map((name) => [name, () => load(join(directory, LINKED, name), optionsFor(name, options))]));
}

/** All at once: they do not know each other. When one fails, the others are closed again. */
async function loadTogether(
  loads: readonly (readonly [name: string, load: () => Promise<AnyModel>])[],
): Promise<Pick<LoadedDependencies, "models" | "close">> {
  const loaded = await allOrNone(
    loads.map(([, load]) => load()),
    (model) => model.close(),
  );
  const close = async (): Promise<void> => {
    await Promise.all(loaded.map((model) => model.close()));
  };
  return { models: Object.fromEntries(loads.map(([name], index) => [name, loaded[index] as AnyModel])), close };
}

function materializedOf(dependency: ModelDependency, { info }: AnyModel): MaterializedDependency {
  const canonicalModelId = info.origin.kind === "provider" ? info.origin.canonicalId : info.id;
  const directory = info.origin.kind === "custom" ? "" : info.origin.directory;
  return { ...dependency, directory, cacheModelId: canonicalModelId, canonicalModelId, packageId: info.packageId };
}
