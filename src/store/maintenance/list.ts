import { inferenceHome } from "../../packages/index.js";
import { isInUse, lastUseOf } from "../package-use.js";
import { storeLayout } from "../store-layout.js";
import { contentsOf, findBlobs, findPackages } from "./scan.js";

export interface CachedPackage {
  /** null when the manifest does not tell. */
  readonly modelId: string | null;
  readonly canonicalModelId: string | null;
  readonly packageId: string;
  readonly directory: string;
  readonly architecture: string | null;
  readonly taskType: string | null;
  readonly backend: string | null;
  /** All files of the package, those included that other packages share. */
  readonly bytes: number;
  /** Part of `bytes` that would stay if the package were removed. */
  readonly sharedBytes: number;
  readonly lastUsed: Date;
  /** By a process that runs now. */
  readonly inUse: boolean;
  /** Whether a manifest vouches for the package; without one a load is still, or no longer, under way. */
  readonly isComplete: boolean;
}

export interface CacheListing {
  readonly home: string;
  /** Most recently used first. */
  readonly packages: readonly CachedPackage[];
  /** Of packages and shared files on disk, each byte counted once. */
  readonly totalBytes: number;
}

/** What the cache holds. Changes nothing. `home`: default that of the configuration. */
export async function listCache(options: { readonly home?: string } = {}): Promise<CacheListing> {
  const layout = storeLayout(options.home ?? inferenceHome());
  const blobs = await findBlobs(layout);
  const sizes = new Map(blobs.map(({ md5, bytes }) => [md5, bytes]));
  const files = new Map(blobs.map(({ inode, bytes }) => [inode, bytes]));
  const found = await Promise.all((await findPackages(layout)).map(async (one) => ({ ...one, ...(await contentsOf(layout, one)) })));
  const users = new Map<string, number>();
  for (const one of found) {
    for (const md5 of one.blobs) users.set(md5, (users.get(md5) ?? 0) + 1);
    for (const [inode, bytes] of one.ownFiles) files.set(inode, bytes);
  }
  const packages = await Promise.all(
    found.map(async ({ packageId, directory, useFolder, manifest, blobs: linked, ownFiles, newestChange }): Promise<CachedPackage> => {
      const config = manifest.kind === "current" || manifest.kind === "older" ? manifest.config : null;
      const own = [...ownFiles.values()].reduce((sum, bytes) => sum + bytes, 0);
      const ofBlobs = (counts: (md5: string) => boolean): number =>
        [...linked].filter(counts).reduce((sum, md5) => sum + (sizes.get(md5) ?? 0), 0);
      return {
        modelId: config?.cacheRecord.modelId ?? null,
        canonicalModelId: config?.cacheRecord.canonicalModelId ?? null,
        packageId,
        directory,
        architecture: config?.modelArchitecture ?? null,
        taskType: config?.taskType ?? null,
        backend: config?.backendType ?? null,
        bytes: own + ofBlobs(() => true),
        sharedBytes: ofBlobs((md5) => (users.get(md5) ?? 0) > 1),
        lastUsed: (await lastUseOf(useFolder)) ?? newestChange,
        inUse: await isInUse(useFolder),
        isComplete: manifest.kind === "current",
      };
    }),
  );
  packages.sort((a, b) => b.lastUsed.getTime() - a.lastUsed.getTime());
  return { home: layout.home, packages, totalBytes: [...files.values()].reduce((sum, bytes) => sum + bytes, 0) };
}
