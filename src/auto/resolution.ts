/** From an id to ranked packages: the provider is asked, and what it announced is judged against this machine. */
import { effectiveApiKey, getModelFromProvider } from "../providers/index.js";
import { defaultOnnxExecutionProviders, type RuntimeXRay } from "../environment/index.js";
import { CorruptedModelPackageError, ForbiddenModelAccessError, UnauthorizedModelAccessError } from "../errors.js";
import { hasImplementation } from "../models/index.js";
import { negotiateModelPackages, type Negotiation } from "../negotiation/index.js";
import type { ModelMetadata } from "../packages/index.js";
import type { LoadContext } from "./context.js";
import type { AutoModelOptions, ProviderOptions } from "./options.js";

export const providerNames = ({ weightsProvider = "roboflow" }: ProviderOptions): readonly string[] => [weightsProvider].flat();

/** @throws the provider's errors: ModelNotFoundError, UnauthorizedModelAccessError, RetryError, ... */
export function fetchMetadata(id: string, options: ProviderOptions & { readonly signal?: AbortSignal }): Promise<ModelMetadata> {
  const { weightsProviderExtraQueryParams, weightsProviderExtraHeaders, signal } = options;
  return getModelFromProvider(id, {
    provider: providerNames(options),
    apiKey: options.apiKey ?? null,
    ...(weightsProviderExtraQueryParams === undefined ? {} : { extraQueryParams: weightsProviderExtraQueryParams }),
    ...(weightsProviderExtraHeaders === undefined ? {} : { extraHeaders: weightsProviderExtraHeaders }),
    ...(signal === undefined ? {} : { signal }),
  });
}

/** The key that the first provider would be asked with. */
export const apiKeyOf = (options: ProviderOptions): string | null =>
  effectiveApiKey(providerNames(options)[0] ?? "roboflow", options.apiKey ?? null);

/** What the choice among packages depends on. */
export interface NegotiationContext {
  readonly options: AutoModelOptions;
  readonly environment: RuntimeXRay;
  readonly device: string;
}

/** The provider's answer; the access manager hears what it means for this caller. */
export async function askProvider({ id, options, access, apiKey }: LoadContext): Promise<ModelMetadata> {
  try {
    const metadata = await fetchMetadata(id, options);
    if (metadata.modelId.trim() === "") {
      throw new CorruptedModelPackageError(`The provider answered the request for "${id}" with an empty model id. Tell whoever runs it.`, {
        kind: "metadata",
      });
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

/** @throws NoModelPackagesAvailableError that says why each package was refused. */
export function negotiate(metadata: ModelMetadata, { options, environment, device }: NegotiationContext): Negotiation {
  return negotiateModelPackages({
    architecture: metadata.modelArchitecture,
    task: metadata.taskType,
    packages: metadata.modelPackages,
    request: {
      modelPackageId: options.modelPackageId ?? null,
      backend: options.backend ?? null,
      batchSize: options.batchSize ?? null,
      quantization: options.quantization ?? null,
      device,
      onnxExecutionProviders: options.onnxExecutionProviders ?? null,
      allowUntrustedPackages: options.allowUntrustedPackages ?? false,
      trtEngineHostCodeAllowed: options.trtEngineHostCodeAllowed ?? true,
      nmsFusionPreferences: options.nmsFusionPreferences ?? null,
    },
    environment,
    defaultOnnxExecutionProviders: defaultOnnxExecutionProviders(environment),
    implementationExists: (query) => hasImplementation(query),
  });
}
