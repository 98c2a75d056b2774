import * as z from "zod";

import { boolean, integer, optional, parseJsonAs, recommendedParameters } from "../wire.js";
import { BACKENDS } from "./kinds.js";
import type { FileContext, ModelConfig } from "./types.js";

const text = optional(z.string());
const record = z.record(z.string(), z.unknown());

const schema = z.object({
  model_architecture: text,
  task_type: text,
  backend_type: optional(z.enum(BACKENDS)),
  model_module: text,
  model_class: text,
  model_features: optional(record),
  recommended_parameters: optional(recommendedParameters),
  quantization: text,
  dynamic_batch_size_supported: optional(boolean),
  static_batch_size: optional(integer.pipe(z.number().min(1))),
  trusted_source: optional(z.boolean()),
  model_dependencies: optional(z.array(record)),
  model_id: text,
  canonical_model_id: text,
  package_artifacts: optional(z.array(record)),
  dependency_package_paths: z.unknown().optional(),
  offline_manifest_version: optional(integer),
});

/** `model_config.json`: which code understands the package. @throws CorruptedModelPackageError */
export function parseModelConfig(content: string, context: FileContext): ModelConfig {
  const raw = parseJsonAs(schema, content, context);
  return {
    modelArchitecture: raw.model_architecture,
    taskType: raw.task_type,
    backendType: raw.backend_type,
    modelModule: raw.model_module,
    modelClass: raw.model_class,
    modelFeatures: raw.model_features,
    recommendedParameters: raw.recommended_parameters,
    quantization: raw.quantization,
    dynamicBatchSizeSupported: raw.dynamic_batch_size_supported,
    staticBatchSize: raw.static_batch_size,
    trustedSource: raw.trusted_source,
    modelDependencies: raw.model_dependencies,
    cacheRecord: {
      modelId: raw.model_id,
      canonicalModelId: raw.canonical_model_id,
      packageArtifacts: raw.package_artifacts ?? null,
      dependencyPackagePaths: raw.dependency_package_paths ?? null,
      offlineManifestVersion: raw.offline_manifest_version,
    },
    isLibraryModel: raw.model_architecture !== null && raw.backend_type !== null,
  };
}
