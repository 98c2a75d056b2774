/** One hash for one request on one kind of machine: everything that the choice of a package depends on. */
import { canonicalizeUnorderedValues, credentialHash, hashContent } from "../canonical-json.js";

export interface ResolutionRequest {
  readonly provider: string;
  readonly modelId: string;
  readonly modelPackageId: string | null;
  readonly backends: string | readonly string[] | null;
  readonly batchSize: number | readonly [number, number] | null;
  readonly quantization: string | readonly string[] | null;
  /** As text: `cpu`, `cuda:0`. */
  readonly device: string;
  /** As the caller gave them. */
  readonly onnxExecutionProviders: readonly unknown[] | null;
  /** In effect, the environment's order included: another order may choose another package. */
  readonly effectiveExecutionProviders: readonly string[];
  readonly defaultOnnxTrtOptions: boolean;
  readonly allowUntrustedPackages: boolean;
  readonly trtEngineHostCodeAllowed: boolean;
  readonly allowLocalCodePackages: boolean;
  readonly allowLoadingDependencyModels: boolean;
  readonly nmsFusionPreferences: unknown;
  readonly dependencyModelsParams: unknown;
  readonly forwardedOptions: unknown;
  /** What the machine offers. */
  readonly runtime: Readonly<Record<string, unknown>>;
  readonly verifyHashWhileDownload: boolean;
  readonly downloadFilesWithoutHash: boolean;
  readonly maxPackageLoadingAttempts: number | null;
  readonly providerExtraQueryParams: unknown;
  readonly providerExtraHeaders: unknown;
  readonly apiKey: string | null;
  /** Another version may know other packages and rank them otherwise. */
  readonly libraryVersion: string;
}

/** 64 hexadecimal digits. The API key and the headers go in as hashes of their own, so that no text with a key in it is ever put together. */
export function resolutionKey({ apiKey, providerExtraHeaders, backends, quantization, ...request }: ResolutionRequest): string {
  return hashContent({
    ...request,
    backends: canonicalizeUnorderedValues(backends, { ignoreCase: true }),
    quantization: canonicalizeUnorderedValues(quantization, { ignoreCase: true }),
    credential: credentialHash(apiKey),
    providerExtraHeaders: hashContent({ headers: providerExtraHeaders ?? null }),
  });
}
