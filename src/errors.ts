/**
 * Every error this package throws: a class for each. Each message says what failed, why, and what to do; `docs/errors/<page>.md` has a
 * section for each class.
 */
import { helpUrl, InferenceModelsError, type ErrorOptions, type ErrorPage } from "./error-base.js";

export { BaseInferenceModelsError, InferenceModelsError, type ErrorOptions, type ErrorPage } from "./error-base.js";

type Fields<Names extends object> = ErrorOptions & Partial<Names>;

/** Why a GPU, TensorRT or an engine cannot be used; each has a section of its own on the page `gpu-and-tensorrt`. */
export const GPU_FAILURE_REASONS = [
  "driver-missing",
  "driver-not-loadable",
  "driver-too-old",
  "no-gpu",
  "no-such-gpu",
  "tensorrt-missing",
  "tensorrt-not-loadable",
  "tensorrt-other-major",
  "tensorrt-lacks-part",
  "tensorrt-host-code",
  "parser-missing",
  "parser-not-loadable",
  "engine-unreadable",
  "engine-empty",
  "engine-other-format",
  "engine-cut-off",
  "engine-altered",
  "engine-newer",
  "engine-older",
  "engine-other-gpu",
  "engine-refused",
] as const;

/** Stable, to branch on: finer than an error's class and code. */
export type GpuFailureReason = (typeof GPU_FAILURE_REASONS)[number];

type Because = Pick<ErrorOptions, "helpUrl"> & { readonly reason?: GpuFailureReason };

/** Fields of an error that has such a reason; none without. @internal */
export function becauseOf(reason: GpuFailureReason | null): Because {
  return reason === null ? {} : { reason, helpUrl: helpUrl("gpu-and-tensorrt", reason) };
}

/** Null for an error that has none. @internal */
export function reasonOf(error: InferenceModelsError): GpuFailureReason | null {
  const { reason } = error as { readonly reason?: unknown };
  return GPU_FAILURE_REASONS.find((one) => one === reason) ?? null;
}

/** Why a package was not used; `code` is one of negotiation's reason codes. */
interface DiscardedPackage {
  readonly packageId: string;
  readonly code: string;
  readonly message: string;
  readonly details: Readonly<Record<string, unknown>>;
}

/** An internal invariant is broken; please report it. */
export class AssumptionError extends InferenceModelsError {
  /** @internal */ static override readonly code: string = "ASSUMPTION";
  /** @internal */ static override readonly page: ErrorPage = "input-validation";
  /** @internal */ static override readonly className: string = "AssumptionError";
}

/** An argument is of the wrong kind or out of range. */
export class InvalidParameterError extends InferenceModelsError {
  /** @internal */ static override readonly code: string = "INVALID_PARAMETER";
  /** @internal */ static override readonly page: ErrorPage = "input-validation";
  /** @internal */ static override readonly className: string = "InvalidParameterError";
  declare readonly parameter?: string;
  constructor(message: string, options: Fields<{ parameter: string }> = {}) {
    super(message, options);
  }
}

/** An options object has an unknown key or an impossible value. */
export class InvalidOptionError extends InvalidParameterError {
  /** @internal */ static override readonly code: string = "INVALID_OPTION";
  /** @internal */ static override readonly className: string = "InvalidOptionError";
  declare readonly suggestion?: string;
  constructor(message: string, options: Fields<{ parameter: string; suggestion: string }> = {}) {
    super(message, options);
  }
}

/** A picture, tensor or prompt given to a model has the wrong type, shape or size. */
export class ModelInputError extends InferenceModelsError {
  /** @internal */ static override readonly code: string = "MODEL_INPUT";
  /** @internal */ static override readonly page: ErrorPage = "input-validation";
  /** @internal */ static override readonly className: string = "ModelInputError";
  declare readonly index?: number;
  constructor(message: string, options: Fields<{ index: number }> = {}) {
    super(message, options);
  }
}

