/** Reading files of the cache that others may have put there: never through links, and never while they change. */
import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { lstat, open, type FileHandle } from "node:fs/promises";

import { CorruptedModelPackageError } from "../errors.js";

/** Opens a regular file that is no link. @throws CorruptedModelPackageError, or the system's error when there is none */
async function openRegularFile(path: string): Promise<FileHandle> {
  const before = await lstat(path);
  if (!before.isFile()) throw corrupted(path, "it is not a regular file");
  // O_NOFOLLOW does not exist on Windows; there, and between the two calls, the identity tells whether it is still the same file.
  const file = await open(path, constants.O_RDONLY | ((constants.O_NOFOLLOW as number | undefined) ?? 0));
  const opened = await file.stat();
  if (opened.isFile() && opened.ino === before.ino && opened.dev === before.dev) return file;
  await file.close();
  throw corrupted(path, "it was replaced while it was opened");
}

function corrupted(path: string, problem: string): CorruptedModelPackageError {
  return new CorruptedModelPackageError(`${path} was not read: ${problem}.`, { path, kind: "artefact" });
}

/** Text of a small file. @throws CorruptedModelPackageError, or the system's error */
export async function readSmallFile(path: string, maximumBytes: number): Promise<string> {
  const file = await openRegularFile(path);
  try {
    const { size } = await file.stat();
    if (size > maximumBytes) throw corrupted(path, `it has ${size} bytes, and at most ${maximumBytes} are read`);
    return new TextDecoder("utf-8", { fatal: true }).decode(await file.readFile());
  } finally {
    await file.close();
  }
}

/** What tells that a file is still the one that was hashed. */
interface State {
  readonly identity: string;
  readonly md5: string;
}

/** Engines have gigabytes and are asked about with each answer: one hash per process and content is enough. */
const hashed = new Map<string, State>();
const MAXIMUM_REMEMBERED = 1000;

async function identityOf(file: FileHandle): Promise<string> {
  const { dev, ino, size, mtimeNs, ctimeNs } = await file.stat({ bigint: true });
  return [dev, ino, size, mtimeNs, ctimeNs].join(":");
}

/** MD5 of a regular file. @throws CorruptedModelPackageError when it is a link or changes meanwhile, or the system's error */
export async function md5OfFile(path: string): Promise<string> {
  const file = await openRegularFile(path);
  try {
    const identity = await identityOf(file);
    const known = hashed.get(path);
    if (known?.identity === identity) return known.md5;
    const hash = createHash("md5");
    for await (const piece of file.createReadStream({ autoClose: false, start: 0, highWaterMark: 1024 * 1024 }))
      hash.update(piece as Buffer);
    if ((await identityOf(file)) !== identity) throw corrupted(path, "it changed while it was read");
    const md5 = hash.digest("hex");
    if (hashed.size >= MAXIMUM_REMEMBERED) hashed.clear();
    hashed.set(path, { identity, md5 });
    return md5;
  } finally {
    await file.close();
  }
}

/** Whether there is a regular file; `follow`: links to one count too. */
export async function isRegularFile(path: string): Promise<boolean> {
  return lstat(path).then(
    (status) => status.isFile(),
    () => false,
  );
}

/** Whether there is a folder that is no link. */
export async function isRealDirectory(path: string): Promise<boolean> {
  return lstat(path).then(
    (status) => status.isDirectory(),
    () => false,
  );
}
