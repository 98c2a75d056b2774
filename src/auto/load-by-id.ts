/**
 * From an id to a ready model: the remembered answer if there is one, else the provider's; then the ranked packages one after
 * another, until one loads.
 */
import { xRayRuntimeEnvironment, type RuntimeXRay } from "../environment/index.js";
import {
  CorruptedModelPackageError,
  FileLockTimeoutError,
  ForbiddenModelAccessError,
  ModelPackageAlternativesExhaustedError,
  UnauthorizedModelAccessError,
} from "../errors.js";
import { logger } from "../logger.js";
import type { AnyModel } from "../models/index.js";
import type { Negotiation, RankedPackage } from "../negotiation/index.js";
import type { ModelMetadata, ModelPackageMetadata } from "../packages/index.js";
import { inferenceHome } from "../packages/index.js";
import { ExpiredDownloadUrlError, materializePackage, type MaterializedPackage } from "../store/index.js";
import type { ModelAccessManager } from "./access-manager.js";
import { loadPackage } from "./auto-model.js";
import { loadDependencies, type LoadedDependencies } from "./dependencies.js";
import { resolveDevice } from "./device.js";
import type { AutoModelOptions } from "./options.js";
import { loadRemembered, remember, resolutionDigest } from "./remembered.js";
import { apiKeyOf, fetchMetadata, negotiate, providerNames } from "./resolution.js";

/** What stays the same during one load. */
export interface LoadContext {
  readonly id: string;
  readonly options: AutoModelOptions;
  readonly apiKey: string | null;
  readonly access: ModelAccessManager;
  readonly environment: RuntimeXRay;
  readonly device: string;
  /** Equal for equal requests on equal machines. */
  readonly digest: string;
}

/** How dependencies are loaded: by the whole of this again. Handed in, because it would be a circle otherwise. */
export type LoadById = (id: string, options: AutoModelOptions) => Promise<AnyModel>;

export async function loadById(id: string, options: AutoModelOptions): Promise<AnyModel> {
  const { modelAccessManager: access = {}, signal } = options;
  const apiKey = apiKeyOf(options);
  if ((await access.isModelAccessForbidden?.(id, apiKey)) === true) throw accessForbidden(id);
  const environment = await xRayRuntimeEnvironment();
  const device = resolveDevice(options.device, environment);
  const digest = resolutionDigest({ id, options, apiKey, environment, device });
  const context: LoadContext = { id, options, apiKey, access, environment, device, digest };

  const shared = await sharedInstance(context, id);
  if (shared !== null) return shared;
  const remembered = await loadRemembered(context, loadById);
  if (remembered !== null) return remembered;

  signal?.throwIfAborted();
  const metadata = await askProvider(context);
  const sharedUnderCanonicalId = await sharedInstance(context, metadata.modelId);
  if (sharedUnderCanonicalId !== null) return sharedUnderCanonicalId;
  const negotiation = negotiate(metadata, options, environment, device);
  report(context, metadata, negotiation);
  const dependencies = await loadDependencies(context, metadata, loadById);
  try {
    return await tryInOrder(context, metadata, negotiation, dependencies);
  } catch (error) {
    await dependencies.close();
    throw error;
  }
}

export function accessForbidden(id: string): UnauthorizedModelAccessError {
  return new UnauthorizedModelAccessError(`The access manager forbids the model "${id}" for this caller. Ask whoever runs this service for access.`);
}

async function sharedInstance({ access, apiKey, digest, options }: LoadContext, id: string): Promise<AnyModel | null> {
  return (await access.retrieveModelInstance?.(id, options.modelPackageId ?? null, apiKey, digest)) ?? null;
}

/** The provider's answer; the access manager hears what it means for this caller. */
async function askProvider({ id, options, access, apiKey }: LoadContext): Promise<ModelMetadata> {
  try {
    const metadata = await fetchMetadata(id, options);
    if (metadata.modelId.trim() === "") {
      throw new CorruptedModelPackageError(`The provider answered the request for "${id}" with an empty model id. Tell whoever runs it.`, { kind: "metadata" });
    }
    if (metadata.modelId !== id) await access.onModelAliasDiscovered?.(id, metadata.modelId);
    for (const { modelId } of metadata.modelDependencies ?? []) {
      await access.onModelDependencyDiscovered?.(metadata.modelId, options.modelPackageId ?? null, modelId);
    }
    for (const { packageId } of metadata.modelPackages) {
      await access.onModelPackageAccessGranted?.({ modelId: metadata.modelId, packageId, apiKey });
    }
    return metadata;
  } catch (error) {
    if (UnauthorizedModelAccessError.is(error) || ForbiddenModelAccessError.is(error)) await access.onModelAccessForbidden?.(id, apiKey);
    throw error;
  }
}

function report({ id, options }: LoadContext, metadata: ModelMetadata, { ranked, discarded, warnings }: Negotiation): void {
  const say = options.verbose === true ? (text: string) => logger().info(text) : (text: string) => logger().debug(text);
  say(`${id}: ${metadata.modelArchitecture}, ${metadata.taskType ?? "no task"}; packages in order: ${ranked.map((one) => one.package.packageId).join(", ")}.`);
  for (const { packageId, code, message } of discarded) say(`${id}: package ${packageId} is not used (${code}): ${message}`);
  for (const { packageId, message } of warnings) logger().warn(`${id}: package ${packageId} was asked for by its id, but ${message}`);
}

interface Failure {
  readonly packageId: string;
  readonly error: Error;
}

/** Errors that another package would meet as well, or that must not silently lead to a worse one. */
function endsTheSearch(error: unknown, signal: AbortSignal | undefined): boolean {
  return signal?.aborted === true || FileLockTimeoutError.is(error);
}

