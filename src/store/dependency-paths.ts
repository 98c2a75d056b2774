/** The record of where the packages lie that a package depends on. */
import { isAbsolute, normalize } from "node:path";

import * as z from "zod";

import { CorruptedModelPackageError } from "../errors.js";
import { requireArtefactHandle, requirePortableName } from "../packages/index.js";

export interface DependencyPath {
  readonly name: string;
  readonly targetPath: string;
  readonly cacheModelId: string;
  readonly canonicalModelId: string;
  readonly modelPackageId: string;
  /** Of the dependency's manifest as canonical JSON. */
  readonly packageManifestHash: string;
}

const notBlank = z.string().refine((value) => value.trim() !== "");
const list = z.array(
  z.strictObject({
    name: z.string(),
    target_path: z.string(),
    cache_model_id: notBlank,
    canonical_model_id: notBlank,
    model_package_id: notBlank,
    package_manifest_hash: z.string().regex(/^[0-9a-f]{64}$/),
  }),
);

function malformed(why: string, cause?: unknown): CorruptedModelPackageError {
  return new CorruptedModelPackageError(`The record of the packages that this one depends on is malformed: ${why}.`, {
    kind: "manifest",
    cause,
  });
}

/** A name under `model_dependencies/`. @throws CorruptedModelPackageError */
function requireDependencyName(name: string): string {
  requireArtefactHandle(`model_dependency/${requirePortableName(name)}`);
  return name;
}

/** As `dependency_package_paths` of model_config.json holds them. @throws CorruptedModelPackageError */
export function parseDependencyPaths(value: unknown): readonly DependencyPath[] {
  const parsed = list.safeParse(value);
  if (!parsed.success) throw malformed("an entry has other fields than it should", parsed.error);
  const names = new Set<string>();
  return parsed.data.map((entry) => {
    const name = requireDependencyName(entry.name);
    if (names.has(name.toLowerCase())) throw malformed("a name occurs twice");
    names.add(name.toLowerCase());
    const path = entry.target_path;
    if (!isAbsolute(path) || normalize(path) !== path || (path.length > 1 && /[/\\]$/.test(path))) {
      throw malformed("a path is not absolute and plain");
    }
    return {
      name,
      targetPath: path,
      cacheModelId: entry.cache_model_id,
      canonicalModelId: entry.canonical_model_id,
      modelPackageId: entry.model_package_id,
      packageManifestHash: entry.package_manifest_hash,
    };
  });
}

export function formatDependencyPaths(paths: readonly DependencyPath[]): readonly object[] {
  return paths.map(({ name, targetPath, cacheModelId, canonicalModelId, modelPackageId, packageManifestHash }) => ({
    name,
    target_path: targetPath,
    cache_model_id: cacheModelId,
    canonical_model_id: canonicalModelId,
    model_package_id: modelPackageId,
    package_manifest_hash: packageManifestHash,
  }));
}
