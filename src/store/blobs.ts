/** Files that packages share, each stored once under its MD5. */
import { randomUUID } from "node:crypto";
import { lstat, mkdir, rename } from "node:fs/promises";
import { basename, join } from "node:path";

import { logger } from "../logger.js";
import { withinBudget } from "./download/budget.js";
import { fetchFile, type FetchOptions } from "./download/fetch-file.js";
import { withFileLock, type LockOptions } from "./files/lock.js";
import { guardStorage } from "./files/storage-errors.js";
import type { VerifiedFiles } from "./files/verified-files.js";
import type { StoreLayout } from "./store-layout.js";

export interface BlobStore {
  readonly layout: StoreLayout;
  readonly verified: VerifiedFiles;
}

export interface BlobRequest {
  readonly md5: string;
  readonly url: string;
  /** Name for messages and events. */
  readonly file: string;
}

export interface BlobOptions {
  readonly lock: LockOptions;
  /** Called when the blob has to be fetched. */
  readonly fetch: () => FetchOptions;
  readonly onVerify: () => void;
}

/**
 * Makes sure that the blob is there and right, fetching it when it is not, and calls `use` before anybody may remove it. `bytes`: fetched
 * for it.
 */
export async function withBlob<T>(
  { layout, verified }: BlobStore,
  { md5, url, file }: BlobRequest,
  { lock, fetch, onVerify }: BlobOptions,
  use: (path: string) => Promise<T>,
): Promise<{ readonly bytes: number; readonly used: T }> {
  const path = layout.blob(md5);
  return withFileLock(layout.blobLock(md5), lock, async () => {
    let bytes = 0;
    if (!(await isRight(path, md5, verified, lock.signal, onVerify))) {
      await setAside(layout, path, file);
      await guardStorage(path, () => mkdir(layout.sharedBlobs, { recursive: true }));
      ({ bytes } = await withinBudget(() => fetchFile({ file, url, target: path, md5 }, fetch())));
      await verified.remember(path, { md5 });
    }
    return { bytes, used: await use(path) };
  });
}

async function isRight(
  path: string,
  md5: string,
  verified: VerifiedFiles,
  signal: AbortSignal | undefined,
  onVerify: () => void,
): Promise<boolean> {
  const status = await lstat(path).catch(() => null);
  // A link could lead to a file that somebody else changes.
  if (status?.isFile() !== true) return false;
  return (await verified.digest(path, "md5", { signal, onHash: onVerify })) === md5;
}

/** Moves what is there, and wrong, out of the way. */
async function setAside(layout: StoreLayout, path: string, file: string): Promise<void> {
  const exists = await lstat(path).then(
    () => true,
    () => false,
  );
  if (!exists) return;
  const place = join(layout.quarantine, `${basename(path)}.${randomUUID()}`);
  await guardStorage(place, async () => {
    await mkdir(layout.quarantine, { recursive: true });
    await rename(path, place);
  });
  logger().warn(`The cached file of ${file} did not have its content any more. It was moved to ${place} and is fetched again.`);
}
