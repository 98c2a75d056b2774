/** Writing so that a file is either whole or not there, whatever happens to the process or the power. */
import { randomUUID } from "node:crypto";
import { mkdir, open, readdir, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

import { guardStorage } from "./storage-errors.js";

/** A rename is on the disk only when its folder is. Systems that cannot do this order the two themselves. */
export async function syncFolder(path: string): Promise<void> {
  if (process.platform === "win32") return;
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } catch {
    // Some network file systems refuse; nothing better is to be had there.
  } finally {
    await folder.close();
  }
}

/** Moves a finished file to where others look for it. */
export async function publish(from: string, to: string): Promise<void> {
  await rename(from, to);
  await syncFolder(dirname(to));
}

const TEMPORARY_NAME = /^\..+\.[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\.lock$/;

/** A name next to `path` for a file that is not finished; file handles of packages cannot have it. */
export function temporaryName(path: string): string {
  return join(dirname(path), `.${basename(path).slice(0, 120)}.${randomUUID()}.lock`);
}

/**
 * Removes what writers left in a folder, and in those in it, that were killed before they were done. Only for who writes there alone:
 * a living writer's files look the same.
 */
export async function sweepTemporaryFiles(folder: string): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true, recursive: true })) {
    if (!entry.isDirectory() && TEMPORARY_NAME.test(entry.name)) await rm(join(entry.parentPath, entry.name), { force: true });
  }
}

/** Replaces the file as a whole; a link in its place is replaced, not followed. @throws CacheStorageError */
export async function writeFileDurably(path: string, content: string | Uint8Array): Promise<void> {
  await guardStorage(path, async () => {
    await mkdir(dirname(path), { recursive: true });
    const temporary = temporaryName(path);
    try {
      const file = await open(temporary, "wx", 0o644);
      try {
        await file.writeFile(content);
        await file.sync();
      } finally {
        await file.close();
      }
      await publish(temporary, path);
    } finally {
      await rm(temporary, { force: true });
    }
  });
}
