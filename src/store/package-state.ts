/** What of a package is on disk, and right. Looks only; nothing is changed and no lock is needed. */
import { join } from "node:path";

import { hashContent } from "./canonical-json.js";
import type { ArtefactDeclaration, ArtefactIdentity } from "./artefacts.js";
import { isDependencyLinked } from "./dependency-links.js";
import type { DependencyPath } from "./dependency-paths.js";
import { placementOf, type PlacementKind } from "./files/place-file.js";
import type { VerifiedFiles } from "./files/verified-files.js";
import { composeManifest, type Manifest, type ManifestState } from "./manifest.js";
import type { StoreLayout } from "./store-layout.js";
import type { MaterializeRequest } from "./types.js";

export interface PackageContext {
  readonly request: MaterializeRequest;
  readonly layout: StoreLayout;
  readonly verified: VerifiedFiles;
  readonly directory: string;
  readonly declarations: readonly ArtefactDeclaration[];
  readonly dependencyPaths: readonly DependencyPath[];
  readonly signal: AbortSignal | undefined;
  /** Called for each file that has to be read for its hash. */
  readonly onVerify: (file: string) => void;
}

export function artefactPath(directory: string, handle: string): string {
  return join(directory, ...handle.split("/"));
}

export interface RightFile {
  readonly identity: ArtefactIdentity;
  /** null: not shared. */
  readonly placement: PlacementKind | null;
}

/** The file as it was verified, or null when it is missing or wrong. `recorded`: what the manifest says it was. */
export async function inspectFile(
  { directory, layout, verified, signal, onVerify }: PackageContext,
  declaration: ArtefactDeclaration,
  recorded: ArtefactIdentity | undefined,
): Promise<RightFile | null> {
  const { fileHandle } = declaration;
  const path = artefactPath(directory, fileHandle);
  const options = { signal, onHash: () => onVerify(fileHandle) };
  if (declaration.md5Hash === null) {
    // Only a manifest vouches for what nobody has published a hash of.
    if (recorded?.sha256Hash == null || (await placementOf(path, "")) !== "copy") return null;
    if ((await verified.digest(path, "sha256", options)) !== recorded.sha256Hash) return null;
    return { identity: { ...declaration, sha256Hash: recorded.sha256Hash }, placement: null };
  }
  const identity: ArtefactIdentity = { ...declaration, sha256Hash: null };
  if (declaration.storage === "package_file") {
    const isRight = (await placementOf(path, "")) === "copy" && (await verified.digest(path, "md5", options)) === declaration.md5Hash;
    return isRight ? { identity, placement: null } : null;
  }
  const blob = layout.blob(declaration.md5Hash);
  const placement = await placementOf(path, blob);
  if (placement !== "symlink" && placement !== "hard-link" && placement !== "copy") return null;
  const content = placement === "symlink" ? blob : path;
  return (await verified.digest(content, "md5", options)) === declaration.md5Hash ? { identity, placement } : null;
}

export interface PackageState {
  /** Handles of files that are missing or wrong. */
  readonly wanting: readonly string[];
  readonly isComplete: boolean;
}

export async function inspectPackage(context: PackageContext, manifest: ManifestState): Promise<PackageState> {
  const recorded = manifest.kind === "current" ? manifest.artefacts : [];
  const inspected = await Promise.all(
    context.declarations.map((declaration) =>
      inspectFile(
        context,
        declaration,
        recorded.find(({ fileHandle }) => fileHandle === declaration.fileHandle),
      ),
    ),
  );
  const wanting = context.declarations.filter((_, index) => inspected[index] === null).map(({ fileHandle }) => fileHandle);
  const isComplete = wanting.length === 0 && manifest.kind === "current" && (await isUpToDate(context, manifest, inspected));
  return { wanting, isComplete };
}

async function isUpToDate(context: PackageContext, manifest: Manifest, files: readonly (RightFile | null)[]): Promise<boolean> {
  const { request, directory, dependencyPaths } = context;
  const content = { artefacts: manifest.artefacts, dependencyPaths, placements: placementsOf(files) };
  if (hashContent(composeManifest(request, content, manifest.raw)) !== hashContent(manifest.raw)) return false;
  const linked = await Promise.all(dependencyPaths.map((path) => isDependencyLinked(directory, path)));
  return linked.every(Boolean);
}

export function placementsOf(files: readonly (RightFile | null)[]): Readonly<Record<string, PlacementKind>> {
  return Object.fromEntries(files.flatMap((file) => (file?.placement == null ? [] : [[file.identity.fileHandle, file.placement]])));
}
