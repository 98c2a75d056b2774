/** What negotiation is asked, and what it answers. Plain values in, plain values out. */
import type { RuntimeXRay } from "../environment/types.js";
import type { ImplementationQuery } from "../models/index.js";
import type { BackendType, ModelPackageMetadata, Quantization } from "../packages/index.js";

/** Name of a backend, or several; case does not matter. `[]` accepts none. */
export type BackendRequest = BackendType | readonly BackendType[];

/** Name of a quantization, or several; case does not matter. `[]` accepts all. */
export type QuantizationRequest = Quantization | readonly Quantization[];

/** Pictures per network run: exactly so many, or every number of a closed range. */
export type BatchSizeRequest = number | readonly [minimum: number, maximum: number] | BatchRange;

export interface BatchRange {
  readonly min: number;
  readonly max: number;
}

/** A number that must be met exactly, or a closed range (its ends in any order). */
export type NumberPreference = number | readonly [number, number];

/** Only what is given is compared with a package's fused NMS; `{}` takes any. Thresholds are 0..1. */
export interface NmsFusionPreferences {
  readonly maxDetections?: NumberPreference;
  readonly confidenceThreshold?: NumberPreference;
  readonly iouThreshold?: NumberPreference;
  readonly classAgnostic?: boolean;
}

/** An ONNX Runtime provider, `cuda` or `CUDAExecutionProvider`; its options do not matter for the choice. */
export type OnnxProviderRequest = string | readonly [name: string, options: object] | { readonly name: string };

export interface Device {
  readonly type: "cpu" | "cuda" | "mps";
  /** null = the first. */
  readonly index: number | null;
}

/**
 * `own`, or those of the Python package, to be compared with it: there the case of quantization names counts, TensorRT versions are
 * equal only in all their numbers (the library itself reports three, package managers four), and a GPU's execution provider is taken
 * for the first one even where the device is the CPU.
 */
export type NegotiationRules = "own" | "reference";

/** null stands for "the caller did not say". */
export interface NegotiationRequest {
  readonly modelPackageId: string | null;
  readonly backend: BackendRequest | null;
  readonly batchSize: BatchSizeRequest | null;
  readonly quantization: QuantizationRequest | null;
  /** `cpu`, `cuda`, `cuda:1`, `mps`. */
  readonly device: string | null;
  /** In order of preference; an empty list is like null. */
  readonly onnxExecutionProviders: readonly OnnxProviderRequest[] | null;
  readonly allowUntrustedPackages: boolean;
  readonly trtEngineHostCodeAllowed: boolean;
  /** `true` asks for the settings of the Python package: 300 detections, confidence 0.25, IoU 0.7, class by class. */
  readonly nmsFusionPreferences: boolean | NmsFusionPreferences | null;
}

export interface NegotiationInput {
  readonly architecture: string;
  readonly task: string | null;
  readonly packages: readonly ModelPackageMetadata[];
  readonly request: NegotiationRequest;
  readonly environment: RuntimeXRay;
  /** In order of preference, used when the request names none; what is not available is passed over. */
  readonly defaultOnnxExecutionProviders: readonly string[];
  /** Default: `own`. */
  readonly rules?: NegotiationRules;
  /** The registry's answer: is there code for such a package? */
  readonly implementationExists: (query: ImplementationQuery) => boolean;
}

/** Why a package was refused; stable, to branch on. */
export type ReasonCode =
  | "NO_IMPLEMENTATION"
  | "UNTRUSTED_SOURCE"
  | "BACKEND_NOT_REQUESTED"
  | "BATCH_SIZE_MISMATCH"
  | "QUANTIZATION_MISMATCH"
  | "BACKEND_NOT_RUNNABLE"
  | "ONNX_NOT_INSTALLED"
  | "ONNX_DETAILS_MISSING"
  | "ONNX_DEFAULT_PROVIDERS_UNAVAILABLE"
  | "ONNX_REQUESTED_PROVIDERS_UNAVAILABLE"
  | "ONNX_PRIMARY_PROVIDER_INCOMPATIBLE"
  | "ONNX_OPSET_TOO_HIGH"
  | "TRT_NOT_INSTALLED"
  | "TRT_BINDING_UNAVAILABLE"
  | "TRT_REQUIREMENTS_MISSING"
  | "TRT_VERSION_UNDECLARED"
  | "TRT_L4T_UNKNOWN"
  | "TRT_DEVICE_MISMATCH"
  | "TRT_L4T_MISMATCH"
  | "TRT_VERSION_MISMATCH"
  | "TRT_LEAN_RUNTIME_EXCLUDED"
  | "TRT_HOST_CODE_FORBIDDEN"
  | "TORCH_UNAVAILABLE"
  | "TRANSFORMERS_UNAVAILABLE"
  | "TORCHSCRIPT_DETAILS_MISSING"
  | "TORCHSCRIPT_DEVICE_MISMATCH"
  | "TORCHSCRIPT_VERSION_MISMATCH"
  | "NMS_FUSION_NOT_REQUESTED"
  | "NMS_FUSION_MALFORMED"
  | "NMS_FUSION_PREFERENCE_MISMATCH";

export interface Refusal {
  readonly code: ReasonCode;
  /** A sentence for people. */
  readonly message: string;
  /** The values that were compared. */
  readonly details: Readonly<Record<string, unknown>>;
}

export interface DiscardedPackage extends Refusal {
  readonly packageId: string;
}

/** One criterion of the order, with this package's value: larger is better. */
export interface RankComponent {
  readonly name: string;
  readonly value: number | string;
}

export interface RankedPackage {
  readonly package: ModelPackageMetadata;
  /** Most significant first; empty for a package that was asked for by its id. */
  readonly key: readonly RankComponent[];
  /** What put it before the next one, for people. */
  readonly why: string;
}

export interface Negotiation {
  /** Best first; never empty. */
  readonly ranked: readonly RankedPackage[];
  /** In the order of the announcement. */
  readonly discarded: readonly DiscardedPackage[];
  /** What speaks against a package that was asked for by its id. */
  readonly warnings: readonly DiscardedPackage[];
}
