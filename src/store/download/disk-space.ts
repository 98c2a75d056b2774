/** Whether a file fits on the disk, before it is fetched. */
import { statfs } from "node:fs/promises";

import { CacheStorageError } from "../../errors.js";
import { humanReadableSize } from "../human-readable-size.js";

/** Bytes that running downloads of this process will still write: parallel files must fit together. */
let promised = 0;

/** @throws CacheStorageError when fewer bytes are free. The result gives the promise back. */
export async function reserveSpace(folder: string, bytes: number, file: string): Promise<() => void> {
  const free = await statfs(folder).then(
    ({ bavail, bsize }) => bavail * bsize,
    // A file system that does not tell is tried.
    () => Infinity,
  );
  const available = Math.max(0, free - promised);
  if (bytes > available) {
    throw new CacheStorageError(
      `There is no room for ${file} in ${folder}: ${humanReadableSize(bytes)} are needed and ${humanReadableSize(available)} are free. ` +
        "Free some space (pruneCache), or put the cache elsewhere with INFERENCE_HOME.",
      { path: folder, bytesNeeded: bytes, bytesAvailable: available },
    );
  }
  promised += bytes;
  return () => {
    promised -= bytes;
  };
}
