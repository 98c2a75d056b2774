/** What of a recorded model is on disk. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { join } from "node:path";

import { cacheLayout, inferenceHome, requireArtefactHandle, type ModelPackageMetadata } from "../../packages/index.js";
import { findOfflineRecord, readAllRecords } from "./registry.js";
import type { OfflinePackage, OfflineRecord } from "./record.js";

/**
 * `ok`: all files are there. `incomplete`: some. `missing`: not even the package's folder. `malformed`: the record does not tell which
 * files there should be.
 */
export type PackagePresence = "ok" | "incomplete" | "missing" | "malformed";

export interface OfflinePackageStatus {
  readonly packageId: string | null;
  /** null when the record does not tell. */
  readonly trustedSource: boolean | null;
  readonly presence: PackagePresence;
  readonly missingFiles: readonly string[];
}

export interface OfflineModelStatus {
  readonly canonicalModelId: string;
  readonly requestedAliases: readonly string[];
  readonly source: string | null;
  /** ISO 8601. */
  readonly recordedAt: string | null;
  /** Package id to the time of its last successful load. */
  readonly proven: Readonly<Record<string, string>>;
  readonly packages: readonly OfflinePackageStatus[];
}

export interface OfflineArtefactStatus {
  readonly canonicalModelId: string;
  readonly packageId: string;
  readonly fileHandle: string;
  /** The last two are only found out when hashes are checked. */
  readonly status: "ok" | "missing" | "hash-mismatch" | "unreadable";
}

/** Folder of a recorded package; null when its id is none that could have a folder. */
function folderOf(record: OfflineRecord, { packageId, cacheModelId }: ModelPackageMetadata, home: string): string | null {
  try {
    return cacheLayout(home).packageDirectory(cacheModelId ?? record.canonicalModelId, packageId);
  } catch {
    return null;
  }
}

/** Path of a recorded file; null when its name would lead out of the folder. */
function pathOf(folder: string | null, fileHandle: string): string | null {
  try {
    return folder === null ? null : join(folder, requireArtefactHandle(fileHandle));
  } catch {
    return null;
  }
}

/** Links are followed: files of a package are links to where they are stored once. */
async function exists(path: string | null, kind: "file" | "folder"): Promise<boolean> {
  if (path === null) return false;
  return stat(path).then(
    (status) => (kind === "file" ? status.isFile() : status.isDirectory()),
    () => false,
  );
}

async function statusOf(record: OfflineRecord, { packageId, metadata }: OfflinePackage, home: string): Promise<OfflinePackageStatus> {
  if (metadata === null) return { packageId, trustedSource: null, presence: "malformed", missingFiles: [] };
  const { trustedSource, packageArtefacts } = metadata;
  const folder = folderOf(record, metadata, home);
  if (!(await exists(folder, "folder"))) return { packageId, trustedSource, presence: "missing", missingFiles: [] };
  const missingFiles: string[] = [];
  for (const { fileHandle } of packageArtefacts) if (!(await exists(pathOf(folder, fileHandle), "file"))) missingFiles.push(fileHandle);
  return { packageId, trustedSource, presence: missingFiles.length === 0 ? "ok" : "incomplete", missingFiles };
}

/** The recorded packages all of whose files are there. */
export async function presentPackages(record: OfflineRecord, home: string): Promise<readonly ModelPackageMetadata[]> {
  const present: ModelPackageMetadata[] = [];
  for (const entry of record.packages) {
    if (entry.metadata !== null && (await statusOf(record, entry, home)).presence === "ok") present.push(entry.metadata);
  }
  return present;
}

/** What could be loaded offline: all recorded models and which of their files are there. `home`: the cache's folder. */
export async function listOfflineModels({ home = inferenceHome() }: { readonly home?: string } = {}): Promise<
  readonly OfflineModelStatus[]
> {
  const models: OfflineModelStatus[] = [];
  for (const record of await readAllRecords(home)) {
    const packages: OfflinePackageStatus[] = [];
    for (const entry of record.packages) packages.push(await statusOf(record, entry, home));
    const { canonicalModelId, requestedAliases, source, recordedAt, proven } = record;
    models.push({ canonicalModelId, requestedAliases, source, recordedAt, proven, packages });
  }
  return models;
}

/** MD5 of a file, links followed; null when it cannot be read. */
async function hashOf(path: string): Promise<string | null> {
  const hash = createHash("md5");
  try {
    for await (const piece of createReadStream(path, { highWaterMark: 1024 * 1024 })) hash.update(piece as Buffer);
  } catch {
    return null;
  }
  return hash.digest("hex");
}

export interface VerifyOptions {
  /** Reads every file as a whole. Default false: only whether it is there. */
  readonly checkHashes?: boolean;
  readonly home?: string;
}

/** Every file of a recorded model, by its id or one of its aliases; empty when there is no record. */
export async function verifyOfflineModel(modelId: string, options: VerifyOptions = {}): Promise<readonly OfflineArtefactStatus[]> {
  const { home = inferenceHome() } = options;
  const record = await findOfflineRecord(modelId, home);
  return record === null ? [] : verifyRecord(record, { ...options, home });
}

export async function verifyRecord(
  record: OfflineRecord,
  { checkHashes = false, home = inferenceHome() }: VerifyOptions,
): Promise<readonly OfflineArtefactStatus[]> {
  const statuses: OfflineArtefactStatus[] = [];
  for (const { metadata } of record.packages) {
    if (metadata === null) continue;
    const folder = folderOf(record, metadata, home);
    for (const { fileHandle, md5Hash } of metadata.packageArtefacts) {
      const path = pathOf(folder, fileHandle);
      const status = path !== null && (await exists(path, "file")) ? await verifyFile(path, checkHashes ? md5Hash : null) : "missing";
      statuses.push({ canonicalModelId: record.canonicalModelId, packageId: metadata.packageId, fileHandle, status });
    }
  }
  return statuses;
}

async function verifyFile(path: string, md5Hash: string | null): Promise<OfflineArtefactStatus["status"]> {
  if (md5Hash === null) return "ok";
  const actual = await hashOf(path);
  if (actual === null) return "unreadable";
  return actual === md5Hash ? "ok" : "hash-mismatch";
}
