/** One record of the offline registry: what is known about a model, and which of its packages have been loaded. */
import type { ModelDependency, ModelMetadata, ModelPackageMetadata, RecommendedParameters } from "../../packages/index.js";
import { deserializePackage, deserializeRecommended, serializePackage, serializeRecommended } from "./package-record.js";
import { asList, asObject, asText, asTexts, type Json } from "./wire.js";

export const FORMAT_VERSION = 1;

/** `warmup`: loaded once while online. `cli-install`: put there by whoever compiled an engine on this machine. */
export type OfflineSource = "warmup" | "cli-install";

interface RecordedModel {
  readonly modelArchitecture: string | null;
  readonly taskType: string | null;
  readonly modelVariant: string | null;
  /** `malformed`: the model has some, and nobody knows which. */
  readonly modelDependencies: readonly ModelDependency[] | "malformed" | null;
  readonly recommendedParameters: RecommendedParameters | null;
}

export interface OfflinePackage {
  readonly packageId: string | null;
  /** null when the entry is of no use. */
  readonly metadata: ModelPackageMetadata | null;
}

export interface OfflineRecord {
  readonly canonicalModelId: string;
  readonly requestedAliases: readonly string[];
  /** ISO 8601. */
  readonly recordedAt: string | null;
  readonly source: string | null;
  readonly model: RecordedModel;
  readonly packages: readonly OfflinePackage[];
  /** Package id to the time of its last successful load. */
  readonly proven: Readonly<Record<string, string>>;
}

/** A date, with or without a time; without, it is its midnight. null for anything else. */
function asTime(value: unknown): string | null {
  const text = asText(value);
  if (text === null || !/^\d{4}-\d\d-\d\d/.test(text) || Number.isNaN(Date.parse(text))) return null;
  return text.length === 10 ? `${text}T00:00:00` : text;
}

function deserializeProven(value: unknown): Readonly<Record<string, string>> {
  const entries = Object.entries(asObject(value) ?? {}).flatMap(([packageId, proof]) => {
    const time = asTime(asObject(proof)?.["last_proven_at"] ?? proof);
    return time === null ? [] : [[packageId, time] as const];
  });
  return Object.fromEntries(entries);
}

function deserializeDependencies(value: unknown): RecordedModel["modelDependencies"] {
  if (value === null || value === undefined) return null;
  if (typeof value === "object" && Object.keys(value).length === 0) return null;
  const dependencies = asList(value).map((entry) => {
    const raw = asObject(entry);
    return { name: asText(raw?.["name"]), modelId: asText(raw?.["model_id"]), modelPackageId: asText(raw?.["model_package_id"]) };
  });
  const complete = dependencies.filter((entry): entry is ModelDependency => entry.name !== null && entry.modelId !== null);
  return complete.length === 0 || complete.length < dependencies.length ? "malformed" : complete;
}

/** null when the value is no record. The format's version is looked at by who reads the file. */
export function deserializeRecord(value: unknown): OfflineRecord | null {
  const raw = asObject(value);
  const canonicalModelId = asText(raw?.["canonical_model_id"]);
  if (raw === null || !canonicalModelId) return null;
  const model = asObject(raw["model"]);
  return {
    canonicalModelId,
    requestedAliases: asTexts(raw["requested_aliases"]) ?? [],
    recordedAt: asTime(raw["recorded_at"]),
    source: asText(raw["source"]),
    model: {
      modelArchitecture: asText(model?.["model_architecture"]),
      taskType: asText(model?.["task_type"]),
      modelVariant: asText(model?.["model_variant"]),
      modelDependencies: deserializeDependencies(model?.["model_dependencies"]),
      recommendedParameters: deserializeRecommended(model?.["recommended_parameters"]),
    },
    packages: asList(raw["packages"]).map((entry) => ({
      packageId: asText(asObject(entry)?.["package_id"]),
      metadata: deserializePackage(entry),
    })),
    proven: deserializeProven(raw["proven"]),
  };
}

