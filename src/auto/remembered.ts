/** Loads that were resolved before: no provider, no negotiation, no hashing, no socket. */
import { realpath } from "node:fs/promises";
import { join } from "node:path";

import { defaultOnnxExecutionProviders, type RuntimeXRay } from "../environment/index.js";
import { logger } from "../logger.js";
import type { AnyModel } from "../models/index.js";
import { packageVersion } from "../package-root.js";
import { cacheLayout, inferenceHome, type ModelMetadata, type ModelPackageMetadata } from "../packages/index.js";
import { offlineMode } from "../providers/index.js";
import {
  CACHE_ATTRIBUTION_VERSION,
  credentialHash,
  FileResolutionCache,
  readManifest,
  refuseEntry,
  resolutionKey,
  usePackage,
  type AutoResolutionCache,
  type AutoResolutionCacheEntry,
  type MaterializedPackage,
} from "../store/index.js";
import type { LoadContext } from "./context.js";
import { loadDeclared, NO_DEPENDENCIES, type LoadedDependencies } from "./dependencies.js";
import type { LoadById } from "./load-by-id.js";
import { loadPackage } from "./load-package.js";
import type { AutoModelOptions } from "./options.js";
import { closingWith } from "./owned.js";
import { providerNames } from "./resolution.js";

interface DigestInput {
  readonly id: string;
  readonly options: AutoModelOptions;
  readonly apiKey: string | null;
  readonly environment: RuntimeXRay;
  readonly device: string;
}

/** Equal for requests that must get the same package. */
export function resolutionDigest({ id, options, apiKey, environment, device }: DigestInput): string {
  const { batchSize = null } = options;
  return resolutionKey({
    provider: providerNames(options).join(","),
    modelId: id,
    modelPackageId: options.modelPackageId ?? null,
    backends: options.backend ?? null,
    batchSize: typeof batchSize === "object" && batchSize !== null && "min" in batchSize ? [batchSize.min, batchSize.max] : batchSize,
    quantization: options.quantization ?? null,
    device,
    onnxExecutionProviders: options.onnxExecutionProviders ?? null,
    effectiveExecutionProviders: defaultOnnxExecutionProviders(environment),
    defaultOnnxTrtOptions: options.defaultOnnxTrtOptions ?? true,
    allowUntrustedPackages: options.allowUntrustedPackages ?? false,
    trtEngineHostCodeAllowed: options.trtEngineHostCodeAllowed ?? true,
    allowLocalCodePackages: options.allowLocalCodePackages ?? true,
    allowLoadingDependencyModels: options.allowLoadingDependencyModels ?? true,
    nmsFusionPreferences: options.nmsFusionPreferences ?? null,
    dependencyModelsParams: options.dependencyModelsParams ?? null,
    forwardedOptions: options.forwardedOptions ?? null,
    runtime: { ...environment },
    verifyHashWhileDownload: options.verifyHashWhileDownload ?? true,
    downloadFilesWithoutHash: options.downloadFilesWithoutHash ?? false,
    maxPackageLoadingAttempts: options.maxPackageLoadingAttempts ?? null,
    providerExtraQueryParams: options.weightsProviderExtraQueryParams ?? null,
    providerExtraHeaders: options.weightsProviderExtraHeaders ?? null,
    apiKey,
    libraryVersion: packageVersion,
  });
}

const cacheOf = ({ options }: LoadContext): AutoResolutionCache => options.autoResolutionCache ?? new FileResolutionCache();

