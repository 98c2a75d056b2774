import { DownloadLinkExpiredError } from "../errors.js";
import { inferenceHome, type ModelMetadata, type ModelPackageMetadata } from "../packages/index.js";
import { materializePackage, type MaterializedDependency, type MaterializedPackage } from "../store/index.js";
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
