/** A package as the registry writes it: snake_case on disk, shared with the Python library. Addresses are not kept: they expire. */
import { BACKENDS, QUANTIZATIONS } from "../../packages/index.js";
import type {
  EnvironmentRequirements,
  LocalFileArtefactSpecs,
  ModelPackageMetadata,
  OnnxPackageDetails,
  RecommendedParameters,
  TorchScriptPackageDetails,
  TrtPackageDetails,
} from "../../packages/index.js";
import { recommendedParameters } from "../../wire.js";
import { normalizeVersion } from "../../versions.js";
import { asBoolean, asInteger, asList, asObject, asText, asTexts, oneOf, type Json } from "./wire.js";

export function serializeRecommended(value: RecommendedParameters | null): Json | null {
  return value === null ? null : { confidence: value.confidence, per_class_confidence: value.perClassConfidence };
}

export function deserializeRecommended(value: unknown): RecommendedParameters | null {
  const outcome = recommendedParameters.safeParse(value);
  return outcome.success ? outcome.data : null;
}

function serializeRequirements(value: EnvironmentRequirements | null): Json | null {
  if (value === null) return null;
  const common = {
    kind: value.kind,
    cuda_device_cc: value.cudaDeviceCc,
    cuda_device_name: value.cudaDeviceName,
    driver_version: value.driverVersion,
    cuda_version: value.cudaVersion,
    trt_version: value.trtVersion,
  };
  return value.kind === "jetson"
    ? { ...common, l4t_version: value.l4tVersion, jetson_product_name: value.jetsonProductName }
    : { ...common, os_version: value.osVersion };
}

function asVersion(value: unknown): string | null {
  return typeof value === "string" ? normalizeVersion(value) : null;
}

function deserializeRequirements(value: unknown): EnvironmentRequirements | null {
  const raw = asObject(value);
  if (raw === null) return null;
  const cudaDeviceCc = asVersion(raw["cuda_device_cc"]);
  const cudaDeviceName = asText(raw["cuda_device_name"]);
  if (cudaDeviceCc === null || cudaDeviceName === null) return null;
  const common = {
    cudaDeviceCc,
    cudaDeviceName,
    driverVersion: asVersion(raw["driver_version"]),
    cudaVersion: asVersion(raw["cuda_version"]),
    trtVersion: asVersion(raw["trt_version"]),
  };
  if (raw["kind"] !== "jetson") return { kind: "gpu-server", ...common, osVersion: asText(raw["os_version"]) };
  const l4tVersion = asVersion(raw["l4t_version"]);
  return l4tVersion === null ? null : { kind: "jetson", ...common, l4tVersion, jetsonProductName: asText(raw["jetson_product_name"]) };
}

function serializeTrt(value: TrtPackageDetails | null): Json | null {
  if (value === null) return null;
  return {
    min_dynamic_batch_size: value.minDynamicBatchSize,
    opt_dynamic_batch_size: value.optDynamicBatchSize,
    max_dynamic_batch_size: value.maxDynamicBatchSize,
    same_cc_compatible: value.sameCcCompatible,
    trt_forward_compatible: value.trtForwardCompatible,
    trt_lean_runtime_excluded: value.trtLeanRuntimeExcluded,
  };
}

function deserializeTrt(value: unknown): TrtPackageDetails | null {
  const raw = asObject(value);
  if (raw === null) return null;
  return {
    minDynamicBatchSize: asInteger(raw["min_dynamic_batch_size"]),
    optDynamicBatchSize: asInteger(raw["opt_dynamic_batch_size"]),
    maxDynamicBatchSize: asInteger(raw["max_dynamic_batch_size"]),
    sameCcCompatible: raw["same_cc_compatible"] === true,
    trtForwardCompatible: raw["trt_forward_compatible"] === true,
    trtLeanRuntimeExcluded: raw["trt_lean_runtime_excluded"] === true,
  };
}

function deserializeOnnx(value: unknown): OnnxPackageDetails | null {
  const raw = asObject(value);
  const opset = asInteger(raw?.["opset"]);
  return opset === null ? null : { opset, incompatibleProviders: asTexts(raw?.["incompatible_providers"]) };
}

