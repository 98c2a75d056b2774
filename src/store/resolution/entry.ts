/** What a request was resolved to the last time, as a file holds it. */
import * as z from "zod";

import { BACKENDS, type BackendType, type RecommendedParameters } from "../../packages/index.js";
import { optional } from "../../wire.js";

export interface AutoResolutionCacheEntry {
  /** As requested. */
  readonly modelId: string;
  readonly cacheModelId: string | null;
  readonly canonicalModelId: string | null;
  readonly modelPackageId: string;
  readonly cacheAttributionVersion: number | null;
  /** Of the API key that the provider was asked with. */
  readonly credentialHash: string | null;
  /** Absolute paths that must exist for the entry to be of use. */
  readonly resolvedFiles: readonly string[];
  readonly modelArchitecture: string | null;
  readonly taskType: string | null;
  readonly backendType: BackendType | null;
  readonly modelFeatures: Readonly<Record<string, unknown>> | null;
  readonly recommendedParameters: RecommendedParameters | null;
  readonly modelDependencies: readonly { readonly name: string; readonly modelId: string; readonly modelPackageId: string | null }[] | null;
  readonly trustedSource: boolean | null;
  /** ISO 8601. Without a zone, as the Python library writes it, it is local time. */
  readonly createdAt: string;
}

/** The version that says whose cache folder the package is in. */
export const CACHE_ATTRIBUTION_VERSION = 2;

const text = z.string().nullable();
const schema = z.object({
  model_id: z.string(),
  cache_model_id: optional(z.string()),
  canonical_model_id: optional(z.string()),
  model_package_id: z.string(),
  cache_attribution_version: optional(z.number().int()),
  credential_hash: optional(z.string()),
  resolved_files: z.array(z.string()),
  model_architecture: text,
  task_type: text,
  backend_type: z.enum(BACKENDS).nullable(),
  model_features: optional(z.record(z.string(), z.unknown())),
  recommended_parameters: optional(
    z.object({ confidence: optional(z.number()), per_class_confidence: optional(z.record(z.string(), z.number())) }),
  ),
  model_dependencies: optional(z.array(z.object({ name: z.string(), model_id: z.string(), model_package_id: optional(z.string()) }))),
  trusted_source: optional(z.boolean()),
  created_at: z.string(),
});

/** Milliseconds since 1970, or null when the text is no time. */
export function parseTime(value: string): number | null {
  const isTime = /^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:?\d{2})?$/.test(value);
  const time = isTime ? Date.parse(value.replace(" ", "T")) : NaN;
  return Number.isNaN(time) ? null : time;
}

/** null when the content is no entry. */
export function parseEntry(content: string): AutoResolutionCacheEntry | null {
  let json: unknown;
  try {
    json = JSON.parse(content);
  } catch {
    return null;
  }
  const parsed = schema.safeParse(json);
  if (!parsed.success || parseTime(parsed.data.created_at) === null) return null;
  const raw = parsed.data;
  const recommended = raw.recommended_parameters;
  return {
    modelId: raw.model_id,
    cacheModelId: raw.cache_model_id,
    canonicalModelId: raw.canonical_model_id,
    modelPackageId: raw.model_package_id,
    cacheAttributionVersion: raw.cache_attribution_version,
    credentialHash: raw.credential_hash,
    resolvedFiles: raw.resolved_files,
    modelArchitecture: raw.model_architecture,
    taskType: raw.task_type,
    backendType: raw.backend_type,
    modelFeatures: raw.model_features,
    recommendedParameters:
      recommended === null ? null : { confidence: recommended.confidence, perClassConfidence: recommended.per_class_confidence },
    modelDependencies:
      raw.model_dependencies?.map(({ name, model_id: modelId, model_package_id: modelPackageId }) => ({ name, modelId, modelPackageId })) ??
      null,
    trustedSource: raw.trusted_source,
    createdAt: raw.created_at,
  };
}

export function formatEntry(entry: AutoResolutionCacheEntry): string {
  const { recommendedParameters: recommended, modelDependencies } = entry;
  const raw: z.input<typeof schema> = {
    model_id: entry.modelId,
    cache_model_id: entry.cacheModelId,
    canonical_model_id: entry.canonicalModelId,
    model_package_id: entry.modelPackageId,
    cache_attribution_version: entry.cacheAttributionVersion,
    credential_hash: entry.credentialHash,
    resolved_files: [...entry.resolvedFiles],
    model_architecture: entry.modelArchitecture,
    task_type: entry.taskType,
    backend_type: entry.backendType,
    model_features: entry.modelFeatures,
    recommended_parameters:
      recommended === null ? null : { confidence: recommended.confidence, per_class_confidence: recommended.perClassConfidence },
    model_dependencies:
      modelDependencies?.map(({ name, modelId, modelPackageId }) => ({ name, model_id: modelId, model_package_id: modelPackageId })) ??
      null,
    trusted_source: entry.trustedSource,
    created_at: entry.createdAt,
  };
  return `${JSON.stringify(raw, null, 2)}\n`;
}
