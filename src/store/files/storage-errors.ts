/** What the system says about a full or closed disk, as an error that says what to do. */
import { CacheStorageError } from "../../errors.js";
import { humanReadableSize } from "../human-readable-size.js";

const REASONS: Readonly<Record<string, string>> = {
  ENOSPC: "The disk is full",
  EDQUOT: "The quota of the disk is used up",
  EFBIG: "The file would become larger than this file system or process may write",
  EROFS: "The file system is read-only",
  EACCES: "This process has no permission to write there",
  EPERM: "The system does not allow it",
  ENAMETOOLONG: "The path is too long for this file system",
  ENOTDIR: "A part of the path is not a folder",
};

export function errorCode(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException | null)?.code;
}

/** Whether writing failed because of the disk, not of what was written. */
export function isStorageFailure(error: unknown): boolean {
  return Object.hasOwn(REASONS, errorCode(error) ?? "");
}

export function storageError(path: string, error: unknown, bytesNeeded?: number): CacheStorageError {
  const reason = REASONS[errorCode(error) ?? ""] ?? (error instanceof Error ? error.message : String(error));
  const needed = bytesNeeded === undefined ? "" : ` ${humanReadableSize(bytesNeeded)} more were needed.`;
  return new CacheStorageError(
    `Cannot write ${path}. ${reason}.${needed} Free some space, or put the cache elsewhere with INFERENCE_HOME. Nothing unfinished was left behind as finished.`,
    { path, cause: error, ...(bytesNeeded === undefined ? {} : { bytesNeeded }) },
  );
}

/** Runs `work`; failures of the disk become a {@link CacheStorageError} about `path`, everything else stays what it is. */
export async function guardStorage<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw isStorageFailure(error) ? storageError(path, error) : error;
  }
}