function deserializeTorchScript(value: unknown): TorchScriptPackageDetails | null {
  const raw = asObject(value);
  const torchVersion = asVersion(raw?.["torch_version"]);
  if (torchVersion === null) return null;
  return {
    supportedDeviceTypes: [...new Set(asTexts(raw?.["supported_device_types"]))].sort(),
    torchVersion,
    torchVisionVersion: asVersion(raw?.["torch_vision_version"]),
  };
}

/** The package as a value for JSON. */
export function serializePackage(metadata: ModelPackageMetadata): Json {
  const { onnxPackageDetails: onnx, torchScriptPackageDetails: torchScript } = metadata;
  return {
    package_id: metadata.packageId,
    backend: metadata.backend,
    quantization: metadata.quantization,
    dynamic_batch_size_supported: metadata.dynamicBatchSizeSupported,
    static_batch_size: metadata.staticBatchSize,
    trusted_source: metadata.trustedSource,
    model_features: metadata.modelFeatures,
    recommended_parameters: serializeRecommended(metadata.recommendedParameters),
    cache_model_id: metadata.cacheModelId,
    environment_requirements: serializeRequirements(metadata.environmentRequirements),
    trt_package_details: serializeTrt(metadata.trtPackageDetails),
    onnx_package_details: onnx === null ? null : { opset: onnx.opset, incompatible_providers: onnx.incompatibleProviders },
    torch_script_package_details:
      torchScript === null
        ? null
        : {
            supported_device_types: torchScript.supportedDeviceTypes,
            torch_version: torchScript.torchVersion,
            torch_vision_version: torchScript.torchVisionVersion,
          },
    artifacts: metadata.packageArtefacts.map(({ fileHandle, md5Hash }) => ({ file_handle: fileHandle, md5_hash: md5Hash })),
  };
}

/** Files of a package, or null when one lacks its name or hash: such a package could not be verified. */
function deserializeArtefacts(value: unknown): readonly LocalFileArtefactSpecs[] | null {
  if (value !== undefined && !Array.isArray(value)) return null;
  const artefacts: LocalFileArtefactSpecs[] = [];
  for (const entry of asList(value)) {
    const raw = asObject(entry);
    const fileHandle = asText(raw?.["file_handle"]);
    const md5Hash = asText(raw?.["md5_hash"]);
    if (!fileHandle || !md5Hash) return null;
    artefacts.push({ kind: "local", fileHandle, md5Hash });
  }
  return artefacts;
}

/** null when the record is of no use: no id, an unknown backend or quantization, files that cannot be verified. */
export function deserializePackage(value: unknown): ModelPackageMetadata | null {
  const raw = asObject(value);
  if (raw === null) return null;
  const packageId = asText(raw["package_id"]);
  const backend = oneOf(BACKENDS, raw["backend"]);
  const quantization = oneOf(QUANTIZATIONS, raw["quantization"]);
  const packageArtefacts = deserializeArtefacts(raw["artifacts"]);
  if (packageId === null || backend === null || packageArtefacts === null) return null;
  if (quantization === null && (raw["quantization"] ?? null) !== null) return null;
  return {
    packageId,
    backend,
    packageSource: "local_cache",
    packageArtefacts,
    quantization,
    dynamicBatchSizeSupported: asBoolean(raw["dynamic_batch_size_supported"]),
    staticBatchSize: asInteger(raw["static_batch_size"]),
    trtPackageDetails: deserializeTrt(raw["trt_package_details"]),
    onnxPackageDetails: deserializeOnnx(raw["onnx_package_details"]),
    torchScriptPackageDetails: deserializeTorchScript(raw["torch_script_package_details"]),
    trustedSource: raw["trusted_source"] === true,
    environmentRequirements: deserializeRequirements(raw["environment_requirements"]),
    modelFeatures: asObject(raw["model_features"]),
    recommendedParameters: deserializeRecommended(raw["recommended_parameters"]),
    cacheModelId: asText(raw["cache_model_id"]),
  };
}
