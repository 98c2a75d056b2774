/** What is in the cache, by looking. */
import { lstat, readdir, readlink, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";

import { isMd5 } from "../../packages/index.js";
import { readManifest, type ManifestState } from "../manifest.js";
import type { StoreLayout } from "../store-layout.js";

export interface FoundPackage {
  readonly slug: string;
  readonly packageId: string;
  readonly directory: string;
  /** Folder of its marks of use. */
  readonly useFolder: string;
  readonly lock: string;
}

const isHidden = (name: string): boolean => name.startsWith(".");

async function entriesOf(folder: string) {
  return readdir(folder, { withFileTypes: true }).catch(() => []);
}

export async function findPackages(layout: StoreLayout): Promise<readonly FoundPackage[]> {
  const found: FoundPackage[] = [];
  for (const model of await entriesOf(layout.modelsCache)) {
    if (!model.isDirectory() || isHidden(model.name)) continue;
    const folder = join(layout.modelsCache, model.name);
    for (const entry of await entriesOf(folder)) {
      if (!entry.isDirectory() || isHidden(entry.name)) continue;
      const parts = [model.name, entry.name] as const;
      found.push({
        slug: model.name,
        packageId: entry.name,
        directory: join(folder, entry.name),
        useFolder: join(layout.uses, ...parts),
        lock: join(layout.locks, "packages", ...parts),
      });
    }
  }
  return found;
}

export interface PackageContents {
  readonly manifest: ManifestState;
  /** MD5s of the blobs that it links to, by name. */
  readonly blobs: ReadonlySet<string>;
  /** Bytes of each file that is no link, by inode: a hard link is the same bytes as its blob. */
  readonly ownFiles: ReadonlyMap<string, number>;
  readonly newestChange: Date;
}

/** Walks the files of a package, and follows no link. */
export async function contentsOf(layout: StoreLayout, { directory }: FoundPackage): Promise<PackageContents> {
  const blobs = new Set<string>();
  const ownFiles = new Map<string, number>();
  let newest = 0;
  const walk = async (folder: string): Promise<void> => {
    for (const entry of await entriesOf(folder)) {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) await walk(path);
      const status = await lstat(path).catch(() => null);
      if (status === null) continue;
      newest = Math.max(newest, status.mtimeMs);
      if (status.isSymbolicLink()) {
        const target = resolve(folder, await readlink(path).catch(() => ""));
        // By name: the cache may have been reached by another path when the link was made.
        if (basename(dirname(target)) === basename(layout.sharedBlobs)) blobs.add(basename(target));
      } else if (status.isFile()) ownFiles.set(`${status.dev}:${status.ino}`, status.size);
    }
  };
  await walk(directory);
  const manifest = await readManifest(directory);
  return { manifest, blobs, ownFiles, newestChange: new Date(newest) };
}

export interface FoundBlob {
  readonly md5: string;
  readonly path: string;
  readonly inode: string;
  readonly bytes: number;
  readonly changed: Date;
}

export async function findBlobs(layout: StoreLayout): Promise<readonly FoundBlob[]> {
  const found: FoundBlob[] = [];
  for (const entry of await entriesOf(layout.sharedBlobs)) {
    if (!isMd5(entry.name)) continue;
    const path = layout.blob(entry.name);
    const status = await stat(path).catch(() => null);
    if (status === null) continue;
    found.push({ md5: entry.name, path, inode: `${status.dev}:${status.ino}`, bytes: status.size, changed: status.mtime });
  }
  return found;
}

/** Whether any package links to the blob, or is a second name of it. */
export async function isReferenced(layout: StoreLayout, { md5, inode }: FoundBlob): Promise<boolean> {
  for (const found of await findPackages(layout)) {
    const { blobs, ownFiles } = await contentsOf(layout, found);
    if (blobs.has(md5) || ownFiles.has(inode)) return true;
  }
  return false;
}
