/** What weights providers are asked, and what they answer. */
import type {
  BackendType,
  FileDownloadSpecs,
  JetsonEnvironmentRequirements,
  LocalFileArtefactSpecs,
  ModelDependency,
  ModelMetadata,
  ModelPackageMetadata,
  OnnxPackageDetails,
  RecommendedParameters,
  ServerEnvironmentRequirements,
  TorchScriptPackageDetails,
  TrtPackageDetails,
} from "../packages/index.js";

export interface ProviderRequest {
  /** null: none was given. */
  readonly apiKey: string | null;
  /** For the provider's own interface; a name may occur several times. */
  readonly extraQueryParams: readonly (readonly [name: string, value: string])[];
  readonly extraHeaders: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal | undefined;
}

/** Of T, the given fields are required and the others may be left out. */
type With<T, Required extends keyof T> = Pick<T, Required> & Partial<Omit<T, Required>>;

/** A file: to be fetched unless `kind` says that it is in the cache already. */
export type ArtefactInput = With<FileDownloadSpecs, "downloadUrl" | "fileHandle"> | LocalFileArtefactSpecs;

/** A package as a provider of one's own describes it: what is left out is null, and the source is not trusted. */
export interface ModelPackageInput extends Partial<
  Pick<
    ModelPackageMetadata,
    "quantization" | "dynamicBatchSizeSupported" | "staticBatchSize" | "trustedSource" | "modelFeatures" | "cacheModelId"
  >
> {
  /** Letters and digits. */
  readonly packageId: string;
  readonly backend: BackendType;
  /** Either all to be fetched or all local. */
  readonly packageArtefacts: readonly ArtefactInput[];
  readonly trtPackageDetails?: Partial<TrtPackageDetails> | null;
  readonly onnxPackageDetails?: With<OnnxPackageDetails, "opset"> | null;
  readonly torchScriptPackageDetails?: With<TorchScriptPackageDetails, "supportedDeviceTypes" | "torchVersion"> | null;
  readonly environmentRequirements?:
    | With<ServerEnvironmentRequirements, "kind" | "cudaDeviceCc" | "cudaDeviceName">
    | With<JetsonEnvironmentRequirements, "kind" | "cudaDeviceCc" | "cudaDeviceName" | "l4tVersion">
    | null;
  readonly recommendedParameters?: Partial<RecommendedParameters> | null;
}

/** A model as a provider of one's own describes it; what is left out is null. */
export interface ModelMetadataInput extends Partial<Pick<ModelMetadata, "taskType" | "modelVariant">> {
  /** Canonical id; the one that was asked for is an alias when they differ. */
  readonly modelId: string;
  readonly modelArchitecture: string;
  readonly modelPackages: readonly ModelPackageInput[];
  readonly modelDependencies?: readonly With<ModelDependency, "name" | "modelId">[] | null;
  readonly recommendedParameters?: Partial<RecommendedParameters> | null;
}

/**
 * Says which packages a model has. For an unknown id it throws ModelNotFoundError, so that the next provider can be asked; any other
 * failure ends the search.
 */
export type ModelProvider = (modelId: string, request: ProviderRequest) => ModelMetadataInput | Promise<ModelMetadataInput>;
