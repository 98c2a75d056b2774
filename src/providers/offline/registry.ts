/** The records of models for offline use, a file each. */
import { lstat, mkdir, readdir } from "node:fs/promises";
import { dirname, join } from "node:path";

import { configuration } from "../../configuration.js";
import { CorruptedModelPackageError } from "../../errors.js";
import { logger } from "../../logger.js";
import { cacheLayout, inferenceHome } from "../../packages/index.js";
import { withFileLock, writeFileDurably } from "../../store/index.js";
import { parseJson } from "../../wire.js";
import { isRealDirectory, readSmallFile } from "../files.js";
import {
  deserializeRecord,
  FORMAT_VERSION,
  mergeLoad,
  recordablePackages,
  serializeRecord,
  type OfflineLoad,
  type OfflineRecord,
} from "./record.js";
import { asObject } from "./wire.js";

const MAXIMUM_BYTES = 16 * 1024 * 1024;

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** null when there is none that this version understands. A warning says so, unless there is none at all. */
async function readRecord(path: string): Promise<OfflineRecord | null> {
  try {
    const value = parseJson(await readSmallFile(path, MAXIMUM_BYTES), { path });
    const version = asObject(value)?.["format_version"];
    if (typeof version !== "number" || !Number.isInteger(version)) throw new TypeError("it has no format_version");
    if (version > FORMAT_VERSION) throw new TypeError(`it has format ${version}, and this version reads ${FORMAT_VERSION} at most`);
    const record = deserializeRecord(value);
    if (record === null) throw new TypeError("it names no model");
    return record;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return null;
    logger().warn(`The offline record ${path} is ignored: ${messageOf(error)}`);
    return null;
  }
}

/** All readable records, by the names of their files. */
export async function readAllRecords(home: string = inferenceHome()): Promise<readonly OfflineRecord[]> {
  const directory = cacheLayout(home).offlineRegistry;
  if (!(await isRealDirectory(directory))) return [];
  const names = (await readdir(directory)).filter((name) => name.endsWith(".json") && !name.startsWith(".")).sort();
  const records = await Promise.all(names.map((name) => readRecord(join(directory, name))));
  return records.filter((record) => record !== null);
}

/** The record of a model, by its id or one of its aliases; null when there is none. */
export async function findOfflineRecord(modelId: string, home: string = inferenceHome()): Promise<OfflineRecord | null> {
  const layout = cacheLayout(home);
  if (!(await isRealDirectory(layout.offlineRegistry))) return null;
  const record = await readRecord(layout.offlineRecord(modelId));
  if (record !== null) return record;
  return (await readAllRecords(home)).find(({ requestedAliases }) => requestedAliases.includes(modelId)) ?? null;
}

export interface RecordOptions {
  readonly home?: string;
  readonly lockTimeoutSeconds?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly now?: () => Date;
}

/**
 * Remembers a successful load for offline use; whether it was recorded. Nothing about it makes a load fail: what goes wrong is logged.
 * A package without hashes cannot be verified later and is left out; when it is the loaded one, nothing is recorded.
 */
export async function recordOfflineLoad(
  load: OfflineLoad,
  { home = inferenceHome(), lockTimeoutSeconds, signal, now = () => new Date() }: RecordOptions = {},
): Promise<boolean> {
  const { metadata, packageId } = load;
  const path = cacheLayout(home).offlineRecord(metadata.modelId);
  const left = metadata.modelPackages.filter((known) => !recordablePackages(metadata).includes(known)).map((known) => known.packageId);
  if (left.length > 0)
    logger().warn(`Without hashes, these packages of "${metadata.modelId}" are not recorded for offline use: ${left.join(", ")}.`);
  if (!recordablePackages(metadata).some((known) => known.packageId === packageId)) return false;
  try {
    const directory = dirname(path);
    await mkdir(directory, { recursive: true });
    if (!(await isRealDirectory(directory))) throw new CorruptedModelPackageError(`${directory} is not a folder.`, { path: directory });
    const lock = { timeoutSeconds: lockTimeoutSeconds ?? configuration().cache.lockTimeoutSeconds, signal };
    // Records of other processes are merged, so nobody may write between reading and writing.
    return await withFileLock(`${path}.lock`, lock, async () => {
      const status = await lstat(path).catch(() => null);
      if (status?.isDirectory() === true) throw new CorruptedModelPackageError(`${path} is a folder.`, { path });
      const known = await readRecord(path);
      const earlier = known?.canonicalModelId === metadata.modelId ? known : null;
      await writeFileDurably(path, `${JSON.stringify(withSortedKeys(serializeRecord(mergeLoad(earlier, load, now()))), null, 2)}\n`);
      return true;
    });
  } catch (error) {
    logger().warn(`The load of "${metadata.modelId}" was not recorded for offline use: ${messageOf(error)}`);
    return false;
  }
}

function withSortedKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withSortedKeys);
  const object = asObject(value);
  if (object === null) return value;
  return Object.fromEntries(
    Object.entries(object)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, element]) => [key, withSortedKeys(element)]),
  );
}
