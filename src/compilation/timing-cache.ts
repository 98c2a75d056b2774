/** What the builder has measured, kept in a file that several builds may share. */
import { readFile } from "node:fs/promises";

import { configuration } from "../configuration.js";
import { combineTimingCaches, type CompiledNetwork, type TensorRtBuildSettings } from "../engines/index.js";
import { CacheStorageError } from "../errors.js";
import { logger } from "../logger.js";
import { withFileLock, writeFileDurably } from "../store/index.js";

export interface TimingCacheReport {
  readonly path: string;
  /** `new`: there was no file. `used`: its measurements were. `replaced`: they were of another GPU or release of TensorRT. */
  readonly state: "new" | "used" | "replaced";
  /** False when the file could not be written, which a warning explains; the engine is whole all the same. */
  readonly saved: boolean;
  readonly bytes: number;
}

/** Empty when there is no file. */
export async function readTimingCache(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return new Uint8Array();
    throw new CacheStorageError(`The timing cache ${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`, {
      path,
      cause: error,
    });
  }
}

interface Saving {
  readonly path: string;
  /** What the build began with. */
  readonly before: Uint8Array;
  readonly settings: TensorRtBuildSettings;
  readonly signal: AbortSignal | undefined;
}

/** Puts what was measured beside what other builds have put there meanwhile. Rejects only with the signal's reason. */
export async function saveTimingCache(
  { bytes, refused }: NonNullable<CompiledNetwork["timingCache"]>,
  { path, before, settings, signal }: Saving,
): Promise<TimingCacheReport> {
  const state = refused ? "replaced" : before.length === 0 ? "new" : "used";
  const lock = { timeoutSeconds: configuration().cache.lockTimeoutSeconds, signal };
  try {
    const written = await withFileLock(`${path}.lock`, lock, async () => {
      const now = await readTimingCache(path);
      const merged = now.length === 0 || Buffer.compare(now, before) === 0 ? bytes : await joined(now, bytes, path, settings);
      await writeFileDurably(path, merged);
      return merged.length;
    });
    return { path, state, saved: true, bytes: written };
  } catch (error) {
    signal?.throwIfAborted();
    logger().warn(`The timing cache ${path} was not saved. ${error instanceof Error ? error.message : String(error)}`);
    return { path, state, saved: false, bytes: bytes.length };
  }
}

/** What was there belongs to this machine or not: if not, it gives way. */
async function joined(now: Uint8Array, bytes: Uint8Array, path: string, settings: TensorRtBuildSettings): Promise<Uint8Array> {
  try {
    return await combineTimingCaches(now, bytes, settings);
  } catch (error) {
    logger().warn(`The timing cache ${path} is replaced. ${error instanceof Error ? error.message : String(error)}`);
    return bytes;
  }
}