/** A file is not a picture that can be decoded: truncated, damaged, of an unknown format, or missing. */
export class ImageDecodingError extends ModelInputError {
  /** @internal */ static override readonly code: string = "IMAGE_DECODING";
  /** @internal */ static override readonly className: string = "ImageDecodingError";
  declare readonly source?: string;
  constructor(message: string, options: Fields<{ index: number; source: string }> = {}) {
    super(message, options);
  }
}

/** A picture has more pixels than the configured limit. */
export class ImageTooLargeError extends ModelInputError {
  /** @internal */ static override readonly code: string = "IMAGE_TOO_LARGE";
  /** @internal */ static override readonly className: string = "ImageTooLargeError";
  declare readonly pixels?: number;
  declare readonly limit?: number;
  constructor(message: string, options: Fields<{ index: number; pixels: number; limit: number }> = {}) {
    super(message, options);
  }
}

/** The operation was stopped by its AbortSignal. */
export class OperationAbortedError extends InferenceModelsError {
  /** @internal */ static override readonly code: string = "OPERATION_ABORTED";
  /** @internal */ static override readonly page: ErrorPage = "input-validation";
  /** @internal */ static override readonly className: string = "OperationAbortedError";
  constructor(message = "The operation was aborted.", options: ErrorOptions = {}) {
    super(message, options);
    this.name = "AbortError";
  }
}

/** This machine or its settings cannot serve what was asked: no usable execution provider, two ONNX Runtime releases in one process, ... */
export class EnvironmentConfigurationError extends InferenceModelsError {
  /** @internal */ static override readonly code: string = "ENVIRONMENT_CONFIGURATION";
  /** @internal */ static override readonly page: ErrorPage = "runtime-environment";
  /** @internal */ static override readonly className: string = "EnvironmentConfigurationError";
  declare readonly providers?: readonly string[];
  constructor(message: string, options: Fields<{ providers: readonly string[] }> = {}) {
    super(message, options);
  }
}

/** An environment variable has a malformed value. */
export class InvalidEnvVariable extends InferenceModelsError {
  /** @internal */ static override readonly code: string = "INVALID_ENV_VARIABLE";
  /** @internal */ static override readonly page: ErrorPage = "runtime-environment";
  /** @internal */ static override readonly className: string = "InvalidEnvVariable";
  declare readonly variable?: string;
  declare readonly value?: string;
  constructor(message: string, options: Fields<{ variable: string; value: string }> = {}) {
    super(message, options);
  }
}

/** An optional package or library that this operation needs is not installed, or cannot be used as it is. */
export class MissingDependencyError extends InferenceModelsError {
  /** @internal */ static override readonly code: string = "MISSING_DEPENDENCY";
  /** @internal */ static override readonly page: ErrorPage = "runtime-environment";
  /** @internal */ static override readonly className: string = "MissingDependencyError";
  declare readonly dependency?: string;
  /** Of the GPU's driver and TensorRT. */
  declare readonly reason?: GpuFailureReason;
  constructor(message: string, options: Fields<{ dependency: string; reason: GpuFailureReason }> = {}) {
    super(message, options);
  }
}

/** The native addon cannot be loaded; carries every path tried and its reason. */
export class NativeAddonUnavailableError extends MissingDependencyError {
  /** @internal */ static override readonly code: string = "NATIVE_ADDON_UNAVAILABLE";
  /** @internal */ static override readonly className: string = "NativeAddonUnavailableError";
  declare readonly attempts?: readonly { readonly path: string; readonly reason: string }[];
  constructor(
    message: string,
    options: Fields<{ dependency: string; attempts: readonly { readonly path: string; readonly reason: string }[] }> = {},
  ) {
    super(message, options);
  }
}

