import { join } from "node:path";

import { UntrustedFileError } from "../../errors.js";
import { requireArtefactHandle } from "../../packages/index.js";

export interface FileToDownload {
  readonly fileHandle: string;
  readonly downloadUrl: string;
  readonly md5Hash: string | null;
}

export type NameAfter = "file_handle" | "md5_hash";

/**
 * Where each file goes; of several with the same handle, the last one counts.
 * @throws UntrustedFileError when a file is to be named after a hash that it does not have, CorruptedModelPackageError for handles that are
 * no safe paths.
 */
export function targetPaths(folder: string, files: readonly FileToDownload[], nameAfter: NameAfter): Readonly<Record<string, string>> {
  const unnamed = files.filter(({ md5Hash }) => md5Hash === null).map(({ fileHandle }) => fileHandle);
  if (nameAfter === "md5_hash" && unnamed.length > 0) {
    throw new UntrustedFileError(`Files without a hash cannot be named after it: ${unnamed.join(", ")}. Name them after their handle.`, {
      files: unnamed,
    });
  }
  return Object.fromEntries(
    files.map(({ fileHandle, md5Hash }) => {
      const parts = requireArtefactHandle(fileHandle).split("/");
      return [fileHandle, nameAfter === "md5_hash" && md5Hash !== null ? join(folder, md5Hash) : join(folder, ...parts)];
    }),
  );
}
