import { join } from "node:path";

import { DownloadLinkExpiredError } from "../errors.js";
import { cacheLayout, inferenceHome, type ModelMetadata, type ModelPackageMetadata } from "../packages/index.js";
import { offlineMode, recordOfflineLoad } from "../providers/index.js";
import { materializePackage, usePackage, type MaterializedDependency, type MaterializedPackage } from "../store/index.js";
import { observerOf } from "./access-manager.js";
import type { LoadContext } from "./context.js";
import { fetchMetadata } from "./resolution.js";

/** A package onto the disk: fetched, verified, kept from eviction until its lease is released. */
export async function storePackage(
  context: LoadContext,
  metadata: ModelMetadata,
  candidate: ModelPackageMetadata,
  dependencies: readonly MaterializedDependency[],
): Promise<MaterializedPackage> {
  if (offlineMode() === "offline") return offlinePackage(metadata, candidate);
  try {
    // Links to files expire; then the provider is asked for fresh ones, once.
    return await materialize(context, metadata, candidate, dependencies);
  } catch (error) {
    if (!DownloadLinkExpiredError.is(error)) throw error;
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
  dependencies: readonly MaterializedDependency[],
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
      dependencies: dependencies,
    },
    {
      verifyHashWhileDownload: options.verifyHashWhileDownload ?? true,
      downloadFilesWithoutHash: options.downloadFilesWithoutHash ?? false,
      observer: observerOf(access, metadata.modelId, candidate.packageId),
      ...(signal === undefined ? {} : { signal }),
      ...(onProgress === undefined ? {} : { onProgress }),
      ...(fileLockTimeoutSeconds === undefined ? {} : { lockTimeoutSeconds: fileLockTimeoutSeconds }),
    },
  );
}

/** Nothing is written and nothing hashed: the registry named only packages whose files are all there. */
async function offlinePackage(
  { modelId }: ModelMetadata,
  { packageId, cacheModelId, packageArtefacts }: ModelPackageMetadata,
): Promise<MaterializedPackage> {
  const owner = cacheModelId ?? modelId;
  const directory = cacheLayout(inferenceHome()).packageDirectory(owner, packageId);
  return {
    directory,
    files: Object.fromEntries(packageArtefacts.map(({ fileHandle }) => [fileHandle, join(directory, fileHandle)])),
    bytesDownloaded: 0,
    fromCache: true,
    lease: await usePackage(inferenceHome(), owner, packageId),
  };
}

/** In warm-up mode, what was loaded is recorded for machines that are offline later. */
export async function recordForOffline(
  { id, options }: LoadContext,
  metadata: ModelMetadata,
  { packageId }: ModelPackageMetadata,
): Promise<void> {
  if (offlineMode() !== "warm-up") return;
  const { fileLockTimeoutSeconds: lockTimeoutSeconds, signal } = options;
  await recordOfflineLoad({ metadata, requestedModelId: id, packageId }, { lockTimeoutSeconds, signal });
}