/** A prediction failed inside the pipeline or the network. */
export class ModelRuntimeError extends InferenceModelsError {
  /** @internal */ static override readonly code: string = "MODEL_RUNTIME";
  /** @internal */ static override readonly page: ErrorPage = "models-runtime";
  /** @internal */ static override readonly className: string = "ModelRuntimeError";
  declare readonly stage?: string;
  constructor(message: string, options: Fields<{ stage: string }> = {}) {
    super(message, options);
  }
}

/** A call of the CUDA driver failed. */
export class CudaError extends ModelRuntimeError {
  /** @internal */ static override readonly code: string = "CUDA";
  /** @internal */ static override readonly className: string = "CudaError";
  declare readonly api?: string;
  declare readonly errorCode?: number;
  declare readonly reason?: GpuFailureReason;
  constructor(message: string, options: Fields<{ stage: string; api: string; errorCode: number; reason: GpuFailureReason }> = {}) {
    super(message, options);
  }
}

/** A call of TensorRT failed. */
export class TensorRtError extends ModelRuntimeError {
  /** @internal */ static override readonly code: string = "TENSOR_RT";
  /** @internal */ static override readonly className: string = "TensorRtError";
  declare readonly api?: string;
  declare readonly errorCode?: number;
  declare readonly reason?: GpuFailureReason;
  constructor(message: string, options: Fields<{ stage: string; api: string; errorCode: number; reason: GpuFailureReason }> = {}) {
    super(message, options);
  }
}

/** TensorRT could not build an engine from a model: a node that it does not know, no room for the work, an unsuitable device, ... */
export class EngineBuildError extends TensorRtError {
  /** @internal */ static override readonly code: string = "ENGINE_BUILD";
  /** @internal */ static override readonly className: string = "EngineBuildError";
  declare readonly path?: string;
  constructor(
    message: string,
    options: Fields<{ stage: string; api: string; errorCode: number; path: string; reason: GpuFailureReason }> = {},
  ) {
    super(message, options);
  }
}

/** Host memory for an operation could not be had; `requestedBytes` is null where it is not known. */
export class OutOfMemoryError extends ModelRuntimeError {
  /** @internal */ static override readonly code: string = "OUT_OF_MEMORY";
  /** @internal */ static override readonly className: string = "OutOfMemoryError";
  declare readonly requestedBytes?: number | null;
  constructor(message: string, options: Fields<{ stage: string; requestedBytes: number | null }> = {}) {
    super(message, options);
  }
}

/** Memory on the device could not be had. Sizes are what was asked of the driver and what it had, in bytes; null where they are not known. */
export class OutOfDeviceMemoryError extends ModelRuntimeError {
  /** @internal */ static override readonly code: string = "OUT_OF_DEVICE_MEMORY";
  /** @internal */ static override readonly className: string = "OutOfDeviceMemoryError";
  declare readonly requestedBytes?: number | null;
  declare readonly freeBytes?: number | null;
  constructor(message: string, options: Fields<{ stage: string; requestedBytes: number | null; freeBytes: number | null }> = {}) {
    super(message, options);
  }
}

/** More predictions are waiting than the queue limit allows. */
export class QueueFullError extends ModelRuntimeError {
  /** @internal */ static override readonly code: string = "QUEUE_FULL";
  /** @internal */ static override readonly className: string = "QueueFullError";
  declare readonly limit?: number;
  constructor(message: string, options: Fields<{ stage: string; limit: number }> = {}) {
    super(message, options);
  }
}

/** A model or session was used after it was closed. */
export class ModelDisposedError extends ModelRuntimeError {
  /** @internal */ static override readonly code: string = "MODEL_DISPOSED";
  /** @internal */ static override readonly className: string = "ModelDisposedError";
  constructor(message: string, options: Fields<{ stage: string }> = {}) {
    super(message, options);
  }
}

