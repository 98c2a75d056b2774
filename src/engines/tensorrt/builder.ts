/** From an ONNX model to the bytes of an engine. Where they go, and where timing caches come from, is for others to say. */
import { raceAbort } from "../../abort.js";
import { EngineBuildError, InvalidOptionError, ModelInputError, ModelRuntimeError, TensorRtError } from "../../errors.js";
import { callNative, type NativeBuiltEngine, type NativeTensorRtBuildPhase } from "../../native/index.js";
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
  const cancel = addon.createCancelToken();
  // What the caller's function throws ends the build, like an abort.
  const stop = new AbortController();
  const either = signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal]);
  const listener = onProgress === undefined ? null : progressListener(onProgress, (reason) => stop.abort(reason));
  const building = callNative(() => addon.buildTensorRtEngine(model, options, listener, cancel));
  try {
    const built = await raceAbort(either, building, () => cancel.cancel());
    onProgress?.({ fraction: 1, phases: [] });
    return describe(built);
  } catch (failure) {
    if (either.aborted) throw failure;
    throw describeBuildFailure(failure, model);
  }
}

function describe(built: NativeBuiltEngine): CompiledNetwork {
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
