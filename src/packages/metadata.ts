/**
 * What a weights provider says about a model: the packages to choose from, before any of them is on disk. Plain values that JSON can
 * hold. Versions are texts as parseVersion of src/versions.ts normalises them.
 */
import type { BackendType, Quantization } from "./kinds.js";
import type { RecommendedParameters } from "./types.js";

/** One file of a package that has to be fetched. */
export interface FileDownloadSpecs {
  readonly kind: "download";
  readonly downloadUrl: string;
  /** Path inside the package, `/` between its parts. */
  readonly fileHandle: string;
  /** 32 lower-case hexadecimal digits; null = nothing to verify against. */
  readonly md5Hash: string | null;
}

/** One file of a package that is on disk already. */
export interface LocalFileArtefactSpecs {
  readonly kind: "local";
  readonly fileHandle: string;
  readonly md5Hash: string;
}

export type ArtefactSpecs = FileDownloadSpecs | LocalFileArtefactSpecs;

export interface ServerEnvironmentRequirements {
  readonly kind: "gpu-server";
  readonly cudaDeviceCc: string;
  /** Lower case, spaces as hyphens: `nvidia-l4`. */
  readonly cudaDeviceName: string;
  readonly driverVersion: string | null;
  readonly cudaVersion: string | null;
  readonly trtVersion: string | null;
  readonly osVersion: string | null;
}

export interface JetsonEnvironmentRequirements {
  readonly kind: "jetson";
  readonly cudaDeviceCc: string;
  readonly cudaDeviceName: string;
  readonly driverVersion: string | null;
  readonly cudaVersion: string | null;
  readonly trtVersion: string | null;
  readonly l4tVersion: string;
  readonly jetsonProductName: string | null;
}

export type EnvironmentRequirements = ServerEnvironmentRequirements | JetsonEnvironmentRequirements;

export interface TrtPackageDetails {
  readonly minDynamicBatchSize: number | null;
  readonly optDynamicBatchSize: number | null;
  readonly maxDynamicBatchSize: number | null;
  /** Runs on every GPU with the compute capability it was built for. */
  readonly sameCcCompatible: boolean;
  /** Runs on newer TensorRT versions than the one it was built with. */
  readonly trtForwardCompatible: boolean;
  readonly trtLeanRuntimeExcluded: boolean;
}

export interface OnnxPackageDetails {
  readonly opset: number;
  readonly incompatibleProviders: readonly string[] | null;
}

export interface TorchScriptPackageDetails {
  readonly supportedDeviceTypes: readonly string[];
  readonly torchVersion: string;
  readonly torchVisionVersion: string | null;
}

/** One runnable form of a model: backend x quantization x batch mode x machine. */
export interface ModelPackageMetadata {
  readonly packageId: string;
  readonly backend: BackendType;
  /** Either all to be downloaded or all local. */
  readonly packageArtefacts: readonly ArtefactSpecs[];
  readonly packageSource: "platform" | "local_cache";
  readonly quantization: Quantization | null;
  readonly dynamicBatchSizeSupported: boolean | null;
  readonly staticBatchSize: number | null;
  readonly trtPackageDetails: TrtPackageDetails | null;
  readonly onnxPackageDetails: OnnxPackageDetails | null;
  readonly torchScriptPackageDetails: TorchScriptPackageDetails | null;
  readonly trustedSource: boolean;
  readonly environmentRequirements: EnvironmentRequirements | null;
  /** Only the keys decide which code fits; the value of `nms_fused` has a meaning of its own. */
  readonly modelFeatures: Readonly<Record<string, unknown>> | null;
  /** Replaces the model's recommendation as a whole. */
  readonly recommendedParameters: RecommendedParameters | null;
  /** Id whose cache folder holds this package; null = the canonical one. */
  readonly cacheModelId: string | null;
}

/** Another model that has to be loaded first. */
export interface ModelDependency {
  /** Key under which the parent finds it. */
  readonly name: string;
  readonly modelId: string;
  readonly modelPackageId: string | null;
}

export interface ModelMetadata {
  /** Canonical id; the requested one is an alias when they differ. */
  readonly modelId: string;
  readonly modelArchitecture: string;
  readonly taskType: string | null;
  readonly modelVariant: string | null;
  /** In no particular order. */
  readonly modelPackages: readonly ModelPackageMetadata[];
  readonly modelDependencies: readonly ModelDependency[] | null;
  readonly recommendedParameters: RecommendedParameters | null;
}