/** A request failed even after the last attempt. */
export class RetryError extends InferenceModelsError {
  /** @internal */ static override readonly code: string = "RETRY";
  /** @internal */ static override readonly page: ErrorPage = "file-download";
  /** @internal */ static override readonly className: string = "RetryError";
  declare readonly status?: number;
  declare readonly attempts?: number;
  /** What the server asked to wait for. */
  declare readonly retryAfterSeconds?: number;
  constructor(message: string, options: Fields<{ status: number; attempts: number; retryAfterSeconds: number }> = {}) {
    super(message, options);
  }
}

/** A server promised byte ranges and did not deliver them. */
export class RangeRequestNotSupportedError extends InferenceModelsError {
  /** @internal */ static override readonly code: string = "RANGE_REQUEST_NOT_SUPPORTED";
  /** @internal */ static override readonly page: ErrorPage = "file-download";
  /** @internal */ static override readonly className: string = "RangeRequestNotSupportedError";
}

/** A file without a hash was refused. */
export class UntrustedFileError extends InferenceModelsError {
  /** @internal */ static override readonly code: string = "UNTRUSTED_FILE";
  /** @internal */ static override readonly page: ErrorPage = "file-download";
  /** @internal */ static override readonly className: string = "UntrustedFileError";
  declare readonly files?: readonly string[];
  constructor(message: string, options: Fields<{ files: readonly string[] }> = {}) {
    super(message, options);
  }
}

/** A file's hash is not the announced one. */
export class FileHashSumMismatchError extends InferenceModelsError {
  /** @internal */ static override readonly code: string = "FILE_HASH_SUM_MISMATCH";
  /** @internal */ static override readonly page: ErrorPage = "file-download";
  /** @internal */ static override readonly className: string = "FileHashSumMismatchError";
  declare readonly expected?: string;
  declare readonly actual?: string;
  constructor(message: string, options: Fields<{ expected: string; actual: string }> = {}) {
    super(message, options);
  }
}

/** A weights provider could not say which packages a model has. */
export class ModelRetrievalError extends InferenceModelsError {
  /** @internal */ static override readonly code: string = "MODEL_RETRIEVAL";
  /** @internal */ static override readonly page: ErrorPage = "model-retrieval";
  /** @internal */ static override readonly className: string = "ModelRetrievalError";
  declare readonly status?: number;
  /** As it was asked for. */
  declare readonly modelId?: string;
  constructor(message: string, options: Fields<{ status: number; modelId: string }> = {}) {
    super(message, options);
  }
}

/** No model has this id. */
export class ModelNotFoundError extends ModelRetrievalError {
  /** @internal */ static override readonly code: string = "MODEL_NOT_FOUND";
  /** @internal */ static override readonly className: string = "ModelNotFoundError";
  constructor(message: string, options: Fields<{ status: number; modelId: string }> = {}) {
    super(message, options);
  }
}

/** The API key is missing or wrong. */
export class UnauthorizedModelAccessError extends ModelRetrievalError {
  /** @internal */ static override readonly code: string = "UNAUTHORIZED_MODEL_ACCESS";
  /** @internal */ static override readonly className: string = "UnauthorizedModelAccessError";
  constructor(message: string, options: Fields<{ status: number; modelId: string }> = {}) {
    super(message, options);
  }
}

/** The plan of the workspace does not cover this model. */
export class PaymentRequiredModelAccessError extends ModelRetrievalError {
  /** @internal */ static override readonly code: string = "PAYMENT_REQUIRED_MODEL_ACCESS";
  /** @internal */ static override readonly className: string = "PaymentRequiredModelAccessError";
  declare readonly statusCode?: number;
  constructor(message: string, options: Fields<{ status: number; modelId: string; statusCode: number }> = {}) {
    super(message, options);
  }
}

/** The API key may not read this model. */
export class ForbiddenModelAccessError extends ModelRetrievalError {
  /** @internal */ static override readonly code: string = "FORBIDDEN_MODEL_ACCESS";
  /** @internal */ static override readonly className: string = "ForbiddenModelAccessError";
  declare readonly statusCode?: number;
  constructor(message: string, options: Fields<{ status: number; modelId: string; statusCode: number }> = {}) {
    super(message, options);
  }
}

