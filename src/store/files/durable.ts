/** Writing so that a file is either whole or not there, whatever happens to the process or the power. */
import { randomUUID } from "node:crypto";
import { open, rename, rm, mkdir } from "node:fs/promises";
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

/** A name next to `path` for a file that is not finished; file handles of packages cannot have it. */
export function temporaryName(path: string): string {
  return join(dirname(path), `.${basename(path).slice(0, 120)}.${randomUUID()}.lock`);
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
