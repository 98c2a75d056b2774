/** What `fromPretrained` would do, without doing it: which package, what would be downloaded, what is there already. */
import { xRayRuntimeEnvironment } from "../environment/index.js";
import type { DiscardedPackage, RankedPackage } from "../negotiation/index.js";
import { inferenceHome } from "../packages/index.js";
import { artefactSizes, cachedArtefacts } from "../store/index.js";
import { batchSizeOf, type PackageSize, type PackageSummary } from "./describe.js";
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

export type LoadingPlan =
  | { readonly kind: "local"; readonly path: string }
  | {
      readonly kind: "provider";
      readonly modelId: string;
      readonly device: string;
      /** The package that would be tried first. */
      readonly chosen: Omit<PackageSummary, "size"> & { readonly files: readonly PlannedFile[] };
      /** All that fit, best first, each with its rank. */
      readonly ranked: readonly RankedPackage[];
      readonly discarded: readonly DiscardedPackage[];
      /** Of the chosen package's files that are not in the cache. */
      readonly download: PackageSize;
    };

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
  const signal = options.signal === undefined ? {} : { signal: options.signal };
  const [sizes, cached] = await Promise.all([
    artefactSizes(metadata.modelId, chosen, signal),
    cachedArtefacts(inferenceHome(), chosen.cacheModelId ?? metadata.modelId, chosen),
  ]);
  const files = sizes.map(({ fileHandle, bytes }) => ({ fileHandle, bytes, cached: cached.has(fileHandle) }));
  const missing = files.filter((file) => !file.cached);
  const { packageId, backend, quantization, trustedSource } = chosen;
  return {
    kind: "provider",
    modelId: metadata.modelId,
    device,
    chosen: { packageId, backend, batchSize: batchSizeOf(chosen), quantization, trustedSource, files },
    ranked,
    discarded,
    download: {
      bytes: missing.reduce((sum, { bytes }) => sum + (bytes ?? 0), 0),
      complete: missing.every(({ bytes }) => bytes !== null),
    },
  };
}
