/** How long builds have taken on this machine: what the next one is judged by. Kept in the cache, and never in a build's way. */
import { lstat, readFile } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";

import { configuration } from "../configuration.js";
import { logger } from "../logger.js";
import { inferenceHome } from "../packages/index.js";
import { withFileLock, writeFileDurably } from "../store/index.js";

/** Nobody waits longer; what claims more was not written here. */
const MONTH_SECONDS = 31 * 24 * 3600;

const text = z.string().max(256);
const count = z.number().int().nonnegative();

/** One build that succeeded. */
export interface BuildRecord {
  /** As the driver writes it. */
  readonly gpu: string;
  readonly computeCapability: string;
  readonly tensorRtVersion: string;
  readonly precision: "fp32" | "fp16" | "as-modelled";
  readonly heavyOperators: number;
  readonly profiles: number;
  /** Whether there were measurements of earlier builds to begin with. */
  readonly timingCacheUsed: boolean;
  readonly seconds: number;
}

const schema: z.ZodType<BuildRecord> = z.object({
  gpu: text,
  computeCapability: text,
  tensorRtVersion: text,
  precision: z.enum(["fp32", "fp16", "as-modelled"]),
  heavyOperators: count,
  profiles: count,
  timingCacheUsed: z.boolean(),
  seconds: z.number().positive().max(MONTH_SECONDS),
});

const MAXIMUM_RECORDS = 200;
const MAXIMUM_BYTES = 1024 * 1024;

export const buildHistoryPath = (): string => join(inferenceHome(), "tensorrt-builds.json");

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** The oldest first; none from a file that is missing or damaged. Single records that make no sense are left out. */
export async function readBuildHistory(path = buildHistoryPath()): Promise<readonly BuildRecord[]> {
  try {
    const status = await lstat(path);
    if (!status.isFile() || status.size > MAXIMUM_BYTES) throw new Error("It is no plain file, or too large.");
    const records = z.array(z.unknown()).parse(JSON.parse(await readFile(path, "utf8")));
    return records.flatMap((record) => schema.safeParse(record).data ?? []).slice(-MAXIMUM_RECORDS);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") {
      logger().debug(`What is known of earlier TensorRT builds cannot be read from ${path}: ${reasonOf(error)}`);
    }
    return [];
  }
}

/** Adds a build to what others have added meanwhile. Never rejects: a history that cannot be written is a message for developers. */
export async function recordBuild(record: BuildRecord, path = buildHistoryPath()): Promise<void> {
  try {
    await withFileLock(`${path}.lock`, { timeoutSeconds: configuration().cache.lockTimeoutSeconds }, async () => {
      const records = [...(await readBuildHistory(path)), schema.parse(record)].slice(-MAXIMUM_RECORDS);
      await writeFileDurably(path, `[\n${records.map((one) => JSON.stringify(one)).join(",\n")}\n]\n`);
    });
  } catch (error) {
    logger().debug(`How long this TensorRT build took was not written to ${path}: ${reasonOf(error)}`);
  }
}

/** What builds have to have in common to tell something about each other. */
export type BuildKind = Omit<BuildRecord, "seconds" | "heavyOperators">;

export interface BuildSeconds {
  readonly lowest: number;
  readonly highest: number;
  /** How many builds that rests on. */
  readonly builds: number;
}

const KEYS = [
  "gpu",
  "computeCapability",
  "tensorRtVersion",
  "precision",
  "profiles",
  "timingCacheUsed",
] as const satisfies readonly Exclude<keyof BuildRecord, "seconds" | "heavyOperators">[];

/** Scales builds of the same kind by how many operators had to be measured. null when there were none. */
export function expectedSeconds(history: readonly BuildRecord[], kind: BuildKind, heavyOperators: number): BuildSeconds | null {
  const alike = history.filter((record) => record.heavyOperators > 0 && KEYS.every((key) => record[key] === kind[key]));
  if (alike.length === 0 || heavyOperators === 0) return null;
  const scaled = alike.map(({ seconds, heavyOperators: measured }) => (seconds * heavyOperators) / measured);
  return { lowest: Math.min(...scaled), highest: Math.max(...scaled), builds: alike.length };
}
