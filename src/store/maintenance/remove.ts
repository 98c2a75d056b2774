/** Taking packages out of the cache, without pulling anything away from under a process that works with it. */
import { randomUUID } from "node:crypto";
import { rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";

import { inferenceHome, modelIdSlug, requirePackageId } from "../../packages/index.js";
import { withFileLockIfFree } from "../files/lock.js";
import { guardStorage } from "../files/storage-errors.js";
import { verifiedFiles } from "../files/verified-files.js";
import { isInUse } from "../package-use.js";
import { storeLayout, type StoreLayout } from "../store-layout.js";
import { contentsOf, findBlobs, findPackages, isReferenced, type FoundBlob, type FoundPackage } from "./scan.js";

export interface RemovalReport {
  /** Package folders that are gone. */
  readonly removed: readonly string[];
  /** Package folders that stay: a running process loads or uses them. */
  readonly kept: readonly string[];
  readonly freedBytes: number;
}

/** Hidden, and so never taken for a package; the next prune removes what a killed removal leaves. */
export function removedName(directory: string): string {
  return join(dirname(directory), `.${randomUUID()}.removed.lock`);
}

/** Whether the package is gone now. Bytes of its blobs are freed separately, once nobody else links to them. */
export async function removePackage(layout: StoreLayout, found: FoundPackage): Promise<{ readonly bytes: number } | null> {
  return withFileLockIfFree(found.lock, async () => {
    if (await isInUse(found.useFolder)) return null;
    const { ownFiles } = await contentsOf(layout, found);
    const away = removedName(found.directory);
    await guardStorage(found.directory, async () => {
      // In one step: nobody ever sees half a package.
      await rename(found.directory, away);
      await rm(away, { recursive: true, force: true });
      await rm(found.useFolder, { recursive: true, force: true });
    });
    return { bytes: [...ownFiles.values()].reduce((sum, bytes) => sum + bytes, 0) };
  });
}

/** Bytes freed; 0 when a package links to the blob, or it is being fetched or linked just now. */
export async function removeBlob(layout: StoreLayout, blob: FoundBlob): Promise<number> {
  // Links are only made under this lock, so what is looked up here stays true until the blob is gone.
  const freed = await withFileLockIfFree(layout.blobLock(blob.md5), async () => {
    if (await isReferenced(layout, blob)) return 0;
    const bytes = await stat(blob.path).then(
      ({ size }) => size,
      () => 0,
    );
    await guardStorage(blob.path, () => rm(blob.path, { force: true }));
    await verifiedFiles(layout.home).forget(blob.path);
    return bytes;
  });
  return freed ?? 0;
}

/** Removes packages, and the blobs that only they have linked to. */
export async function removePackages(layout: StoreLayout, packages: readonly FoundPackage[]): Promise<RemovalReport> {
  const [removed, kept]: [string[], string[]] = [[], []];
  const orphans = new Set<string>();
  let freedBytes = 0;
  for (const found of packages) {
    const { blobs } = await contentsOf(layout, found);
    const gone = await removePackage(layout, found);
    (gone === null ? kept : removed).push(found.directory);
    if (gone === null) continue;
    freedBytes += gone.bytes;
    for (const md5 of blobs) orphans.add(md5);
  }
  for (const blob of orphans.size === 0 ? [] : await findBlobs(layout)) {
    if (orphans.has(blob.md5)) freedBytes += await removeBlob(layout, blob);
  }
  return { removed, kept, freedBytes };
}

/**
 * Removes a model, or one package of it, from the cache. What a running process uses or loads stays, and is reported.
 * @throws InsecureModelIdentifierError, CacheStorageError
 */
export async function removeFromCache(
  modelId: string,
  options: { readonly packageId?: string; readonly home?: string } = {},
): Promise<RemovalReport> {
  const layout = storeLayout(options.home ?? inferenceHome());
  const packageId = options.packageId === undefined ? null : requirePackageId(options.packageId);
  const slug = modelIdSlug(modelId);
  const packages = (await findPackages(layout)).filter(
    (found) => found.slug === slug && (packageId === null || found.packageId === packageId),
  );
  return removePackages(layout, packages);
}