async function tryInOrder(
  context: LoadContext,
  metadata: ModelMetadata,
  negotiation: Negotiation,
  dependencies: LoadedDependencies,
): Promise<AnyModel> {
  const { id, options, access, apiKey } = context;
  const candidates = negotiation.ranked.slice(0, options.maxPackageLoadingAttempts);
  const failures: Failure[] = [];
  for (const [index, candidate] of candidates.entries()) {
    const { packageId, backend } = candidate.package;
    try {
      const { model, directory } = await loadCandidate(context, metadata, negotiation, candidate, failures, dependencies);
      await access.onModelLoaded?.(model, { modelId: metadata.modelId, packageId, apiKey }, directory);
      options.onModelDirectory?.(directory);
      return model;
    } catch (error) {
      if (endsTheSearch(error, options.signal)) throw error;
      failures.push({ packageId, error: error instanceof Error ? error : new Error(String(error)) });
      const next = candidates[index + 1]?.package;
      if (next !== undefined) {
        logger().warn(
          `${id}: package ${packageId} (${backend}) could not be loaded, ${next.packageId} (${next.backend}) is tried next: ${failures.at(-1)?.error.message ?? ""}`,
        );
      }
    }
  }
  const [first] = failures;
  if (first !== undefined && failures.length === 1 && negotiation.ranked.length === 1) throw onlyFailure(id, first);
  throw new ModelPackageAlternativesExhaustedError(
    `None of the ${failures.length} packages of "${id}" that fit this machine could be loaded:` +
      failures.map(({ packageId, error }) => `\n  ${packageId}: ${error.name}: ${error.message}`).join("") +
      `\nThe first is the one to look at.`,
    { alternativesErrors: failures, ...(first === undefined ? {} : { cause: first.error }) },
  );
}

/** The same class as for several, so that callers branch on one, and the error itself in front. */
function onlyFailure(id: string, { packageId, error }: Failure): ModelPackageAlternativesExhaustedError {
  return new ModelPackageAlternativesExhaustedError(
    `"${id}" has one package that fits this machine, ${packageId}, and it could not be loaded: ${error.name}: ${error.message}`,
    { alternativesErrors: [{ packageId, error }], cause: error },
  );
}

async function loadCandidate(
  context: LoadContext,
  metadata: ModelMetadata,
  negotiation: Negotiation,
  { package: candidate }: RankedPackage,
  failures: readonly Failure[],
  dependencies: LoadedDependencies,
): Promise<{ readonly model: AnyModel; readonly directory: string }> {
  const { id, options } = context;
  const stored = await store(context, metadata, candidate, dependencies);
  const recommendedParameters = candidate.recommendedParameters ?? metadata.recommendedParameters;
  const model = await loadPackage(
    {
      id,
      packageId: candidate.packageId,
      directory: stored.directory,
      recommendedParameters,
      dependencies: dependencies.models,
      origin: {
        kind: "provider",
        directory: stored.directory,
        providers: providerNames(options),
        canonicalId: metadata.modelId,
        resolvedBy: "negotiation",
        fromCache: stored.fromCache,
        ranked: negotiation.ranked.map(({ package: { packageId }, decidedBy }) => ({ packageId, decidedBy })),
        discarded: negotiation.discarded.map(({ packageId, code, message }) => ({ packageId, code, message })),
        failed: failures.map(({ packageId, error }) => ({ packageId, error: `${error.name}: ${error.message}` })),
      },
    },
    // Code that came over the network is never run, whatever the gate for folders says.
    { ...options, device: context.device, allowLocalCodePackages: false },
  );
  await remember(context, metadata, candidate, stored, dependencies);
  return { model, directory: stored.directory };
}

/** Links to files expire; then the provider is asked for fresh ones, once. */
async function store(
  context: LoadContext,
  metadata: ModelMetadata,
  candidate: ModelPackageMetadata,
  dependencies: LoadedDependencies,
): Promise<MaterializedPackage> {
  try {
    return await materialize(context, metadata, candidate, dependencies);
  } catch (error) {
    if (!ExpiredDownloadUrlError.is(error)) throw error;
    const fresh = await fetchMetadata(context.id, context.options);
    const again = fresh.modelPackages.find(({ packageId }) => packageId === candidate.packageId);
    if (again === undefined || fresh.modelId !== metadata.modelId) throw error;
    return materialize(context, fresh, again, dependencies);
  }
}

function materialize(
  { options, access }: LoadContext,
  metadata: ModelMetadata,
  candidate: ModelPackageMetadata,
  dependencies: LoadedDependencies,
): Promise<MaterializedPackage> {
  const { signal, onProgress, fileLockTimeoutSeconds } = options;
  return materializePackage(
    {
      home: inferenceHome(),
      cacheModelId: candidate.cacheModelId ?? metadata.modelId,
      canonicalModelId: metadata.modelId,
      architecture: metadata.modelArchitecture,
      taskType: metadata.taskType,
      package: candidate,
      recommendedParameters: candidate.recommendedParameters ?? metadata.recommendedParameters,
      dependencies: dependencies.identities,
    },
    {
      verifyHashWhileDownload: options.verifyHashWhileDownload ?? true,
      downloadFilesWithoutHash: options.downloadFilesWithoutHash ?? false,
      observer: access,
      ...(signal === undefined ? {} : { signal }),
      ...(onProgress === undefined ? {} : { onProgress }),
      ...(fileLockTimeoutSeconds === undefined ? {} : { lockTimeoutSeconds: fileLockTimeoutSeconds }),
    },
  );
}