/** What negotiation needs; null when the record does not tell it. */
export function recordToMetadata({ canonicalModelId, model, packages }: OfflineRecord): ModelMetadata | null {
  const { modelArchitecture, modelDependencies, ...rest } = model;
  const modelPackages = packages.flatMap(({ metadata }) => metadata ?? []);
  if (!modelArchitecture || modelDependencies === "malformed" || modelPackages.length === 0) return null;
  return { modelId: canonicalModelId, modelArchitecture, ...rest, modelPackages, modelDependencies };
}

export interface OfflineLoad {
  /** The provider's answer. */
  readonly metadata: ModelMetadata;
  readonly requestedModelId: string;
  /** The package that was loaded. */
  readonly packageId: string;
  readonly source?: OfflineSource;
}

const hasHashes = ({ packageArtefacts }: ModelPackageMetadata): boolean =>
  packageArtefacts.every(({ md5Hash }) => md5Hash !== null && md5Hash !== "");

/** Packages that can be verified later, and so may be recorded. */
export function recordablePackages({ modelPackages }: ModelMetadata): readonly ModelPackageMetadata[] {
  return modelPackages.filter(hasHashes);
}

/** The record after a load: packages replaced by id, aliases and proofs united, the model's fields overwritten by what is known now. */
export function mergeLoad(earlier: OfflineRecord | null, load: OfflineLoad, now: Date): OfflineRecord {
  const { metadata, requestedModelId, packageId, source = "warmup" } = load;
  const time = now.toISOString().replace("Z", "000+00:00");
  const packages = new Map<string, ModelPackageMetadata>();
  for (const known of earlier?.packages ?? []) if (known.metadata !== null) packages.set(known.metadata.packageId, known.metadata);
  for (const known of recordablePackages(metadata)) packages.set(known.packageId, known);
  const aliases = new Set([...(earlier?.requestedAliases ?? []), requestedModelId]);
  aliases.delete(metadata.modelId);
  const dependencies = earlier?.model.modelDependencies;
  return {
    canonicalModelId: metadata.modelId,
    requestedAliases: [...aliases].sort(),
    recordedAt: time,
    source,
    model: {
      modelArchitecture: metadata.modelArchitecture,
      taskType: metadata.taskType ?? earlier?.model.taskType ?? null,
      modelVariant: metadata.modelVariant ?? earlier?.model.modelVariant ?? null,
      modelDependencies: metadata.modelDependencies ?? (dependencies === "malformed" ? null : (dependencies ?? null)),
      recommendedParameters: metadata.recommendedParameters ?? earlier?.model.recommendedParameters ?? null,
    },
    packages: [...packages.values()]
      .sort((a, b) => (a.packageId < b.packageId ? -1 : 1))
      .map((known) => ({ packageId: known.packageId, metadata: known })),
    proven: { ...earlier?.proven, [packageId]: time },
  };
}

/** The record as a value for JSON. */
export function serializeRecord(record: OfflineRecord): Json {
  const { model } = record;
  const dependencies = model.modelDependencies === "malformed" ? null : model.modelDependencies;
  return {
    format_version: FORMAT_VERSION,
    canonical_model_id: record.canonicalModelId,
    requested_aliases: record.requestedAliases,
    recorded_at: record.recordedAt,
    source: record.source,
    model: {
      model_architecture: model.modelArchitecture,
      task_type: model.taskType,
      model_variant: model.modelVariant,
      model_dependencies:
        dependencies?.map(({ name, modelId, modelPackageId }) => ({ name, model_id: modelId, model_package_id: modelPackageId })) ?? null,
      recommended_parameters: serializeRecommended(model.recommendedParameters),
    },
    packages: record.packages.flatMap(({ metadata }) => (metadata === null ? [] : [serializePackage(metadata)])),
    proven: Object.fromEntries(Object.entries(record.proven).map(([packageId, time]) => [packageId, { last_proven_at: time }])),
  };
}
