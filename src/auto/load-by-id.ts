/**
 * From an id to a ready model: the remembered answer if there is one, else the provider's; then the ranked packages one after
 * another, until one loads.
 */
import { FileLockTimeoutError, ModelPackageAlternativesExhaustedError } from "../errors.js";
import { logger } from "../logger.js";
import type { AnyModel } from "../models/index.js";
import type { Negotiation, RankedPackage } from "../negotiation/index.js";
import type { ModelMetadata } from "../packages/index.js";
import { loadPackage } from "./load-package.js";
import { createContext, type LoadContext } from "./context.js";
import { loadDependencies, type LoadedDependencies } from "./dependencies.js";
import type { AutoModelOptions } from "./options.js";
import { closingWith } from "./owned.js";
import { loadRemembered, remember } from "./remembered.js";
import { askProvider, negotiate, providerNames } from "./resolution.js";
import { recordForOffline, storePackage } from "./store-package.js";

/** How dependencies are loaded: by the whole of this again. Handed in, because it would be a circle otherwise. */
export type LoadById = (id: string, options: AutoModelOptions) => Promise<AnyModel>;

export async function loadById(id: string, options: AutoModelOptions): Promise<AnyModel> {
  const context = await createContext(id, options);
  const shared = await sharedInstance(context, id);
  if (shared !== null) return shared;
  const remembered = await loadRemembered(context, loadById);
  if (remembered !== null) return remembered;

  options.signal?.throwIfAborted();
  const metadata = await askProvider(context);
  const sharedUnderCanonicalId = await sharedInstance(context, metadata.modelId);
  if (sharedUnderCanonicalId !== null) return sharedUnderCanonicalId;
  const negotiation = negotiate(metadata, context);
  report(context, metadata, negotiation);
  const dependencies = await loadDependencies(context, metadata, loadById);
  let loaded: Loaded;
  try {
    loaded = await tryInOrder(context, metadata, negotiation, dependencies);
  } catch (error) {
    await dependencies.close();
    throw error;
  }
  return announce(context, metadata, loaded);
}

interface Loaded {
  readonly model: AnyModel;
  readonly directory: string;
}

/** The caller's own functions: what they throw says nothing against the package, and must not leave the model open. */
async function announce(
  { options, access, apiKey }: LoadContext,
  metadata: ModelMetadata,
  { model, directory }: Loaded,
): Promise<AnyModel> {
  try {
    await access.onModelLoaded?.(model, { modelId: metadata.modelId, packageId: model.info.packageId, apiKey }, directory);
    options.onModelDirectory?.(directory);
    return model;
  } catch (error) {
    await model.close();
    throw error;
  }
}

async function sharedInstance({ access, apiKey, digest, options }: LoadContext, id: string): Promise<AnyModel | null> {
  return (await access.retrieveModelInstance?.(id, options.modelPackageId ?? null, apiKey, digest)) ?? null;
}

function report({ id, options }: LoadContext, metadata: ModelMetadata, { ranked, discarded, warnings }: Negotiation): void {
  const say = options.verbose === true ? (text: string) => logger().info(text) : (text: string) => logger().debug(text);
  say(
    `${id}: ${metadata.modelArchitecture}, ${metadata.taskType ?? "no task"}; packages in order: ${ranked.map((one) => one.package.packageId).join(", ")}.`,
  );
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
): Promise<Loaded> {
  const { id, options } = context;
  const candidates = negotiation.ranked.slice(0, options.maxPackageLoadingAttempts);
  const failures: Failure[] = [];
  for (const [index, candidate] of candidates.entries()) {
    const { packageId, backend } = candidate.package;
    try {
      return await loadCandidate(context, metadata, negotiation, candidate, failures, dependencies);
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
): Promise<Loaded> {
  const { id, options, device } = context;
  const stored = await storePackage(context, metadata, candidate, dependencies.materialized);
  const { directory, fromCache, lease } = stored;
  try {
    const model = await loadPackage(
      {
        id,
        packageId: candidate.packageId,
        directory,
        recommendedParameters: candidate.recommendedParameters ?? metadata.recommendedParameters,
        dependencies: dependencies.models,
        origin: {
          kind: "provider",
          directory,
          providers: providerNames(options),
          canonicalId: metadata.modelId,
          resolvedBy: "negotiation",
          fromCache,
          ranked: negotiation.ranked.map(({ package: { packageId }, why }) => ({ packageId, why })),
          discarded: negotiation.discarded.map(({ packageId, code, message }) => ({ packageId, code, message })),
          failed: failures.map(({ packageId, error }) => ({ packageId, error: `${error.name}: ${error.message}` })),
        },
      },
      // Code that came over the network is never run, whatever the gate for folders says.
      { ...options, device, allowLocalCodePackages: false },
    );
    await remember(context, metadata, candidate, stored, dependencies);
    await recordForOffline(context, metadata, candidate);
    const owned = closingWith(model, async () => {
      lease.release();
      await dependencies.close();
    });
    return { model: owned, directory };
  } catch (error) {
    lease.release();
    throw error;
  }
}
