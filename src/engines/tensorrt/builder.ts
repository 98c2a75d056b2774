/** From an ONNX model to the bytes of an engine. Where they go, and where timing caches come from, is for others to say. */
import { readFile } from "node:fs/promises";

import { raceAbort } from "../../abort.js";
import {
  becauseOf,
  EngineBuildError,
  InvalidOptionError,
  ModelInputError,
  ModelRuntimeError,
  reasonOf,
  TensorRtError,
} from "../../errors.js";
import { callNative, type NativeBuiltEngine, type NativeTensorRtBuildOptions, type NativeTensorRtBuildPhase } from "../../native/index.js";
import type { HalfPrecisionModel } from "../onnx/half-precision.js";
import type { TensorPort } from "../types.js";
import { toNativeBuildOptions, type TensorRtBuildSettings } from "./builder-options.js";
import { profileOf, toPort, type TensorRtProfile } from "./engine.js";
import { missingLibrary, requireAddon } from "./needs.js";

/** Something that the builder is doing; phases lie in each other. */
export interface TensorRtBuildPhase {
  /** In TensorRT's words. */
  readonly name: string;
  /** Name of the phase around it; null for the outermost. */
  readonly parent: string | null;
  readonly steps: number;
  readonly done: number;
}

export interface TensorRtBuildProgress {
  /** From 0 to 1; never less than it was. By steps, which take unequal times. */
  readonly fraction: number;
  /** Begun and not ended, the outermost first; empty at the end. */
  readonly phases: readonly TensorRtBuildPhase[];
}

export interface CompiledNetwork {
  readonly engine: Uint8Array;
  readonly tensorRtVersion: string;
  readonly device: { readonly ordinal: number; readonly name: string; readonly computeCapability: string };
  readonly inputs: readonly TensorPort[];
  readonly outputs: readonly TensorPort[];
  readonly profiles: readonly TensorRtProfile[];
  /** What became of `fp16` where TensorRT cannot choose: of so many nodes, so many were put into half precision. Null where it chose, or need not. */
  readonly halfPrecision: { readonly nodes: number; readonly halfNodes: number } | null;
  /** Of the network, before TensorRT joins them. */
  readonly layers: number;
  /** Null when none was asked for. */
  readonly timingCache: { readonly bytes: Uint8Array; readonly refused: boolean } | null;
  readonly warnings: string;
}

export interface CompileNetworkCall {
  /** What earlier builds have measured, empty for nothing yet; null = measure everything and keep nothing. */
  readonly timingCache: Uint8Array | null;
  readonly onProgress?: ((progress: TensorRtBuildProgress) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** How much of `phases[index]` is done, with what lies in it. */
function fractionOf(phases: readonly NativeTensorRtBuildPhase[], index: number): number {
  const phase = phases[index];
  if (phase === undefined || phase.steps <= 0) return 0;
  const inside = phases.findIndex(({ parent }, other) => other > index && parent === phase.name);
  return Math.min(1, (phase.done + (inside === -1 ? 0 : fractionOf(phases, inside))) / phase.steps);
}

function progressListener(
  onProgress: (progress: TensorRtBuildProgress) => void,
  fail: (reason: unknown) => void,
): (phases: readonly NativeTensorRtBuildPhase[]) => void {
  let fraction = 0;
  return (phases) => {
    fraction = Math.max(fraction, fractionOf(phases, 0));
    try {
      onProgress({ fraction, phases: phases.map((phase) => ({ ...phase, parent: phase.parent === "" ? null : phase.parent })) });
    } catch (error) {
      fail(error);
    }
  };
}

/**
 * @param model path of an ONNX file, or its bytes, which must not change until the promise settles. Weights in files of their own are
 *   looked for beside the path.
 * @throws what `buildTensorRtEngine` throws
 */
export async function compileNetwork(
  model: string | Uint8Array,
  settings: TensorRtBuildSettings,
  { timingCache, onProgress, signal }: CompileNetworkCall,
): Promise<CompiledNetwork> {
  const options = toNativeBuildOptions(settings, timingCache);
  signal?.throwIfAborted();
  const addon = requireAddon("TensorRT engines are built");
  // What the caller's function throws ends the build, like an abort.
  const stop = new AbortController();
  const either = signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal]);
  const listener = onProgress === undefined ? null : progressListener(onProgress, (reason) => stop.abort(reason));
  const build = (given: string | Uint8Array, native: NativeTensorRtBuildOptions): Promise<NativeBuiltEngine> => {
    const cancel = addon.createCancelToken();
    const building = callNative(() => addon.buildTensorRtEngine(given, native, listener, cancel));
    return raceAbort(either, building, () => cancel.cancel());
  };
  try {
    const { built, halfPrecision } = await build(model, options)
      .then((made) => ({ built: made, halfPrecision: null }))
      .catch(async (failure: unknown) => {
        if (!cannotChoosePrecision(failure)) throw failure;
        const { model: half, ...halfPrecision } = await inHalfPrecision(model);
        return { built: await build(half, { ...options, fp16: false }), halfPrecision };
      });
    onProgress?.({ fraction: 1, phases: [] });
    return { ...describe(built), halfPrecision };
  } catch (failure) {
    if (either.aborted) throw failure;
    throw describeBuildFailure(failure, model);
  }
}

