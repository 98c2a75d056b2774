/** Other models that a model needs: loaded first, handed over by name, closed with it. */
import { CorruptedModelPackageError, DependencyModelParametersValidationError } from "../errors.js";
import type { AnyModel } from "../models/index.js";
import { requirePortableName, type ModelDependency, type ModelMetadata } from "../packages/index.js";
import type { MaterializedDependency } from "../store/index.js";
import type { LoadContext } from "./context.js";
import type { LoadById } from "./load-by-id.js";
import { checkDependencyParameters, type AutoModelOptions } from "./options.js";

export interface LoadedDependencies {
  readonly models: Readonly<Record<string, AnyModel>>;
  /** For the manifest of the parent: which package each of them was. */
  readonly materialized: readonly MaterializedDependency[];
  close(): Promise<void>;
}

export const NO_DEPENDENCIES: LoadedDependencies = { models: {}, materialized: [], close: () => Promise.resolve() };

/** Names become folders, so they are unique even where upper and lower case are the same. */
function requireNames(id: string, dependencies: readonly ModelDependency[]): void {
  const seen = new Set<string>();
  for (const { name } of dependencies) {
    const key = requirePortableName(name).toLowerCase();
    if (seen.has(key) || key.endsWith(".lock")) {
      throw new CorruptedModelPackageError(
        `"${id}" declares a dependency with the name "${name}", which is taken or reserved. Tell its provider.`,
        {
          kind: "metadata",
        },
      );
    }
    seen.add(key);
  }
}

function requireParameters({ options }: LoadContext, dependencies: readonly ModelDependency[]): void {
  const names = dependencies.map(({ name }) => name);
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
] as const satisfies readonly (keyof AutoModelOptions)[];

function optionsFor({ options, device }: LoadContext, { name, modelPackageId }: ModelDependency): AutoModelOptions {
  const given = Object.fromEntries(INHERITED.map((key) => [key, options[key]] as const).filter(([, value]) => value !== undefined));
  return {
    ...given,
    device,
    ...options.dependencyModelsParams?.[name],
    ...(modelPackageId === null ? {} : { modelPackageId }),
    allowLoadingDependencyModels: false,
  };
}

/**
 * What a model's metadata declares, with the options for each.
 * @throws CorruptedModelPackageError when a dependency has dependencies itself, or names are not usable;
 * DependencyModelParametersValidationError.
 */
export function declaredDependencies(
  context: LoadContext,
  { modelDependencies }: ModelMetadata,
): readonly { readonly dependency: ModelDependency; readonly options: AutoModelOptions }[] {
  const dependencies = modelDependencies ?? [];
  requireParameters(context, dependencies);
  if (dependencies.length > 0 && context.options.allowLoadingDependencyModels === false) {
    const names = dependencies.map(({ modelId }) => modelId).join(", ");
    throw new CorruptedModelPackageError(
      `"${context.id}" needs other models (${names}), and loading them is off: either by allowLoadingDependencyModels, or because it is itself a dependency.`,
      { kind: "metadata" },
    );
  }
  requireNames(context.id, dependencies);
  return dependencies.map((dependency) => ({ dependency, options: optionsFor(context, dependency) }));
}

/** @throws what declaredDependencies throws; whatever loading throws. */
export async function loadDependencies(context: LoadContext, metadata: ModelMetadata, load: LoadById): Promise<LoadedDependencies> {
  const dependencies = declaredDependencies(context, metadata).map(({ dependency }) => dependency);
  return dependencies.length === 0 ? NO_DEPENDENCIES : loadDeclared(context, dependencies, load);
}

/** All at once: they do not know each other. When one fails, the others are closed again. */
export async function loadDeclared(
  context: LoadContext,
  dependencies: readonly ModelDependency[],
  load: LoadById,
): Promise<LoadedDependencies> {
  requireNames(context.id, dependencies);
  const outcomes = await Promise.allSettled(dependencies.map((one) => load(one.modelId, optionsFor(context, one))));
  const loaded = outcomes.flatMap((outcome) => (outcome.status === "fulfilled" ? [outcome.value] : []));
  const close = async (): Promise<void> => {
    await Promise.all(loaded.map((model) => model.close()));
  };
  const failed = outcomes.find((outcome) => outcome.status === "rejected");
  if (failed !== undefined) {
    await close();
    throw failed.reason;
  }
  const models = Object.fromEntries(dependencies.map(({ name }, index) => [name, loaded[index] as AnyModel]));
  return { models, materialized: dependencies.map((one) => materializedOf(one, models[one.name] as AnyModel)), close };
}

function materializedOf(dependency: ModelDependency, { info }: AnyModel): MaterializedDependency {
  const canonicalModelId = info.origin.kind === "provider" ? info.origin.canonicalId : info.id;
  const directory = info.origin.kind === "custom" ? "" : info.origin.directory;
  return { ...dependency, directory, cacheModelId: canonicalModelId, canonicalModelId, packageId: info.packageId };
}