/** After a successful load. A cache that cannot be written to costs the next load some time, and nothing else. */
export async function remember(
  context: LoadContext,
  metadata: ModelMetadata,
  candidate: ModelPackageMetadata,
  stored: MaterializedPackage,
  dependencies: LoadedDependencies,
): Promise<void> {
  if (context.options.useAutoResolutionCache === false || offlineMode() === "offline") return;
  const files = Object.values(stored.files);
  try {
    await cacheOf(context).register(context.digest, {
      modelId: context.id,
      cacheModelId: candidate.cacheModelId ?? metadata.modelId,
      canonicalModelId: metadata.modelId,
      modelPackageId: candidate.packageId,
      cacheAttributionVersion: CACHE_ATTRIBUTION_VERSION,
      credentialHash: credentialHash(context.apiKey),
      // The links as well as what they lead to.
      resolvedFiles: [
        ...new Set([
          ...files,
          ...(await Promise.all(files.map((path) => realpath(path)))),
          join(stored.directory, "model_config.json"),
          ...dependencies.materialized.map(({ directory }) => join(directory, "model_config.json")),
        ]),
      ],
      modelArchitecture: metadata.modelArchitecture,
      taskType: metadata.taskType,
      backendType: candidate.backend,
      modelFeatures: candidate.modelFeatures,
      recommendedParameters: candidate.recommendedParameters ?? metadata.recommendedParameters,
      modelDependencies: metadata.modelDependencies,
      trustedSource: candidate.trustedSource,
      createdAt: new Date().toISOString(),
    });
  } catch (error) {
    logger().debug(`${context.id}: its resolution could not be remembered: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** The model of a remembered request, or null: then the provider is asked. Entries of no use are removed. */
export async function loadRemembered(context: LoadContext, load: LoadById): Promise<AnyModel | null> {
  // Offline the registry decides; warming up has to see the provider's answer to record it.
  if (context.options.useAutoResolutionCache === false || offlineMode() !== "online") return null;
  const cache = cacheOf(context);
  const { digest, id, apiKey, access, options } = context;
  const entry = await cache.retrieve(digest).catch(() => null);
  if (entry === null) return null;
  const refusal = await refuseEntry(entry, {
    modelId: id,
    credentialHash: credentialHash(apiKey),
    allowUntrustedPackages: options.allowUntrustedPackages ?? false,
  });
  if (refusal === "untrusted") return null;
  const place = refusal === null ? await placeOf(entry) : null;
  if (place === null) {
    await cache.invalidate(digest);
    return null;
  }
  if ((await access.isModelPackageAccessGranted?.(place.canonicalId, entry.modelPackageId, apiKey)) === false) return null;
  if ((entry.modelDependencies ?? []).length > 0 && options.allowLoadingDependencyModels === false) return null;
  try {
    return await construct(context, entry, place, load);
  } catch (error) {
    options.signal?.throwIfAborted();
    logger().debug(`${id}: what is remembered of it could not be loaded: ${error instanceof Error ? error.message : String(error)}`);
    await cache.invalidate(digest);
    return null;
  }
}

interface Place {
  readonly directory: string;
  readonly owner: string;
  readonly canonicalId: string;
  /** Folders of the dependencies, as the package's manifest says. */
  readonly dependencies: ReadonlyMap<string, string>;
}

/** Where the entry's package lies, if its manifest says that it is that package. */
async function placeOf({ cacheModelId, canonicalModelId, modelId, modelPackageId }: AutoResolutionCacheEntry): Promise<Place | null> {
  const canonicalId = canonicalModelId ?? modelId;
  const owner = cacheModelId ?? canonicalId;
  const directory = cacheLayout(inferenceHome()).packageDirectory(owner, modelPackageId);
  const manifest = await readManifest(directory);
  if (manifest.kind !== "current") return null;
  const { modelId: named, canonicalModelId: canonical } = manifest.config.cacheRecord;
  if (named !== owner || canonical !== canonicalId) return null;
  const dependencies = new Map(manifest.dependencyPaths.map(({ name, targetPath }) => [name, targetPath]));
  return { directory, owner, canonicalId, dependencies };
}

async function construct(context: LoadContext, entry: AutoResolutionCacheEntry, place: Place, load: LoadById): Promise<AnyModel> {
  const { id, options, device } = context;
  const { directory, owner, canonicalId } = place;
  const declared = entry.modelDependencies ?? [];
  const lease = await usePackage(inferenceHome(), owner, entry.modelPackageId);
  let dependencies = NO_DEPENDENCIES;
  try {
    if (declared.length > 0) dependencies = await loadDeclared(context, declared, load);
    const moved = dependencies.materialized.find((one) => place.dependencies.get(one.name) !== one.directory);
    if (moved !== undefined) throw new Error(`its dependency ${moved.name} is another package now`);
    const model = await loadPackage(
      {
        id,
        packageId: entry.modelPackageId,
        directory,
        recommendedParameters: entry.recommendedParameters,
        dependencies: dependencies.models,
        origin: {
          kind: "provider",
          directory,
          providers: providerNames(options),
          canonicalId,
          resolvedBy: "remembered",
          fromCache: true,
          ranked: [],
          discarded: [],
          failed: [],
        },
      },
      { ...options, device, allowLocalCodePackages: false },
    );
    return closingWith(model, async () => {
      lease.release();
      await dependencies.close();
    });
  } catch (error) {
    lease.release();
    await dependencies.close();
    throw error;
  }
}