/** TensorRT 11 takes a model at its word, so the model is what has to change. */
const cannotChoosePrecision = (failure: unknown): boolean => failure instanceof TensorRtError && failure.stage === "tensorrt.precision";

async function inHalfPrecision(model: string | Uint8Array): Promise<HalfPrecisionModel> {
  const bytes = typeof model === "string" ? await readFile(model) : model;
  // Seldom needed, so it costs nobody's start.
  const { toHalfPrecision } = await import("../onnx/half-precision.js");
  try {
    return toHalfPrecision(bytes);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new TensorRtError(`The model cannot be put into half precision, because it is no ONNX model: ${reason}`, {
      stage: "tensorrt.precision",
      cause: error,
    });
  }
}

function describe(built: NativeBuiltEngine): Omit<CompiledNetwork, "halfPrecision"> {
  return {
    engine: built.engine,
    tensorRtVersion: built.libraryVersion,
    device: { ordinal: built.device, name: built.deviceName, computeCapability: built.computeCapability },
    inputs: built.inputs.map(toPort),
    outputs: built.outputs.map(toPort),
    profiles: Array.from({ length: built.profiles }, (_, index) => profileOf(built.inputs, index)),
    layers: built.layers,
    timingCache: built.timingCache === null ? null : { bytes: built.timingCache, refused: built.timingCacheRefused },
    warnings: built.warnings,
  };
}

function describeBuildFailure(failure: unknown, model: string | Uint8Array): unknown {
  // Of what the addon checks, only ranges depend on the model and so get there.
  if (failure instanceof ModelInputError) return new InvalidOptionError(failure.message, { parameter: "profiles", cause: failure });
  if (!(failure instanceof ModelRuntimeError)) return failure;
  const missing = missingLibrary(failure);
  if (missing !== null || !(failure instanceof TensorRtError)) return missing ?? failure;
  const { message, stage, api, errorCode } = failure;
  return new EngineBuildError(typeof model === "string" ? `${model}: ${message}` : message, {
    cause: failure,
    ...becauseOf(reasonOf(failure)),
    ...(typeof model === "string" ? { path: model } : {}),
    ...(stage === undefined ? {} : { stage }),
    ...(api === undefined ? {} : { api }),
    ...(errorCode === undefined ? {} : { errorCode }),
  });
}

/** What either has measured. @throws EngineBuildError when they cannot be joined */
export async function combineTimingCaches(first: Uint8Array, second: Uint8Array, settings: TensorRtBuildSettings): Promise<Uint8Array> {
  const options = toNativeBuildOptions(settings, null);
  const addon = requireAddon("Timing caches are joined");
  try {
    return await callNative(() => addon.combineTensorRtTimingCaches(first, second, options));
  } catch (failure) {
    throw describeBuildFailure(failure, first);
  }
}

/** Release that built an engine, `10.15.1.29`. @throws TensorRtError for bytes that are no engine */
export function planVersion(beginning: Uint8Array): Promise<string> {
  const addon = requireAddon("Engines are read");
  return callNative(() => addon.readTensorRtPlanVersion(beginning));
}
