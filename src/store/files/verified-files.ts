/**
 * Remembers which files have been hashed, so that each content is read for it once and not at every load. A file counts as unchanged
 * while size, time of modification and inode are what they were; whoever can forge those could forge the memory as well.
 */
import { createHash } from "node:crypto";
import type { BigIntStats } from "node:fs";
import { mkdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";

import * as z from "zod";

import { hashFile, type HashAlgorithm } from "./hash-file.js";
import { temporaryName } from "./durable.js";

const schema = z.object({ path: z.string(), md5: z.string().optional(), sha256: z.string().optional(), stamp: z.string() });

function stampOf({ dev, ino, size, mtimeNs }: BigIntStats): string {
  return [dev, ino, size, mtimeNs].join(":");
}

export interface VerifiedFiles {
  /** Digest of the file, from memory where it has not changed. null when it is missing or no regular file. Links are followed. */
  digest(
    path: string,
    algorithm: HashAlgorithm,
    options?: { readonly signal?: AbortSignal | undefined; readonly onHash?: () => void },
  ): Promise<string | null>;
  /** A digest that was computed while the file was written. */
  remember(path: string, digests: { readonly md5?: string; readonly sha256?: string }): Promise<void>;
  forget(path: string): Promise<void>;
}

/** The memory of one cache. It is only ever a saving: where it cannot be written, files are hashed again. */
export function verifiedFiles(home: string): VerifiedFiles {
  const folder = join(home, "verified-files");
  const key = (path: string): string => relative(home, path);
  const recordOf = (path: string): string => join(folder, `${createHash("sha256").update(key(path)).digest("hex").slice(0, 40)}.json`);

  async function recall(path: string, stamp: string, algorithm: HashAlgorithm): Promise<string | null> {
    try {
      const record = schema.parse(JSON.parse(await readFile(recordOf(path), "utf8")));
      return record.path === key(path) && record.stamp === stamp ? (record[algorithm] ?? null) : null;
    } catch {
      return null;
    }
  }

  async function save(path: string, stamp: string, digests: { readonly md5?: string; readonly sha256?: string }): Promise<void> {
    const record = recordOf(path);
    const temporary = temporaryName(record);
    try {
      await mkdir(dirname(record), { recursive: true });
      await writeFile(temporary, JSON.stringify({ path: key(path), ...digests, stamp }));
      await rename(temporary, record);
    } catch {
      await rm(temporary, { force: true }).catch(() => undefined);
    }
  }

  return {
    async digest(path, algorithm, { signal, onHash } = {}) {
      const before = await stat(path, { bigint: true }).catch(() => null);
      if (before?.isFile() !== true) return null;
      const known = await recall(path, stampOf(before), algorithm);
      if (known !== null) return known;
      onHash?.();
      const digest = await hashFile(path, algorithm, { signal });
      const after = await stat(path, { bigint: true }).catch(() => null);
      // A file that changed while it was read has no digest to remember.
      if (after !== null && stampOf(after) === stampOf(before)) await save(path, stampOf(after), { [algorithm]: digest });
      return digest;
    },
    async remember(path, digests) {
      const status = await stat(path, { bigint: true }).catch(() => null);
      if (status !== null) await save(path, stampOf(status), digests);
    },
    async forget(path) {
      await rm(recordOf(path), { force: true }).catch(() => undefined);
    },
  };
}
