import { stat } from "node:fs/promises";
import { fileURLToPath } from "node:url";

import pLimit from "p-limit";

import { logger } from "../logger.js";
import type { ArtefactSpecs } from "../packages/index.js";
import { probeFile } from "./download/probe.js";
import { artefactPath } from "./package-state.js";

const PARALLEL_PROBES = 16;

export interface ArtefactSizes {
  /** By file handle; null where it could not be found out. */
  readonly files: Readonly<Record<string, number | null>>;
  /** Of the files whose size is known. */
  readonly totalBytes: number;
  readonly isComplete: boolean;
}

/**
 * Sizes of a package's files, without fetching them. What cannot be found out is null, and never an error.
 * `directory`: where local files lie. @throws the signal's reason
 */
export async function artefactSizes(
  artefacts: readonly ArtefactSpecs[],
  { directory, signal }: { readonly directory?: string; readonly signal?: AbortSignal } = {},
): Promise<ArtefactSizes> {
  const limit = pLimit(PARALLEL_PROBES);
  const sizes = await Promise.all(
    artefacts.map((artefact) =>
      limit(async () => {
        try {
          return await sizeOf(artefact, directory, signal);
        } catch (error) {
          signal?.throwIfAborted();
          logger().debug(
            `The size of ${artefact.fileHandle} could not be found out: ${error instanceof Error ? error.message : String(error)}`,
          );
          return null;
        }
      }),
    ),
  );
  return {
    files: Object.fromEntries(artefacts.map(({ fileHandle }, index) => [fileHandle, sizes[index] ?? null])),
    totalBytes: sizes.reduce<number>((sum, size) => sum + (size ?? 0), 0),
    isComplete: sizes.every((size) => size !== null),
  };
}

async function sizeOf(artefact: ArtefactSpecs, directory: string | undefined, signal: AbortSignal | undefined): Promise<number | null> {
  if (artefact.kind === "local") return directory === undefined ? null : (await stat(artefactPath(directory, artefact.fileHandle))).size;
  const { downloadUrl } = artefact;
  if (downloadUrl.startsWith("file:")) return (await stat(fileURLToPath(downloadUrl))).size;
  return (await probeFile(downloadUrl, { signal })).length;
}
