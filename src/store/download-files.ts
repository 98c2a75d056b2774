/** Helpers for custom models and providers: files into a folder, and files of a folder by name. */
import { mkdir, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";

import { configuration } from "../configuration.js";
import { CorruptedModelPackageError, FileHashSumMismatchError, InvalidParameterError, UntrustedFileError } from "../errors.js";
import { isMd5, requirePackageFiles } from "../packages/index.js";
import { all, withinBudget } from "./download/budget.js";
import { fetchFile } from "./download/fetch-file.js";
import { callProgress } from "./download/progress.js";
import { targetPaths, type FileToDownload, type NameAfter } from "./download/target-paths.js";
import { hashFile } from "./files/hash-file.js";
import { withFileLock } from "./files/lock.js";
import { makeFolderInside } from "./files/place-file.js";
import { guardStorage } from "./files/storage-errors.js";
import type { MaterializeOptions } from "./types.js";

export interface DownloadFilesOptions extends MaterializeOptions {
  /** Default `file_handle`. */
  readonly nameAfter?: NameAfter;
}

/**
 * Fetches files into a folder, each verified and put in its place whole; one that is there already stays, if it has the announced hash.
 * Returns handle to absolute path.
 * @throws as materializePackage does; InvalidParameterError
 */
export async function downloadFilesToDirectory(
  targetDirectory: string,
  files: readonly FileToDownload[],
  options: DownloadFilesOptions = {},
): Promise<Readonly<Record<string, string>>> {
  const { nameAfter = "file_handle", downloadFilesWithoutHash = false, verifyHashWhileDownload = true, observer, onProgress } = options;
  if (!["file_handle", "md5_hash"].includes(nameAfter)) {
    throw new InvalidParameterError('nameAfter is "file_handle" or "md5_hash".', { parameter: "nameAfter" });
  }
  const folder = resolve(targetDirectory);
  const paths = targetPaths(folder, files, nameAfter);
  checkHashes(files, downloadFilesWithoutHash);
  await guardStorage(folder, () => mkdir(folder, { recursive: true }));
  const unique = [...new Map(files.map((file) => [paths[file.fileHandle] ?? "", file]))];
  const progress = callProgress(unique.length, onProgress);
  await all(unique, options.signal, async ([target, { fileHandle: file, downloadUrl: url, md5Hash: md5 }], signal) => {
    if (nameAfter === "file_handle") await guardStorage(target, () => makeFolderInside(folder, file));
    const lock = join(dirname(target), `.${basename(target).slice(0, 200)}.node.lock`);
    const timeoutSeconds = options.lockTimeoutSeconds ?? configuration().cache.lockTimeoutSeconds;
    const onWait = ({ pid }: { readonly pid: number | null }) => onProgress?.({ type: "waiting-for-lock", path: lock, pid });
    await withFileLock(lock, { timeoutSeconds, signal, onWait }, async () => {
      if (await isThere(target, md5, signal)) return;
      const fetchOptions = { signal, progress: progress.file(file), hashWhileDownloading: verifyHashWhileDownload, observer };
      await withinBudget(() => fetchFile({ file, url, target, md5 }, fetchOptions));
    });
  });
  return paths;
}

function checkHashes(files: readonly FileToDownload[], allowUnhashed: boolean): void {
  const unhashed = files.filter(({ md5Hash }) => md5Hash === null).map(({ fileHandle }) => fileHandle);
  if (unhashed.length > 0 && !allowUnhashed) {
    throw new UntrustedFileError(`Files without a hash are refused: ${unhashed.join(", ")}. Allow them with downloadFilesWithoutHash.`, {
      files: unhashed,
    });
  }
  const malformed = files.find(({ md5Hash }) => md5Hash !== null && !isMd5(md5Hash));
  if (malformed === undefined) return;
  throw new CorruptedModelPackageError(`The MD5 of "${malformed.fileHandle}" is none: it must be 32 lower-case hexadecimal digits.`, {
    kind: "artefact",
  });
}

async function isThere(path: string, md5: string | null, signal: AbortSignal): Promise<boolean> {
  const status = await stat(path).catch(() => null);
  if (status?.isFile() !== true) return false;
  return md5 === null || (await hashFile(path, "md5", { signal })) === md5;
}

/** Paths of files that a package folder must have, by name. @throws CorruptedModelPackageError when one is missing */
export async function getModelPackageContents(directory: string, elements: readonly string[]): Promise<Readonly<Record<string, string>>> {
  return requirePackageFiles(directory, elements);
}

/** @throws FileHashSumMismatchError when the file's MD5 is another */
export async function verifyFileMd5(path: string, expected: string, options: { readonly signal?: AbortSignal } = {}): Promise<void> {
  const actual = await hashFile(path, "md5", options);
  if (actual === expected) return;
  throw new FileHashSumMismatchError(`${path} has the MD5 ${actual}, not the expected ${expected}. Fetch the file again.`, {
    expected,
    actual,
  });
}
