/** Keeps the cache small: the least recently used packages go first, and what nobody needs any more goes always. */
import { readdir, rm, rmdir } from "node:fs/promises";
import { join } from "node:path";

import { inferenceHome } from "../../packages/index.js";
import { livenessOf, parseIdentity } from "../process-identity.js";
import { storeLayout, type StoreLayout } from "../store-layout.js";
import { listCache } from "./list.js";
import { removeBlob, removePackages, type RemovalReport } from "./remove.js";
import { findBlobs, findPackages } from "./scan.js";

/** Blobs without a link may be about to get one, by a library that does not know our locks. */
const YOUNG_MILLISECONDS = 3600 * 1000;

export interface PruneOptions {
  readonly home?: string;
  /** Remove least recently used packages until no more than this is left. */
  readonly maxBytes?: number;
  /** Remove packages that were last used before. */
  readonly olderThan?: Date;
  readonly signal?: AbortSignal;
}

/**
 * Removes packages by age and size, never one that a running process uses or loads; then blobs that no package links to, quarantined
 * files, and what killed processes have left. @throws CacheStorageError, the signal's reason
 */
export async function pruneCache({ home = inferenceHome(), maxBytes, olderThan, signal }: PruneOptions = {}): Promise<RemovalReport> {
  const layout = storeLayout(home);
  let report: RemovalReport = { removed: [], kept: [], freedBytes: await sweep(layout) };
  const found = new Map((await findPackages(layout)).map((one) => [one.directory, one]));
  const { packages, totalBytes } = await listCache({ home });
  let excess = maxBytes === undefined ? 0 : totalBytes - maxBytes;
  for (const { directory, lastUsed, inUse } of [...packages].reverse()) {
    signal?.throwIfAborted();
    const isOld = olderThan !== undefined && lastUsed < olderThan;
    const one = found.get(directory);
    if (inUse || one === undefined || (!isOld && excess <= 0)) continue;
    const { removed, kept, freedBytes } = await removePackages(layout, [one]);
    excess -= freedBytes;
    report = {
      removed: [...report.removed, ...removed],
      kept: [...report.kept, ...kept],
      freedBytes: report.freedBytes + freedBytes,
    };
  }
  return report;
}

/** Bytes of shared files that nobody needs. */
async function sweep(layout: StoreLayout): Promise<number> {
  await rm(layout.quarantine, { recursive: true, force: true });
  await sweepRemoved(layout);
  await sweepPartials(layout);
  let bytes = 0;
  for (const blob of await findBlobs(layout)) {
    if (Math.abs(Date.now() - blob.changed.getTime()) > YOUNG_MILLISECONDS) bytes += await removeBlob(layout, blob);
  }
  return bytes;
}

/** What removals that were killed have left, and models without packages. */
async function sweepRemoved(layout: StoreLayout): Promise<void> {
  for (const slug of await readdir(layout.modelsCache).catch(() => [])) {
    const folder = join(layout.modelsCache, slug);
    for (const name of await readdir(folder).catch(() => [])) {
      if (/^\.[0-9a-f-]{36}\.removed\.lock$/.test(name)) await rm(join(folder, name), { recursive: true, force: true });
    }
    await rmdir(folder).catch(() => undefined);
  }
}

/** Unfinished downloads whose process has died. Those that were left on purpose go too: pruning is when the space is wanted back. */
async function sweepPartials(layout: StoreLayout): Promise<void> {
  for (const folder of await readdir(layout.sharedBlobs).catch(() => [])) {
    if (!/^\.[0-9a-f]{32}\.partial\.lock$/.test(folder)) continue;
    const path = join(layout.sharedBlobs, folder);
    for (const name of await readdir(path).catch(() => [])) {
      const identity = parseIdentity(name);
      if (identity === null || livenessOf(identity) === "dead") await rm(join(path, name), { force: true });
    }
    await rmdir(path).catch(() => undefined);
  }
}