/** The address of a file is no longer valid, as signed addresses are after a while: asking the provider again gives a new one. */
export class DownloadLinkExpiredError extends ForbiddenModelAccessError {
  /** @internal */ static override readonly code: string = "DOWNLOAD_LINK_EXPIRED";
  /** @internal */ static override readonly page: ErrorPage = "file-download";
  /** @internal */ static override readonly className: string = "DownloadLinkExpiredError";
}

/** Usage of the workspace is paused. */
export class UsagePausedModelAccessError extends ModelRetrievalError {
  /** @internal */ static override readonly code: string = "USAGE_PAUSED_MODEL_ACCESS";
  /** @internal */ static override readonly className: string = "UsagePausedModelAccessError";
  declare readonly statusCode?: number;
  constructor(message: string, options: Fields<{ status: number; modelId: string; statusCode: number }> = {}) {
    super(message, options);
  }
}

/** A provider's description of a package contradicts itself. */
export class ModelMetadataConsistencyError extends ModelRetrievalError {
  /** @internal */ static override readonly code: string = "MODEL_METADATA_CONSISTENCY";
  /** @internal */ static override readonly className: string = "ModelMetadataConsistencyError";
  declare readonly packageId?: string;
  constructor(message: string, options: Fields<{ status: number; modelId: string; packageId: string }> = {}) {
    super(message, options);
  }
}

/** A provider's manifest is of a type this version does not know. */
export class ModelMetadataHandlerNotImplementedError extends ModelRetrievalError {
  /** @internal */ static override readonly code: string = "MODEL_METADATA_HANDLER_NOT_IMPLEMENTED";
  /** @internal */ static override readonly className: string = "ModelMetadataHandlerNotImplementedError";
  declare readonly manifestType?: string;
  constructor(message: string, options: Fields<{ status: number; modelId: string; manifestType: string }> = {}) {
    super(message, options);
  }
}

/** The choice of a package could not be made. */
export class ModelPackageNegotiationError extends InferenceModelsError {
  /** @internal */ static override readonly code: string = "MODEL_PACKAGE_NEGOTIATION";
  /** @internal */ static override readonly page: ErrorPage = "package-negotiation";
  /** @internal */ static override readonly className: string = "ModelPackageNegotiationError";
}

/** A backend name is unknown. */
export class UnknownBackendTypeError extends ModelPackageNegotiationError {
  /** @internal */ static override readonly code: string = "UNKNOWN_BACKEND_TYPE";
  /** @internal */ static override readonly className: string = "UnknownBackendTypeError";
  declare readonly value?: string;
  declare readonly allowed?: readonly string[];
  constructor(message: string, options: Fields<{ value: string; allowed: readonly string[] }> = {}) {
    super(message, options);
  }
}

/** A quantization name is unknown. */
export class UnknownQuantizationError extends ModelPackageNegotiationError {
  /** @internal */ static override readonly code: string = "UNKNOWN_QUANTIZATION";
  /** @internal */ static override readonly className: string = "UnknownQuantizationError";
  declare readonly value?: string;
  declare readonly allowed?: readonly string[];
  constructor(message: string, options: Fields<{ value: string; allowed: readonly string[] }> = {}) {
    super(message, options);
  }
}

/** A requested batch size is not a positive integer or an ordered pair of them. */
export class InvalidRequestedBatchSizeError extends ModelPackageNegotiationError {
  /** @internal */ static override readonly code: string = "INVALID_REQUESTED_BATCH_SIZE";
  /** @internal */ static override readonly className: string = "InvalidRequestedBatchSizeError";
  declare readonly value?: unknown;
  constructor(message: string, options: Fields<{ value: unknown }> = {}) {
    super(message, options);
  }
}

