/** What a serialized engine is: from its first bytes on any machine, and in full where it can be loaded. */
import { open } from "node:fs/promises";

import { planVersion, TensorRtEngine, type TensorPort, type TensorRtMemory, type TensorRtProfile } from "../engines/index.js";
import { becauseOf, CorruptedModelPackageError, InferenceModelsError, reasonOf, TensorRtError, type GpuFailureReason } from "../errors.js";
import { requireKnownOptions } from "../options.js";

export interface InspectEngineOptions {
  /** GPU to load it on, from 0; default 0. */
  readonly device?: number;
  /** See `TensorRtEngine.load`. */
  readonly engineHostCodeAllowed?: boolean;
  readonly signal?: AbortSignal;
}

export interface EngineInspection {
  readonly path: string;
  readonly bytes: number;
  /** Release of TensorRT that built it, `10.15.1.29`. */
  readonly builtByVersion: string;
  /** Null when it cannot be loaded here. */
  readonly loaded: LoadedEngineFacts | null;
  /** Why it cannot be loaded here; null when it can. */
  readonly problem: { readonly code: string; readonly reason: GpuFailureReason | null; readonly message: string } | null;
}

export interface LoadedEngineFacts {
  readonly name: string;
  /** Release of TensorRT that is installed. */
  readonly engineVersion: string;
  readonly device: { readonly ordinal: number; readonly name: string };
  readonly hardwareCompatibility: TensorRtEngine["hardwareCompatibility"];
  readonly inputs: readonly TensorPort[];
  readonly outputs: readonly TensorPort[];
  readonly profiles: readonly TensorRtProfile[];
  /** Of one context, for profile 0. */
  readonly memory: Pick<TensorRtMemory, "engine" | "scratch">;
}

const BEGINNING = 64;

async function beginningOf(path: string): Promise<{ readonly beginning: Uint8Array; readonly bytes: number }> {
  try {
    await using file = await open(path, "r");
    const buffer = new Uint8Array(BEGINNING);
    const { bytesRead } = await file.read(buffer, 0, BEGINNING, 0);
    return { beginning: buffer.subarray(0, bytesRead), bytes: (await file.stat()).size };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new CorruptedModelPackageError(`The engine ${path} cannot be read: ${reason}`, { path, kind: "engine", cause: error });
  }
}

async function versionOf(path: string, beginning: Uint8Array): Promise<string> {
  try {
    return await planVersion(beginning);
  } catch (error) {
    if (!TensorRtError.is(error)) throw error;
    throw new CorruptedModelPackageError(`${path}: ${error.message}`, {
      path,
      kind: "engine",
      cause: error,
      ...becauseOf(reasonOf(error)),
    });
  }
}

/**
 * Reads an engine's first bytes, and loads it if this machine can; one that cannot be loaded here is no error.
 * @param path of an engine (`engine.plan`)
 * @throws CorruptedModelPackageError for a file that cannot be read or is no engine, NativeAddonUnavailableError without the addon
 */
export async function inspectEngine(path: string, options: InspectEngineOptions = {}): Promise<EngineInspection> {
  requireKnownOptions(options, ["device", "engineHostCodeAllowed", "signal"], "inspectEngine");
  const { beginning, bytes } = await beginningOf(path);
  const builtByVersion = await versionOf(path, beginning);
  const known = { path, bytes, builtByVersion };
  try {
    await using engine = await TensorRtEngine.load(path, { ...options, contexts: 1, cudaGraphs: false });
    const { name, engineVersion, device, hardwareCompatibility, inputs, outputs, profiles } = engine;
    const { engine: weights, scratch } = engine.memory();
    const memory = { engine: weights, scratch };
    return { ...known, loaded: { name, engineVersion, device, hardwareCompatibility, inputs, outputs, profiles, memory }, problem: null };
  } catch (error) {
    options.signal?.throwIfAborted();
    if (!InferenceModelsError.is(error) || error.code === "INVALID_OPTION") throw error;
    return { ...known, loaded: null, problem: { code: error.code, reason: reasonOf(error), message: error.message } };
  }
}
