/** From an id to ranked packages: the provider is asked, and what it announced is judged against this machine. */
import { effectiveApiKey, getModelFromProvider } from "../providers/index.js";
import { defaultOnnxExecutionProviders, type RuntimeXRay } from "../environment/index.js";
import { findImplementation } from "../models/index.js";
import { negotiateModelPackages, type Negotiation } from "../negotiation/index.js";
import type { ModelMetadata } from "../packages/index.js";
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

function implementationExists(query: Parameters<typeof findImplementation>[0]): boolean {
  try {
    findImplementation(query);
    return true;
  } catch {
    return false;
  }
}

/** @throws NoModelPackagesAvailableError that says why each package was refused. */
export function negotiate(
  metadata: ModelMetadata,
  options: Omit<AutoModelOptions, "signal">,
  environment: RuntimeXRay,
  device: string,
): Negotiation {
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
    implementationExists,
  });
}