/** The machine could not be examined. */
export class RuntimeIntrospectionError extends ModelPackageNegotiationError {
  /** @internal */ static override readonly code: string = "RUNTIME_INTROSPECTION";
  /** @internal */ static override readonly className: string = "RuntimeIntrospectionError";
}

/** The Jetson module is unknown. */
export class JetsonTypeResolutionError extends RuntimeIntrospectionError {
  /** @internal */ static override readonly code: string = "JETSON_TYPE_RESOLUTION";
  /** @internal */ static override readonly className: string = "JetsonTypeResolutionError";
}

/** No package of the model can be used here; carries a reason for each. */
export class NoModelPackagesAvailableError extends ModelPackageNegotiationError {
  /** @internal */ static override readonly code: string = "NO_MODEL_PACKAGES_AVAILABLE";
  /** @internal */ static override readonly className: string = "NoModelPackagesAvailableError";
  /** Each package that was refused: a stable code, a sentence, the values compared. */
  declare readonly discarded?: readonly DiscardedPackage[];
  constructor(message: string, options: Fields<{ discarded: readonly DiscardedPackage[] }> = {}) {
    super(message, options);
  }
}

/** A package id was announced more than once. */
export class AmbiguousModelPackageResolutionError extends ModelPackageNegotiationError {
  /** @internal */ static override readonly code: string = "AMBIGUOUS_MODEL_PACKAGE_RESOLUTION";
  /** @internal */ static override readonly className: string = "AmbiguousModelPackageResolutionError";
  declare readonly packageId?: string;
  declare readonly count?: number;
  constructor(message: string, options: Fields<{ packageId: string; count: number }> = {}) {
    super(message, options);
  }
}

/** A model could not be loaded. */
export class ModelLoadingError extends InferenceModelsError {
  /** @internal */ static override readonly code: string = "MODEL_LOADING";
  /** @internal */ static override readonly page: ErrorPage = "model-loading";
  /** @internal */ static override readonly className: string = "ModelLoadingError";
}

/** Every candidate package failed to load; carries each failure. */
export class ModelPackageAlternativesExhaustedError extends ModelLoadingError {
  /** @internal */ static override readonly code: string = "MODEL_PACKAGE_ALTERNATIVES_EXHAUSTED";
  /** @internal */ static override readonly className: string = "ModelPackageAlternativesExhaustedError";
  declare readonly alternativesErrors?: readonly { readonly packageId: string; readonly error: Error }[];
  constructor(
    message: string,
    options: Fields<{ alternativesErrors: readonly { readonly packageId: string; readonly error: Error }[] }> = {},
  ) {
    super(message, options);
  }
}

/** A parameter needed to load a checkpoint is missing. */
export class MissingModelInitParameterError extends ModelLoadingError {
  /** @internal */ static override readonly code: string = "MISSING_MODEL_INIT_PARAMETER";
  /** @internal */ static override readonly className: string = "MissingModelInitParameterError";
  declare readonly parameter?: string;
  constructor(message: string, options: Fields<{ parameter: string }> = {}) {
    super(message, options);
  }
}

/** A parameter for loading has an impossible value. */
export class InvalidModelInitParameterError extends ModelLoadingError {
  /** @internal */ static override readonly code: string = "INVALID_MODEL_INIT_PARAMETER";
  /** @internal */ static override readonly className: string = "InvalidModelInitParameterError";
  declare readonly parameter?: string;
  constructor(message: string, options: Fields<{ parameter: string }> = {}) {
    super(message, options);
  }
}

/** A package id is not safe as a directory name. */
export class InsecureModelIdentifierError extends ModelLoadingError {
  /** @internal */ static override readonly code: string = "INSECURE_MODEL_IDENTIFIER";
  /** @internal */ static override readonly className: string = "InsecureModelIdentifierError";
  declare readonly packageId?: string;
  constructor(message: string, options: Fields<{ packageId: string }> = {}) {
    super(message, options);
  }
}

