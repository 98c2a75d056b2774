/**
 * The unfinished part of a file, which the next attempt goes on with, be it in another process. Each download writes to a file of its own,
 * named after its process, so that two downloads of the same file (which a lock prevents, but nothing relies on that) never mix; what a
 * dead process has left is taken over by renaming it, which only one can do.
 */
import { createHash, randomUUID } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm, rmdir, stat, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

import * as z from "zod";

import { hashContent } from "../canonical-json.js";
import { canonicalDownloadSource } from "../download-source.js";
import { formatIdentity, livenessOf, ownIdentity, parseIdentity } from "../process-identity.js";
import type { Validators } from "./answers.js";

const LONGEST_NAME = 200;
/** Of what its process has given up, and anybody may take. */
const FREE = "free";

const schema = z.object({
  md5: z.string(),
  source: z.string(),
  etag: z.string().nullable(),
  lastModified: z.string().nullable(),
  length: z.number().int().nonnegative().nullable(),
});

/** Beside the target, under a name that no file of a package can have. */
export function partialFolder(target: string): string {
  const name = basename(target);
  const short = name.length > LONGEST_NAME ? createHash("sha256").update(name).digest("hex") : name;
  return join(dirname(target), `.${short}.partial.lock`);
}

export interface PartialFile {
  readonly path: string;
  /** Of the content that the bytes belong to; null when the file is new. */
  readonly validators: Validators | null;
  /** Notes what the next bytes belong to. */
  note(validators: Validators): Promise<void>;
  /** Leaves the file to whoever downloads it next. */
  leave(): Promise<void>;
  remove(): Promise<void>;
}

export interface PartialOrigin {
  readonly target: string;
  readonly url: string;
  /** null: the content is known by nothing but its address, and other processes' bytes are not gone on with. */
  readonly md5: string | null;
}

/** A file to go on with, or a new one. */
export async function openPartial({ target, url, md5 }: PartialOrigin): Promise<PartialFile> {
  const folder = partialFolder(target);
  const name = `${formatIdentity(ownIdentity())}.${randomUUID()}`;
  const [path, record] = [join(folder, `${name}.data`), join(folder, `${name}.json`)];
  const source = hashContent({ download_source: canonicalDownloadSource(url) });
  await mkdir(folder, { recursive: true });
  const adopted = await adopt(folder, path, record, md5);
  const remove = async (): Promise<void> => {
    await rm(path, { force: true });
    await rm(record, { force: true });
    await rmdir(folder).catch(() => undefined);
  };
  return {
    path,
    // Another address has other validators; what remains is the length, and the hash in the end.
    validators: adopted === null || adopted.source === source ? adopted : { etag: null, lastModified: null, length: adopted.length },
    note: async ({ etag, lastModified, length }) => {
      if (md5 !== null) await writeFile(record, JSON.stringify({ md5, source, etag, lastModified, length }));
    },
    leave: async () => {
      if (md5 === null) return remove();
      const free = join(folder, `${FREE}.${randomUUID()}`);
      await rename(record, `${free}.json`).catch(() => undefined);
      await rename(path, `${free}.data`).catch(() => undefined);
    },
    remove,
  };
}

type PartialRecord = z.infer<typeof schema>;

/** Takes over the largest usable remains, and removes the others that nobody owns any more. */
async function adopt(folder: string, path: string, record: string, md5: string | null): Promise<PartialRecord | null> {
  const names = (await readdir(folder)).filter(isOrphan).map((name) => name.replace(/\.(?:data|json)$/, ""));
  const remains = await Promise.all([...new Set(names)].map(async (name) => ({ name, ...(await inspect(join(folder, name), md5)) })));
  remains.sort((a, b) => b.bytes - a.bytes);
  let taken: PartialRecord | null = null;
  for (const { name, known } of remains) {
    const old = join(folder, name);
    if (taken === null && known !== null && (await succeeds(rename(`${old}.data`, path)))) {
      taken = known;
      // Dying between the two leaves bytes without a record, which nobody uses.
      await rename(`${old}.json`, record).catch(() => undefined);
    } else {
      await rm(`${old}.data`, { force: true });
      await rm(`${old}.json`, { force: true });
    }
  }
  return taken;
}

function isOrphan(name: string): boolean {
  const identity = parseIdentity(name);
  return identity === null ? name.startsWith(`${FREE}.`) : livenessOf(identity) === "dead";
}

async function inspect(path: string, md5: string | null): Promise<{ readonly bytes: number; readonly known: PartialRecord | null }> {
  try {
    const { size } = await stat(`${path}.data`);
    const known = schema.parse(JSON.parse(await readFile(`${path}.json`, "utf8")));
    const isUsable = md5 !== null && known.md5 === md5 && size > 0 && size <= (known.length ?? Infinity);
    return { bytes: size, known: isUsable ? known : null };
  } catch {
    return { bytes: 0, known: null };
  }
}

async function succeeds(work: Promise<unknown>): Promise<boolean> {
  return work.then(
    () => true,
    () => false,
  );
}
