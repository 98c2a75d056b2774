/** What a provider has, as data: before anything is downloaded. The command line makes tables of it. */
import { NoModelPackagesAvailableError } from "../errors.js";
import { cacheLayout, inferenceHome } from "../packages/index.js";
import type { ModelDependency, ModelMetadata, ModelPackageMetadata, RecommendedParameters } from "../packages/index.js";
import { artefactSizes, type ArtefactSizes } from "../store/index.js";
import { checkProviderOptions, type ProviderOptions } from "./options.js";
import { fetchMetadata, providerNames } from "./resolution.js";

export interface DescribeOptions extends ProviderOptions {
  /** Whether servers are asked how large files are. */
  readonly pullArtefactsSize?: boolean;
  readonly signal?: AbortSignal;
}

/** Sum over the files of a package; `complete` is false when the size of one could not be had. */
export interface PackageSize {
  readonly bytes: number;
  readonly complete: boolean;
}

export interface PackageSummary {
  readonly packageId: string;
  readonly backend: ModelPackageMetadata["backend"];
  /** A number, or "dynamic"; null when the package does not say. */
  readonly batchSize: number | "dynamic" | null;
  readonly quantization: ModelPackageMetadata["quantization"];
  readonly trustedSource: boolean;
  /** null when not asked for. */
  readonly size: PackageSize | null;
}

export interface ModelDescription {
  /** As asked for. */
  readonly requestedId: string;
  /** Differs when the requested id is an alias. */
  readonly modelId: string;
  readonly architecture: string;
  readonly variant: string | null;
  readonly task: string | null;
  readonly providers: readonly string[];
  readonly dependencies: readonly ModelDependency[];
  readonly recommendedParameters: RecommendedParameters | null;
  /** As announced, not ranked. */
  readonly packages: readonly PackageSummary[];
}

export interface PackageFile {
  readonly fileHandle: string;
  readonly md5Hash: string | null;
  /** null when not asked for or not to be had. */
  readonly bytes: number | null;
}

/** One package with everything that the provider says about it. Addresses are left out: they may carry signatures. */
export interface ModelPackageDescription
  extends
    PackageSummary,
    Pick<
      ModelPackageMetadata,
      | "trtPackageDetails"
      | "onnxPackageDetails"
      | "torchScriptPackageDetails"
      | "environmentRequirements"
      | "modelFeatures"
      | "recommendedParameters"
    > {
  readonly modelId: string;
  readonly files: readonly PackageFile[];
}

export function batchSizeOf({ dynamicBatchSizeSupported, staticBatchSize }: ModelPackageMetadata): PackageSummary["batchSize"] {
  return dynamicBatchSizeSupported === true ? "dynamic" : staticBatchSize;
}

const sizeOf = (sizes: ArtefactSizes | null): PackageSize | null =>
  sizes === null ? null : { bytes: sizes.totalBytes, complete: sizes.isComplete };

function summarize(candidate: ModelPackageMetadata, sizes: ArtefactSizes | null): PackageSummary {
  const { packageId, backend, quantization, trustedSource } = candidate;
  return { packageId, backend, batchSize: batchSizeOf(candidate), quantization, trustedSource, size: sizeOf(sizes) };
}

/** Servers are asked, local files looked at. */
export function packageSizes({ modelId }: ModelMetadata, candidate: ModelPackageMetadata, signal?: AbortSignal): Promise<ArtefactSizes> {
  const directory = cacheLayout(inferenceHome()).packageDirectory(candidate.cacheModelId ?? modelId, candidate.packageId);
  return artefactSizes(candidate.packageArtefacts, { directory, ...(signal === undefined ? {} : { signal }) });
}

async function sizesOf(metadata: ModelMetadata, candidate: ModelPackageMetadata, options: DescribeOptions): Promise<ArtefactSizes | null> {
  return options.pullArtefactsSize === true ? packageSizes(metadata, candidate, options.signal) : null;
}

/**
 * What a provider says about a model and its packages.
 * @param options `pullArtefactsSize` is off by default here.
 * @throws the provider's errors: ModelNotFoundError, UnauthorizedModelAccessError, RetryError, ...
 */
export async function describeModel(modelId: string, options: DescribeOptions = {}): Promise<ModelDescription> {
  checkProviderOptions(options, ["pullArtefactsSize"], "describeModel");
  const metadata = await fetchMetadata(modelId, options);
  const packages = await Promise.all(
    metadata.modelPackages.map(async (candidate) => summarize(candidate, await sizesOf(metadata, candidate, options))),
  );
  return {
    requestedId: modelId,
    modelId: metadata.modelId,
    architecture: metadata.modelArchitecture,
    variant: metadata.modelVariant,
    task: metadata.taskType,
    providers: providerNames(options),
    dependencies: metadata.modelDependencies ?? [],
    recommendedParameters: metadata.recommendedParameters,
    packages,
  };
}

/**
 * Everything about one package.
 * @param options `pullArtefactsSize` is on by default here.
 * @throws NoModelPackagesAvailableError when the model has no such package; the provider's errors.
 */
export async function describeModelPackage(
  modelId: string,
  packageId: string,
  options: DescribeOptions = {},
): Promise<ModelPackageDescription> {
  checkProviderOptions(options, ["pullArtefactsSize"], "describeModelPackage");
  const metadata = await fetchMetadata(modelId, options);
  const candidate = metadata.modelPackages.findLast((one) => one.packageId === packageId);
  if (candidate === undefined) {
    const known = metadata.modelPackages.map((one) => one.packageId).join(", ") || "none";
    throw new NoModelPackagesAvailableError(`"${modelId}" has no package "${packageId}". Its packages: ${known}.`);
  }
  const sizes = await sizesOf(metadata, candidate, { pullArtefactsSize: true, ...options });
  const { trtPackageDetails, onnxPackageDetails, torchScriptPackageDetails, environmentRequirements, modelFeatures } = candidate;
  return {
    ...summarize(candidate, sizes),
    modelId: metadata.modelId,
    files: candidate.packageArtefacts.map(({ fileHandle, md5Hash }) => ({
      fileHandle,
      md5Hash,
      bytes: sizes?.files[fileHandle] ?? null,
    })),
    trtPackageDetails,
    onnxPackageDetails,
    torchScriptPackageDetails,
    environmentRequirements,
    modelFeatures,
    recommendedParameters: candidate.recommendedParameters ?? metadata.recommendedParameters,
  };
}