/** Loading from a path is switched off. */
export class DirectLocalStorageAccessError extends ModelLoadingError {
  /** @internal */ static override readonly code: string = "DIRECT_LOCAL_STORAGE_ACCESS";
  /** @internal */ static override readonly className: string = "DirectLocalStorageAccessError";
}

/** A package that brings its own code was refused. */
export class ForbiddenLocalCodePackageAccessError extends ModelLoadingError {
  /** @internal */ static override readonly code: string = "FORBIDDEN_LOCAL_CODE_PACKAGE_ACCESS";
  /** @internal */ static override readonly className: string = "ForbiddenLocalCodePackageAccessError";
}

/** No implementation for this architecture, task, backend and features. */
export class ModelImplementationNotFoundError extends ModelLoadingError {
  /** @internal */ static override readonly code: string = "MODEL_IMPLEMENTATION_NOT_FOUND";
  /** @internal */ static override readonly className: string = "ModelImplementationNotFoundError";
  declare readonly architecture?: string;
  declare readonly taskType?: string | null;
  declare readonly backend?: string;
  declare readonly features?: readonly string[];
  constructor(
    message: string,
    options: Fields<{ architecture: string; taskType: string | null; backend: string; features: readonly string[] }> = {},
  ) {
    super(message, options);
  }
}

/** A package contradicts itself or lacks something: missing file, malformed configuration, network of another shape. */
export class CorruptedModelPackageError extends ModelLoadingError {
  /** @internal */ static override readonly code: string = "CORRUPTED_MODEL_PACKAGE";
  /** @internal */ static override readonly className: string = "CorruptedModelPackageError";
  declare readonly path?: string;
  declare readonly kind?: "metadata" | "manifest" | "artefact" | "config" | "engine" | "code";
  /** Of engines. */
  declare readonly reason?: GpuFailureReason;
  constructor(
    message: string,
    options: Fields<{
      path: string;
      kind: "metadata" | "manifest" | "artefact" | "config" | "engine" | "code";
      reason: GpuFailureReason;
    }> = {},
  ) {
    super(message, options);
  }
}

/** A checkpoint contains something the safe reader does not know. */
export class UnsupportedCheckpointError extends CorruptedModelPackageError {
  /** @internal */ static override readonly code: string = "UNSUPPORTED_CHECKPOINT";
  /** @internal */ static override readonly className: string = "UnsupportedCheckpointError";
  constructor(
    message: string,
    options: Fields<{ path: string; kind: "metadata" | "manifest" | "artefact" | "config" | "engine" | "code" }> = {},
  ) {
    super(message, options);
  }
}

/** A package's input is larger than the allowed maximum. */
export class ModelPackageRestrictedError extends ModelLoadingError {
  /** @internal */ static override readonly code: string = "MODEL_PACKAGE_RESTRICTED";
  /** @internal */ static override readonly className: string = "ModelPackageRestrictedError";
  declare readonly size?: { readonly width: number; readonly height: number };
  declare readonly limit?: { readonly width: number; readonly height: number };
  constructor(
    message: string,
    options: Fields<{
      size: { readonly width: number; readonly height: number };
      limit: { readonly width: number; readonly height: number };
    }> = {},
  ) {
    super(message, options);
  }
}

/** Parameters for a dependent or pipeline model are malformed. */
export class DependencyModelParametersValidationError extends ModelLoadingError {
  /** @internal */ static override readonly code: string = "DEPENDENCY_MODEL_PARAMETERS_VALIDATION";
  /** @internal */ static override readonly className: string = "DependencyModelParametersValidationError";
  declare readonly issues?: readonly string[];
  constructor(message: string, options: Fields<{ issues: readonly string[] }> = {}) {
    super(message, options);
  }
}

