/** Which packages are in use, and when each was used last: what eviction has to know. */
import { randomUUID } from "node:crypto";
import { rmSync } from "node:fs";
import { mkdir, readdir, rm, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { formatIdentity, livenessOf, ownIdentity, parseIdentity } from "./process-identity.js";
import { storeLayout, type StoreLayout } from "./store-layout.js";
import type { PackageLease } from "./types.js";

const LAST_USE = "last-use";
/** Whether processes of other machines still run cannot be seen; their marks count for this long. */
const FOREIGN_LEASE_MILLISECONDS = 7 * 24 * 3600 * 1000;

const leases = new Set<string>();

function dropAll(): void {
  for (const path of leases) rmSync(path, { force: true });
}

/**
 * Marks the package as used by this process, from now until it is released or the process ends. Where the cache cannot be written to,
 * nothing can be evicted either, and nothing is marked.
 */
export async function usePackage(home: string, cacheModelId: string, packageId: string): Promise<PackageLease> {
  const folder = storeLayout(home).packageUse(cacheModelId, packageId);
  const path = join(folder, `${formatIdentity(ownIdentity())}.${randomUUID()}`);
  try {
    await mkdir(folder, { recursive: true });
    await writeFile(path, "");
    // Rewriting an empty file would leave its time as it is.
    await writeFile(join(folder, LAST_USE), "1");
    if (leases.size === 0) process.on("exit", dropAll);
    leases.add(path);
  } catch {
    return { release: () => undefined };
  }
  return {
    release() {
      if (!leases.delete(path)) return;
      if (leases.size === 0) process.removeListener("exit", dropAll);
      try {
        rmSync(path, { force: true });
      } catch {
        // The mark of a process that has ended does not count.
      }
    },
  };
}

/** For tests and for caches brought from elsewhere: when a package counts as last used. */
export async function setLastUse(layout: StoreLayout, cacheModelId: string, packageId: string, time: Date): Promise<void> {
  const folder = layout.packageUse(cacheModelId, packageId);
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, LAST_USE), "1");
  await utimes(join(folder, LAST_USE), time, time);
}

/** null = not since the cache keeps record. */
export async function lastUseOf(useFolder: string): Promise<Date | null> {
  return stat(join(useFolder, LAST_USE)).then(
    ({ mtime }) => mtime,
    () => null,
  );
}

/** Whether a process that lives, or may live, uses the package. Marks of the dead are removed. */
export async function isInUse(useFolder: string): Promise<boolean> {
  let inUse = false;
  for (const name of await readdir(useFolder).catch(() => [])) {
    const identity = parseIdentity(name);
    if (identity === null) continue;
    const path = join(useFolder, name);
    const liveness = livenessOf(identity);
    if (liveness === "dead") await rm(path, { force: true }).catch(() => undefined);
    else if (liveness === "alive") inUse = true;
    else if (Date.now() - ((await stat(path).catch(() => null))?.mtimeMs ?? 0) < FOREIGN_LEASE_MILLISECONDS) inUse = true;
  }
  return inUse;
}
