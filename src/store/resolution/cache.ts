/** Remembers what requests were resolved to, so that a load seen before needs no network, no negotiation and no hashing. */
import { lstat, readFile, readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";

import { configuration } from "../../configuration.js";
import { InvalidParameterError } from "../../errors.js";
import { cacheLayout, inferenceHome } from "../../packages/index.js";
import { writeFileDurably } from "../files/durable.js";
import { formatEntry, parseEntry, parseTime, type AutoResolutionCacheEntry } from "./entry.js";

/** What a load asks of a cache; one of your own may keep its entries elsewhere. Errors count as misses. */
export interface AutoResolutionCache {
  register(hash: string, entry: AutoResolutionCacheEntry): Promise<void>;
  retrieve(hash: string): Promise<AutoResolutionCacheEntry | null>;
  invalidate(hash: string): Promise<void>;
  /** Hashes of the entries of a model, newest first; `credential`: only those made with this key. */
  findModelCandidates?(modelId: string, credential?: string | null): Promise<readonly string[]>;
}

export interface FileResolutionCacheOptions {
  /** Default that of the configuration. */
  readonly home?: string;
  /** Entries are read whatever their age, and none is written or removed. */
  readonly offline?: boolean;
  /** Default: configuration. */
  readonly expirationMinutes?: number;
  /** For tests. */
  readonly now?: () => Date;
}

const MAXIMUM_BYTES = 4 << 20;

/** @throws InvalidParameterError for a hash that would not be a plain file name */
export function resolutionCachePath(home: string, hash: string): string {
  if (!/^[A-Za-z0-9_-]+$/.test(hash)) {
    throw new InvalidParameterError("The hash of a request consists of letters, digits, underscores and hyphens.", { parameter: "hash" });
  }
  return join(cacheLayout(home).autoResolutionCache, `${hash}.json`);
}

/** null: no such file, or no plain one. */
async function read(path: string): Promise<{ readonly entry: AutoResolutionCacheEntry | null } | null> {
  try {
    const status = await lstat(path);
    if (!status.isFile()) return null;
    return { entry: status.size > MAXIMUM_BYTES ? null : parseEntry(await readFile(path, "utf8")) };
  } catch {
    return null;
  }
}

/** A file per request under `auto-resolution-cache/`. */
export class FileResolutionCache implements AutoResolutionCache {
  private readonly home: string;
  private readonly offline: boolean;
  private readonly now: () => Date;
  private readonly expirationMinutes: number | undefined;

  constructor({ home, offline = false, expirationMinutes, now = () => new Date() }: FileResolutionCacheOptions = {}) {
    this.home = home ?? inferenceHome();
    this.offline = offline;
    this.expirationMinutes = expirationMinutes;
    this.now = now;
  }

  /** @throws CacheStorageError */
  async register(hash: string, entry: AutoResolutionCacheEntry): Promise<void> {
    if (this.offline) return;
    await writeFileDurably(resolutionCachePath(this.home, hash), formatEntry(entry));
  }

  async retrieve(hash: string): Promise<AutoResolutionCacheEntry | null> {
    const path = resolutionCachePath(this.home, hash);
    const found = await read(path);
    if (found === null) return null;
    if (found.entry !== null && (this.offline || this.isFresh(found.entry))) return found.entry;
    await this.invalidate(hash);
    return null;
  }

  async invalidate(hash: string): Promise<void> {
    if (this.offline) return;
    // On a read-only disk the entry stays, and is a miss every time.
    await rm(resolutionCachePath(this.home, hash), { force: true }).catch(() => undefined);
  }

  async findModelCandidates(modelId: string, credential?: string | null): Promise<readonly string[]> {
    const folder = cacheLayout(this.home).autoResolutionCache;
    const names = await readdir(folder).catch(() => []);
    const hashes = names.flatMap((name) => /^([0-9a-f]{64})\.json$/.exec(name)?.[1] ?? []).sort();
    const entries = await Promise.all(
      hashes.map(async (hash) => ({ hash, entry: (await read(join(folder, `${hash}.json`)))?.entry ?? null })),
    );
    return entries
      .flatMap(({ hash, entry }) => (entry === null ? [] : [{ hash, entry }]))
      .filter(({ entry }) => entry.modelId === modelId && (this.offline || this.isFresh(entry)))
      .filter(({ entry }) => credential === undefined || entry.credentialHash === credential)
      .sort((a, b) => (parseTime(b.entry.createdAt) ?? 0) - (parseTime(a.entry.createdAt) ?? 0))
      .map(({ hash }) => hash);
  }

  /**
   * In both directions: an entry from further ahead than it may be old was written by a clock that was wrong, or is read by one that is.
   * One from a little ahead (machines that share a cache never quite agree) lives for at most twice its time.
   */
  private isFresh({ createdAt }: AutoResolutionCacheEntry): boolean {
    const minutes = this.expirationMinutes ?? configuration().cache.resolutionExpirationMinutes;
    const created = parseTime(createdAt);
    return created !== null && Math.abs(this.now().getTime() - created) <= minutes * 60_000;
  }
}

export type ResolutionRefusal = "other-model" | "other-credential" | "untrusted" | "missing-files";

/**
 * Why an entry must not be used for a request, or null. "untrusted" alone says nothing against the entry itself: it may serve another
 * request; after any other the entry is of no use.
 */
export async function refuseEntry(
  entry: AutoResolutionCacheEntry,
  request: { readonly modelId: string; readonly credentialHash: string; readonly allowUntrustedPackages: boolean },
): Promise<ResolutionRefusal | null> {
  if (entry.modelId !== request.modelId) return "other-model";
  if (entry.credentialHash !== request.credentialHash) return "other-credential";
  if (entry.trustedSource !== true && !request.allowUntrustedPackages) return "untrusted";
  const exist = await Promise.all(
    entry.resolvedFiles.map((path) =>
      stat(path).then(
        () => true,
        () => false,
      ),
    ),
  );
  return exist.every(Boolean) ? null : "missing-files";
}
