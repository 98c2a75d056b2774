/** Metadata of models and packages as the vectors write it: the registry's own words for most, and a name more or less. */
import type { ArtefactSpecs, EnvironmentRequirements, ModelMetadata, ModelPackageMetadata } from "../../../src/packages/index.js";
import { serializePackage, serializeRecommended } from "../../../src/providers/offline/package-record.js";

export interface VectorArtefact {
  readonly type: "download" | "local";
  readonly download_url?: string;
  readonly file_handle: string;
  readonly md5_hash: string | null;
}

interface Recommended {
  readonly confidence: number | null;
  readonly per_class_confidence: Readonly<Record<string, number>> | null;
}

export interface VectorPackage {
  readonly package_id: string;
  readonly backend: ModelPackageMetadata["backend"];
  readonly quantization: ModelPackageMetadata["quantization"];
  readonly dynamic_batch_size_supported: boolean | null;
  readonly static_batch_size: number | null;
  readonly trusted_source: boolean;
  readonly package_source: ModelPackageMetadata["packageSource"];
  readonly package_artefacts: readonly VectorArtefact[];
  readonly trt_package_details: Readonly<Record<string, never>> | null;
  readonly onnx_package_details: { readonly opset: number; readonly incompatible_providers: readonly string[] | null } | null;
  readonly torch_script_package_details: Readonly<Record<string, never>> | null;
  readonly environment_requirements: Readonly<Record<string, never>> | null;
  readonly model_features: Readonly<Record<string, unknown>> | null;
  readonly recommended_parameters: Recommended | null;
  readonly cache_model_id: string | null;
}

export interface VectorMetadata {
  readonly model_id: string;
  readonly model_architecture: string;
  readonly task_type: string | null;
  readonly model_variant: string | null;
  readonly model_dependencies:
    readonly { readonly name: string; readonly model_id: string; readonly model_package_id: string | null }[] | null;
  readonly recommended_parameters: Recommended | null;
  readonly model_packages: readonly VectorPackage[];
}

const camel = (name: string): string => name.replace(/_([a-z])/g, (_match, letter: string) => letter.toUpperCase());

/** Names of one level; values stay. */
function renamed(record: object | null): unknown {
  return record === null ? null : Object.fromEntries(Object.entries(record).map(([name, value]) => [camel(name), value]));
}

function decodeArtefact({
  type,
  download_url: downloadUrl = "",
  file_handle: fileHandle,
  md5_hash: md5Hash,
}: VectorArtefact): ArtefactSpecs {
  return type === "local" ? { kind: "local", fileHandle, md5Hash: md5Hash ?? "" } : { kind: "download", downloadUrl, fileHandle, md5Hash };
}

export function decodePackage(value: VectorPackage): ModelPackageMetadata {
  const { package_artefacts, recommended_parameters, environment_requirements, ...rest } = value;
  const { trt_package_details, onnx_package_details, torch_script_package_details, ...plain } = rest;
  return {
    ...(renamed(plain) as ModelPackageMetadata),
    packageArtefacts: package_artefacts.map(decodeArtefact),
    recommendedParameters: renamed(recommended_parameters ?? null) as ModelPackageMetadata["recommendedParameters"],
    environmentRequirements: renamed(environment_requirements) as EnvironmentRequirements | null,
    trtPackageDetails: renamed(trt_package_details) as ModelPackageMetadata["trtPackageDetails"],
    onnxPackageDetails: renamed(onnx_package_details) as ModelPackageMetadata["onnxPackageDetails"],
    torchScriptPackageDetails: renamed(torch_script_package_details) as ModelPackageMetadata["torchScriptPackageDetails"],
  };
}

export function decodeMetadata(value: VectorMetadata): ModelMetadata {
  return {
    modelId: value.model_id,
    modelArchitecture: value.model_architecture,
    taskType: value.task_type,
    modelVariant: value.model_variant,
    modelDependencies:
      value.model_dependencies?.map((entry) => renamed(entry) as { name: string; modelId: string; modelPackageId: string }) ?? null,
    recommendedParameters: renamed(value.recommended_parameters) as ModelMetadata["recommendedParameters"],
    modelPackages: value.model_packages.map(decodePackage),
  };
}

function encodeArtefact(artefact: ArtefactSpecs): VectorArtefact {
  const common = { file_handle: artefact.fileHandle, md5_hash: artefact.md5Hash };
  return artefact.kind === "local" ? { type: "local", ...common } : { type: "download", download_url: artefact.downloadUrl, ...common };
}

export function encodePackage(metadata: ModelPackageMetadata): unknown {
  const { artifacts: _artifacts, ...record } = serializePackage(metadata);
  return { ...record, package_source: metadata.packageSource, package_artefacts: metadata.packageArtefacts.map(encodeArtefact) };
}

export const encodeRecommended = serializeRecommended;

export function encodeMetadata(metadata: ModelMetadata): unknown {
  return {
    model_id: metadata.modelId,
    model_architecture: metadata.modelArchitecture,
    task_type: metadata.taskType,
    model_variant: metadata.modelVariant,
    model_dependencies:
      metadata.modelDependencies?.map(({ name, modelId, modelPackageId }) => ({
        name,
        model_id: modelId,
        model_package_id: modelPackageId,
      })) ?? null,
    recommended_parameters: serializeRecommended(metadata.recommendedParameters),
    model_packages: metadata.modelPackages.map(encodePackage),
  };
}

export const encodeRequirements = (requirements: EnvironmentRequirements | null | undefined): unknown =>
  requirements === null || requirements === undefined
    ? null
    : Object.fromEntries(
        Object.entries(requirements).map(([name, value]) => [name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`), value]),
      );
