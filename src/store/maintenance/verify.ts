/** Reads the whole cache again, whatever is remembered about it. */
import { stat } from "node:fs/promises";

import { inferenceHome } from "../../packages/index.js";
import type { ArtefactIdentity } from "../artefacts.js";
import { hashFile } from "../files/hash-file.js";
import { placementOf } from "../files/place-file.js";
import { artefactPath } from "../package-state.js";
import { readManifest } from "../manifest.js";
import { storeLayout, type StoreLayout } from "../store-layout.js";
import type { ProgressListener } from "../types.js";
import { findPackages } from "./scan.js";

export interface CacheProblem {
  readonly packageId: string;
  readonly directory: string;
  /** File handle; null: the package as a whole. */
  readonly file: string | null;
  readonly problem: "no-manifest" | "malformed-manifest" | "missing" | "wrong-content" | "foreign-link";
}

export interface CacheVerification {
  readonly packages: number;
  readonly files: number;
  readonly problems: readonly CacheProblem[];
}

export interface VerifyOptions {
  readonly home?: string;
  readonly signal?: AbortSignal;
  readonly onProgress?: ProgressListener;
}

/** Compares every file with its recorded hash. Changes nothing: a load repairs what it meets. @throws the signal's reason */
export async function verifyCache({ home = inferenceHome(), signal, onProgress }: VerifyOptions = {}): Promise<CacheVerification> {
  const layout = storeLayout(home);
  const problems: CacheProblem[] = [];
  // Blobs that several packages share are read once.
  const digests = new Map<string, string | null>();
  let files = 0;
  const packages = await findPackages(layout);
  for (const { packageId, directory } of packages) {
    const manifest = await readManifest(directory);
    if (manifest.kind !== "current") {
      problems.push({ packageId, directory, file: null, problem: manifest.kind === "malformed" ? "malformed-manifest" : "no-manifest" });
      continue;
    }
    for (const artefact of manifest.artefacts) {
      signal?.throwIfAborted();
      files++;
      onProgress?.({ type: "verifying", file: artefact.fileHandle });
      const problem = await check(layout, directory, artefact, digests, signal);
      if (problem !== null) problems.push({ packageId, directory, file: artefact.fileHandle, problem });
    }
  }
  return { packages: packages.length, files, problems };
}

async function check(
  layout: StoreLayout,
  directory: string,
  { fileHandle, md5Hash, sha256Hash, storage }: ArtefactIdentity,
  digests: Map<string, string | null>,
  signal: AbortSignal | undefined,
): Promise<CacheProblem["problem"] | null> {
  const path = artefactPath(directory, fileHandle);
  const blob = storage === "shared_blob" && md5Hash !== null ? layout.blob(md5Hash) : "";
  const placement = await placementOf(path, blob);
  if (placement === "missing" || placement === "foreign-link") return placement;
  const content = placement === "symlink" ? blob : path;
  const isFile = await stat(content).then(
    (status) => status.isFile(),
    () => false,
  );
  if (!isFile) return "missing";
  let digest = digests.get(content);
  if (digest === undefined) {
    digest = await hashFile(content, md5Hash === null ? "sha256" : "md5", { signal });
    digests.set(content, digest);
  }
  return digest === (md5Hash ?? sha256Hash) ? null : "wrong-content";
}
