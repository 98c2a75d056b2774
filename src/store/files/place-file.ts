/** How a blob becomes a file of a package. */
import { copyFile, link, lstat, mkdir, open, readlink, realpath, rename, rm, symlink } from "node:fs/promises";
import { dirname, join, relative, resolve, sep } from "node:path";

import { CorruptedModelPackageError } from "../../errors.js";
import type { StoreObserver } from "../types.js";
import { temporaryName } from "./durable.js";
import { errorCode } from "./storage-errors.js";

/** A symbolic link, where the system lets us; else a second name of the same file; else a copy. */
export type PlacementKind = "symlink" | "hard-link" | "copy";

/** What the file of a package is, compared with the blob it should be; "other" = anything else that exists. */
export async function placementOf(path: string, blob: string): Promise<PlacementKind | "missing" | "foreign-link" | "other"> {
  const status = await lstat(path, { bigint: true }).catch((error: unknown) => {
    if (["ENOENT", "ENOTDIR"].includes(errorCode(error) ?? "")) return null;
    throw error;
  });
  if (status === null) return "missing";
  if (status.isSymbolicLink()) return (await leadsTo(path, blob)) ? "symlink" : "foreign-link";
  if (!status.isFile()) return "other";
  const original = await lstat(blob, { bigint: true }).catch(() => null);
  return original !== null && original.ino === status.ino && original.dev === status.dev ? "hard-link" : "copy";
}

/** Also when the cache was reached by another path when the link was made. */
async function leadsTo(link: string, blob: string): Promise<boolean> {
  if (resolve(dirname(link), await readlink(link)) === blob) return true;
  const [target, expected] = await Promise.all([link, blob].map((path) => realpath(path).catch(() => null)));
  return target != null && target === expected;
}

/** Folder of a file inside the package; a link on the way that leads out of it is refused. @throws CorruptedModelPackageError */
export async function makeFolderInside(directory: string, handle: string): Promise<string> {
  const path = join(directory, ...handle.split("/"));
  const folder = dirname(path);
  await mkdir(folder, { recursive: true });
  const way = relative(await realpath(directory), await realpath(folder));
  if (way === ".." || way.startsWith(`..${sep}`) || resolve(way) === way) {
    throw new CorruptedModelPackageError(
      `The folder of "${handle}" in ${directory} is a link that leads out of the package. Remove ${directory}; it is built anew.`,
      { path: folder, kind: "artefact" },
    );
  }
  return path;
}

/** Puts the blob at `path`, replacing what is there, in one step. */
export async function placeBlob(blob: string, path: string, observer?: StoreObserver): Promise<PlacementKind> {
  const temporary = temporaryName(path);
  try {
    const kind = await create(blob, temporary);
    await rename(temporary, path);
    if (kind === "symlink") observer?.onSymlinkCreated?.(blob, path);
    else observer?.onFileCreated?.(path);
    return kind;
  } finally {
    // Renaming one hard link onto another of the same file does nothing, and leaves both.
    await rm(temporary, { force: true });
  }
}

const NOT_ALLOWED = ["EPERM", "EACCES", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EINVAL", "EXDEV", "EMLINK", "UNKNOWN"];

async function create(blob: string, path: string): Promise<PlacementKind> {
  try {
    await symlink(blob, path);
    return "symlink";
  } catch (error) {
    if (!NOT_ALLOWED.includes(errorCode(error) ?? "")) throw error;
  }
  try {
    await link(blob, path);
    return "hard-link";
  } catch (error) {
    if (!NOT_ALLOWED.includes(errorCode(error) ?? "")) throw error;
  }
  await copyFile(blob, path);
  const copy = await open(path, "r+");
  await copy.sync().finally(() => copy.close());
  return "copy";
}
