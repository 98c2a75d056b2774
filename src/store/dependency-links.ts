/** Links from a package to the packages it depends on. */
import { lstat, mkdir, readlink, rename, rm, symlink } from "node:fs/promises";
import { join, normalize } from "node:path";

import { CorruptedModelPackageError } from "../errors.js";
import { hashContent } from "./canonical-json.js";
import { formatDependencyPaths, parseDependencyPaths, type DependencyPath } from "./dependency-paths.js";
import { temporaryName } from "./files/durable.js";
import { readManifest } from "./manifest.js";
import type { MaterializedDependency, StoreObserver } from "./types.js";

/** Reads what each dependency is now. @throws CorruptedModelPackageError for bad or repeated names, or a dependency without manifest. */
export async function dependencyPaths(dependencies: readonly MaterializedDependency[]): Promise<readonly DependencyPath[]> {
  const paths = await Promise.all(
    dependencies.map(async ({ name, directory, cacheModelId, canonicalModelId, packageId }) => {
      const manifest = await readManifest(directory);
      if (manifest.kind === "missing" || manifest.kind === "malformed") {
        throw new CorruptedModelPackageError(`The dependency "${name}" in ${directory} has no readable model_config.json. Load it again.`, {
          path: directory,
          kind: "manifest",
        });
      }
      return {
        name,
        targetPath: normalize(directory),
        cacheModelId,
        canonicalModelId,
        modelPackageId: packageId,
        packageManifestHash: hashContent(manifest.raw),
      };
    }),
  );
  return parseDependencyPaths(formatDependencyPaths(paths));
}

function dependencyLink(directory: string, name: string): string {
  return join(directory, "model_dependencies", name);
}

export async function isDependencyLinked(directory: string, { name, targetPath }: DependencyPath): Promise<boolean> {
  return (await readlink(dependencyLink(directory, name)).catch(() => null)) === targetPath;
}

/** Makes each dependency reachable from inside the package. */
export async function linkDependencies(directory: string, paths: readonly DependencyPath[], observer?: StoreObserver): Promise<void> {
  for (const path of paths) {
    if (await isDependencyLinked(directory, path)) continue;
    const link = dependencyLink(directory, path.name);
    const there = await lstat(link).catch(() => null);
    if (there !== null && !there.isSymbolicLink()) {
      throw new CorruptedModelPackageError(`${link} should be a link to the dependency's package, and is something else. Remove it.`, {
        path: link,
        kind: "artefact",
      });
    }
    await mkdir(join(directory, "model_dependencies"), { recursive: true });
    const temporary = temporaryName(link);
    try {
      // A junction is what Windows allows everybody to make.
      await symlink(path.targetPath, temporary, process.platform === "win32" ? "junction" : "dir");
      await rename(temporary, link);
      observer?.onSymlinkCreated?.(path.targetPath, link);
    } finally {
      await rm(temporary, { force: true });
    }
  }
}
