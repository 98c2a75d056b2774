/** `model_config.json` of a cached package: what the package is, shared with the Python library. Written last, so it vouches for the rest. */
import { lstat, readFile } from "node:fs/promises";
import { join } from "node:path";

import { CorruptedModelPackageError } from "../errors.js";
import { parseModelConfig, type ModelConfig } from "../packages/index.js";
import { declareArtefacts, formatArtefactIdentities, parseArtefactIdentities, isSameArtefact } from "./artefacts.js";
import type { ArtefactDeclaration, ArtefactIdentity } from "./artefacts.js";
import { formatDependencyPaths, parseDependencyPaths, type DependencyPath } from "./dependency-paths.js";
import type { PlacementKind } from "./files/place-file.js";
import type { MaterializeRequest } from "./types.js";

const MANIFEST_NAME = "model_config.json";
const MANIFEST_VERSION = 4;
const MAXIMUM_BYTES = 16 << 20;

export type RawManifest = Readonly<Record<string, unknown>>;

export interface Manifest {
  readonly raw: RawManifest;
  readonly config: ModelConfig;
  readonly artefacts: readonly ArtefactIdentity[];
  readonly dependencyPaths: readonly DependencyPath[];
}

export type ManifestState =
  | { readonly kind: "missing" }
  | { readonly kind: "malformed"; readonly cause: unknown }
  /** By another version of the manifest, or by hand: says who it belongs to, and vouches for nothing. */
  | { readonly kind: "older"; readonly raw: RawManifest; readonly config: ModelConfig }
  | ({ readonly kind: "current" } & Manifest);

export function manifestPath(directory: string): string {
  return join(directory, MANIFEST_NAME);
}

export async function readManifest(directory: string): Promise<ManifestState> {
  const path = manifestPath(directory);
  try {
    const status = await lstat(path);
    if (!status.isFile() || status.size > MAXIMUM_BYTES) throw new Error("It is no regular file of a sensible size.");
    const text = await readFile(path, "utf8");
    const config = parseModelConfig(text, { path });
    const raw = JSON.parse(text) as RawManifest;
    const { offlineManifestVersion, packageArtifacts, dependencyPackagePaths } = config.cacheRecord;
    if (offlineManifestVersion !== MANIFEST_VERSION) return { kind: "older", raw, config };
    const artefacts = parseArtefactIdentities(packageArtifacts);
    return { kind: "current", raw, config, artefacts, dependencyPaths: parseDependencyPaths(dependencyPackagePaths ?? []) };
  } catch (error) {
    const isMissing = ["ENOENT", "ENOTDIR"].includes((error as NodeJS.ErrnoException).code ?? "");
    return isMissing ? { kind: "missing" } : { kind: "malformed", cause: error };
  }
}

/** What the manifest has to say about a package, apart from the files it turns out to have. */
function announced({
  cacheModelId,
  canonicalModelId,
  architecture,
  taskType,
  package: announcedPackage,
  ...request
}: MaterializeRequest): RawManifest {
  const { backend, modelFeatures, trustedSource, quantization, dynamicBatchSizeSupported, staticBatchSize } = announcedPackage;
  const { recommendedParameters, dependencies } = request;
  return {
    offline_manifest_version: MANIFEST_VERSION,
    model_id: cacheModelId,
    canonical_model_id: canonicalModelId,
    model_architecture: architecture,
    task_type: taskType,
    backend_type: backend,
    model_features: modelFeatures,
    trusted_source: trustedSource,
    quantization: quantization ?? "unknown",
    dynamic_batch_size_supported: dynamicBatchSizeSupported,
    static_batch_size: staticBatchSize,
    recommended_parameters:
      recommendedParameters === null
        ? null
        : { confidence: recommendedParameters.confidence, per_class_confidence: recommendedParameters.perClassConfidence },
    model_dependencies: dependencies.map(({ name, modelId, modelPackageId }) => ({
      name,
      model_id: modelId,
      model_package_id: modelPackageId,
    })),
  };
}

export interface ManifestContent {
  readonly artefacts: readonly ArtefactIdentity[];
  readonly dependencyPaths: readonly DependencyPath[];
  /** How each shared file is there: on systems without symbolic links not every file is a link. */
  readonly placements: Readonly<Record<string, PlacementKind>>;
}

/** The manifest to write. What earlier ones said beyond what is known here stays. */
export function composeManifest(
  request: MaterializeRequest,
  { artefacts, dependencyPaths, placements }: ManifestContent,
  earlier: RawManifest = {},
): RawManifest {
  return {
    ...earlier,
    ...announced(request),
    package_artifacts: formatArtefactIdentities(artefacts),
    dependency_package_paths: formatDependencyPaths(dependencyPaths),
    artifact_placements: placements,
  };
}

/**
 * A package never becomes another one under the same id: owner, architecture, task, backend and files stay what they were. Everything else
 * (thresholds, trust, features) may change on the platform, and is updated.
 * @throws CorruptedModelPackageError
 */
export function requireSameIdentity(state: ManifestState, request: MaterializeRequest, directory: string): void {
  if (state.kind === "missing" || state.kind === "malformed") return;
  const { cacheModelId, canonicalModelId, architecture, taskType, package: announcedPackage } = request;
  const { config } = state;
  const { modelId: knownOwner, canonicalModelId: knownCanonical } = config.cacheRecord;
  const differs = (known: string | null, expected: string | null): boolean =>
    state.kind === "current" ? known !== expected : known !== null && known !== expected;
  const differences = [
    differs(knownOwner, cacheModelId) ? "model" : null,
    differs(knownCanonical, canonicalModelId) ? "canonical model" : null,
    ...(state.kind === "older"
      ? []
      : [
          config.modelArchitecture === architecture ? null : "architecture",
          config.taskType === taskType ? null : "task",
          config.backendType === announcedPackage.backend ? null : "backend",
          isSameList(declareArtefacts(announcedPackage.packageArtefacts), state.artefacts) ? null : "files",
        ]),
  ].filter((name) => name !== null);
  if (differences.length === 0) return;
  throw new CorruptedModelPackageError(
    `The cached package in ${directory} differs from the announced one in: ${differences.join(", ")}. A package never changes under the same id. ` +
      "If the platform has replaced it on purpose, remove the folder (removeFromCache) and load again.",
    { path: directory, kind: "manifest" },
  );
}

function isSameList(declarations: readonly ArtefactDeclaration[], identities: readonly ArtefactIdentity[]): boolean {
  return (
    declarations.length === identities.length &&
    declarations.every((declaration, index) => {
      const identity = identities[index];
      return identity !== undefined && isSameArtefact(declaration, identity);
    })
  );
}
