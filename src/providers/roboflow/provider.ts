import { ModelRetrievalError } from "../../errors.js";
import { checkUrl, configuredGateway, request, sleep, throughGateway } from "../../http/index.js";
import { logger } from "../../logger.js";
import type { ModelMetadata, ModelPackageMetadata } from "../../packages/index.js";
import { discoverLocalTrtPackages } from "../local-trt/discovery.js";
import { isOffline } from "../offline/mode.js";
import type { ProviderRequest } from "../types.js";
import { fetchPages, type ApiServices } from "./client.js";
import { parseProviderPackage } from "./package.js";

export interface RoboflowServices extends ApiServices {
  /** Engines compiled on this machine for a model. */
  readonly localPackages: (modelId: string) => Promise<readonly ModelPackageMetadata[]>;
}

const STANDARD: RoboflowServices = { exchange: request, sleep, localPackages: discoverLocalTrtPackages };

/**
 * Asks the Roboflow API. An outage is not papered over with what is in the cache.
 * @throws the errors of getModelFromProvider
 */
export async function roboflowProvider(
  modelId: string,
  given: ProviderRequest,
  services: RoboflowServices = STANDARD,
): Promise<ModelMetadata> {
  if (isOffline()) {
    throw new ModelRetrievalError(
      `The Roboflow API is not asked about model "${modelId}" in offline mode. Unset OFFLINE_MODE, or use what was recorded by OFFLINE_MODE_WARM_UP.`,
      { modelId },
    );
  }
  const pages = await fetchPages(modelId, given, services);
  const raw = pages.flatMap(({ modelPackages }) => modelPackages);
  const last = pages.at(-1);
  if (last === undefined || raw.length === 0) {
    throw new ModelRetrievalError(`Model "${modelId}" has no packages at all. Its training or conversion may not have finished yet.`, {
      modelId,
    });
  }
  const packages = raw
    .flatMap((entry) => parseProviderPackage(entry) ?? [])
    .filter(hasAcceptableAddresses)
    .map(behindGateway);
  return {
    modelId: last.modelId,
    modelArchitecture: last.modelArchitecture,
    taskType: last.taskType,
    modelVariant: last.modelVariant,
    modelPackages: await withLocalPackages(packages, [last.modelId, modelId], services),
    modelDependencies:
      last.modelDependencies?.map(({ name, modelId: id, modelPackageId }) => ({ name, modelId: id, modelPackageId })) ?? null,
    recommendedParameters: last.recommendedParameters,
  };
}

/** Addresses of files come from the answer, and are asked later: with the rules of all requests, so never `file:`. */
function hasAcceptableAddresses({ packageId, packageArtefacts }: ModelPackageMetadata): boolean {
  try {
    for (const artefact of packageArtefacts) {
      if (artefact.kind === "download") checkUrl(artefact.downloadUrl, { what: artefact.fileHandle.slice(0, 80) });
    }
    return true;
  } catch (error) {
    logger().warn(`Package "${packageId.slice(0, 80)}" is skipped. ${error instanceof Error ? error.message : String(error)}`);
    return false;
  }
}

/** Files take the way that the answer took. */
function behindGateway(known: ModelPackageMetadata): ModelPackageMetadata {
  const gateway = configuredGateway();
  const packageArtefacts = known.packageArtefacts.map((artefact) =>
    artefact.kind === "download" ? { ...artefact, downloadUrl: throughGateway(artefact.downloadUrl, gateway) } : artefact,
  );
  return { ...known, packageArtefacts };
}

async function withLocalPackages(
  announced: readonly ModelPackageMetadata[],
  modelIds: readonly string[],
  { localPackages }: RoboflowServices,
): Promise<readonly ModelPackageMetadata[]> {
  const all = [...announced];
  for (const modelId of new Set(modelIds)) {
    try {
      for (const found of await localPackages(modelId)) if (!all.some(({ packageId }) => packageId === found.packageId)) all.push(found);
    } catch (error) {
      logger().warn(
        `Engines compiled on this machine for "${modelId}" were not looked at. ${error instanceof Error ? error.message : String(error)}`,
      );
    }
  }
  return all;
}