/** A pipeline could not be put together. */
export class ModelPipelineInitializationError extends ModelLoadingError {
  /** @internal */ static override readonly code: string = "MODEL_PIPELINE_INITIALIZATION";
  /** @internal */ static override readonly className: string = "ModelPipelineInitializationError";
}

/** No pipeline has this id. */
export class ModelPipelineNotFound extends ModelPipelineInitializationError {
  /** @internal */ static override readonly code: string = "MODEL_PIPELINE_NOT_FOUND";
  /** @internal */ static override readonly className: string = "ModelPipelineNotFound";
  declare readonly available?: readonly string[];
  constructor(message: string, options: Fields<{ available: readonly string[] }> = {}) {
    super(message, options);
  }
}

/** Another process held a lock for too long. */
export class FileLockTimeoutError extends ModelLoadingError {
  /** @internal */ static override readonly code: string = "FILE_LOCK_TIMEOUT";
  /** @internal */ static override readonly className: string = "FileLockTimeoutError";
  declare readonly path?: string;
  constructor(message: string, options: Fields<{ path: string }> = {}) {
    super(message, options);
  }
}

/** The disk of the cache is full, read-only, or not ours to write to. */
export class CacheStorageError extends ModelLoadingError {
  /** @internal */ static override readonly code: string = "CACHE_STORAGE";
  /** @internal */ static override readonly className: string = "CacheStorageError";
  declare readonly path?: string;
  declare readonly bytesNeeded?: number;
  declare readonly bytesAvailable?: number;
  constructor(message: string, options: Fields<{ path: string; bytesNeeded: number; bytesAvailable: number }> = {}) {
    super(message, options);
  }
}

/** The reference's spelling. @deprecated use {@link FileHashSumMismatchError} */
export { FileHashSumMismatchError as FileHashSumMissmatch };

/** All classes, root first; documentation and tests walk this list. @internal */
export const ERROR_CLASSES = [
  InferenceModelsError,
  AssumptionError,
  InvalidParameterError,
  InvalidOptionError,
  ModelInputError,
  ImageDecodingError,
  ImageTooLargeError,
  OperationAbortedError,
  EnvironmentConfigurationError,
  InvalidEnvVariable,
  MissingDependencyError,
  NativeAddonUnavailableError,
  ModelRuntimeError,
  CudaError,
  TensorRtError,
  EngineBuildError,
  OutOfMemoryError,
  OutOfDeviceMemoryError,
  QueueFullError,
  ModelDisposedError,
  RetryError,
  RangeRequestNotSupportedError,
  UntrustedFileError,
  FileHashSumMismatchError,
  ModelRetrievalError,
  ModelNotFoundError,
  UnauthorizedModelAccessError,
  PaymentRequiredModelAccessError,
  ForbiddenModelAccessError,
  DownloadLinkExpiredError,
  UsagePausedModelAccessError,
  ModelMetadataConsistencyError,
  ModelMetadataHandlerNotImplementedError,
  ModelPackageNegotiationError,
  UnknownBackendTypeError,
  UnknownQuantizationError,
  InvalidRequestedBatchSizeError,
  RuntimeIntrospectionError,
  JetsonTypeResolutionError,
  NoModelPackagesAvailableError,
  AmbiguousModelPackageResolutionError,
  ModelLoadingError,
  ModelPackageAlternativesExhaustedError,
  MissingModelInitParameterError,
  InvalidModelInitParameterError,
  InsecureModelIdentifierError,
  DirectLocalStorageAccessError,
  ForbiddenLocalCodePackageAccessError,
  ModelImplementationNotFoundError,
  CorruptedModelPackageError,
  UnsupportedCheckpointError,
  ModelPackageRestrictedError,
  DependencyModelParametersValidationError,
  ModelPipelineInitializationError,
  ModelPipelineNotFound,
  FileLockTimeoutError,
  CacheStorageError,
] as const;
