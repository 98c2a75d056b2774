/** A package that was made on this machine, put where those from providers are. */
import { mkdir, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";

import { configuration } from "../configuration.js";
import { syncFolder, temporaryName } from "./files/durable.js";
import { withFileLock } from "./files/lock.js";
import { guardStorage } from "./files/storage-errors.js";
import { storeLayout } from "./store-layout.js";

export interface OwnPackage {
  readonly home: string;
  readonly modelId: string;
  readonly packageId: string;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Replaces the folder at `directory` by what `fill` writes into an empty one: others see the old folder, or the new one as a whole, and
 * for a moment none.
 * @throws CacheStorageError
 */
async function replaceFolder(directory: string, fill: (directory: string) => Promise<void>): Promise<void> {
  const temporary = temporaryName(directory);
  try {
    await guardStorage(directory, () => mkdir(temporary, { recursive: true }));
    await fill(temporary);
    await guardStorage(directory, async () => {
      await rm(directory, { recursive: true, force: true });
      await rename(temporary, directory);
      await syncFolder(dirname(directory));
    });
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

/**
 * Makes a package of a model in the cache, in place of one with the same id. One process at a time does so for a package.
 * @returns its folder
 * @throws CacheStorageError, FileLockTimeoutError, InsecureModelIdentifierError, what `fill` throws
 */
export async function storeOwnPackage(
  { home, modelId, packageId, signal }: OwnPackage,
  fill: (directory: string) => Promise<void>,
): Promise<string> {
  const layout = storeLayout(home);
  const directory = layout.packageDirectory(modelId, packageId);
  const lock = { timeoutSeconds: configuration().cache.lockTimeoutSeconds, signal };
  await withFileLock(layout.packageLock(modelId, packageId), lock, () => replaceFolder(directory, fill));
  return directory;
}
