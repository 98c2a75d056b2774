/** What `fromPretrained` would do, without doing it: which package, what would be downloaded, what is there already. */
import { stat } from "node:fs/promises";
import { join } from "node:path";

import { xRayRuntimeEnvironment } from "../environment/index.js";
import type { DiscardedPackage, RankedPackage } from "../negotiation/index.js";
import { cacheLayout, inferenceHome, type ModelMetadata, type ModelPackageMetadata } from "../packages/index.js";
import { batchSizeOf, packageSizes, type PackageSize, type PackageSummary } from "./describe.js";
import { resolveDevice } from "./device.js";
import { checkAutoModelOptions, type AutoModelOptions } from "./options.js";
import { fetchMetadata, negotiate } from "./resolution.js";
import { resolveSource } from "./source.js";

export interface PlannedFile {
  readonly fileHandle: string;
  /** null when the server does not say. */
  readonly bytes: number | null;
  readonly cached: boolean;
}

export type PlannedPackage = Omit<PackageSummary, "size">;

export type LoadingPlan =
  | { readonly kind: "local"; readonly path: string }
  | {
      readonly kind: "provider";
      readonly modelId: string;
      readonly device: string;
      /** The package that would be tried first. */
      readonly chosen: PlannedPackage & { readonly files: readonly PlannedFile[] };
      /** All that fit, best first, with what puts each before the next. Addresses are left out: they may carry signatures. */
      readonly ranked: readonly (PlannedPackage & { readonly why: string })[];
      readonly discarded: readonly DiscardedPackage[];
      /** Of the chosen package's files that are not in the cache. */
      readonly download: PackageSize;
    };

/** Files that need not be fetched: shared ones by their hash, others by their place. */
async function cachedFiles({ modelId }: ModelMetadata, candidate: ModelPackageMetadata): Promise<ReadonlySet<string>> {
  const layout = cacheLayout(inferenceHome());
  const directory = layout.packageDirectory(candidate.cacheModelId ?? modelId, candidate.packageId);
  const present = await Promise.all(
    candidate.packageArtefacts.map(async ({ kind, fileHandle, md5Hash }) => {
      const path = kind === "local" || md5Hash === null ? join(directory, fileHandle) : join(layout.sharedBlobs, md5Hash);
      return (await stat(path).catch(() => null)) === null ? [] : [fileHandle];
    }),
  );
  return new Set(present.flat());
}

function summarize(candidate: ModelPackageMetadata): PlannedPackage {
  const { packageId, backend, quantization, trustedSource } = candidate;
  return { packageId, backend, batchSize: batchSizeOf(candidate), quantization, trustedSource };
}

/**
 * Asks the provider and the file servers, downloads nothing and loads nothing.
 * @throws what fromPretrained would throw up to that point: NoModelPackagesAvailableError, ModelNotFoundError, ...
 */
export async function planLoading(modelIdOrPath: string | URL, options: AutoModelOptions = {}): Promise<LoadingPlan> {
  checkAutoModelOptions(options);
  const source = await resolveSource(modelIdOrPath);
  if (source.kind !== "id") return { kind: "local", path: source.kind === "file" ? source.path : source.directory };
  const [environment, metadata] = await Promise.all([xRayRuntimeEnvironment(), fetchMetadata(source.id, options)]);
  const device = resolveDevice(options.device, environment);
  const { ranked, discarded } = negotiate(metadata, { options, environment, device });
  const chosen = (ranked[0] as RankedPackage).package;
  const [sizes, cached] = await Promise.all([packageSizes(metadata, chosen, options.signal), cachedFiles(metadata, chosen)]);
  const files = chosen.packageArtefacts.map(({ fileHandle }) => ({
    fileHandle,
    bytes: sizes.files[fileHandle] ?? null,
    cached: cached.has(fileHandle),
  }));
  const missing = files.filter((file) => !file.cached);
  return {
    kind: "provider",
    modelId: metadata.modelId,
    device,
    chosen: { ...summarize(chosen), files },
    ranked: ranked.map(({ package: candidate, why }) => ({ ...summarize(candidate), why })),
    discarded,
    download: {
      bytes: missing.reduce((sum, { bytes }) => sum + (bytes ?? 0), 0),
      complete: missing.every(({ bytes }) => bytes !== null),
    },
  };
}
