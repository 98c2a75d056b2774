import { configuration } from "../../configuration.js";
import { InvalidOptionError } from "../../errors.js";
import type { NativeTensorRtBuildOptions } from "../../native/index.js";
import { invalidOption } from "../../options.js";
import type { TensorRtProfile } from "./engine.js";
import { integer } from "./options.js";

/** Batch sizes of one optimization profile; the engine is fastest at `optimum`. */
export interface BatchRange {
  readonly minimum: number;
  readonly optimum: number;
  readonly maximum: number;
}

/** What an engine is to be. */
export interface TensorRtBuildSettings {
  /** Ordinal of the GPU that measures, and that the engine is for, from 0; default 0. */
  readonly device?: number;
  /**
   * Half precision where it is faster; default false. TensorRT 10 chooses part by part. TensorRT 11 builds what the model says, so a
   * model of float32 is converted first: convolutions, matrix products and what lies between them, not inputs, outputs and what needs range.
   */
  readonly fp16?: boolean;
  /** Every part in the precision that the model says; default false. TensorRT 11 always does so. */
  readonly stronglyTyped?: boolean;
  /** For inputs whose first size varies. */
  readonly batch?: BatchRange;
  /** Pixels. For inputs `[pictures, channels, height, width]` whose last two sizes vary: the only size that the engine takes. */
  readonly imageSize?: { readonly width: number; readonly height: number };
  /** One or more ranges of shapes, each by the name of the input. Needed for inputs that vary in other sizes, or by more. */
  readonly profiles?: readonly TensorRtProfile[];
  /** Bytes of scratch memory that a part of the engine may use; default: all that the device has. */
  readonly workspaceBytes?: number;
  /**
   * Default false: the engine is for GPUs like this one. `true` or `"ampere-plus"`: for all GPUs of the Ampere generation and later;
   * `"same-compute-capability"` (from TensorRT 10.9): for all of this one's compute capability. Such engines are slower.
   */
  readonly hardwareCompatible?: boolean | "ampere-plus" | "same-compute-capability";
  /** Whether newer releases of TensorRT may load the engine; default false. It then carries machine code for the host. */
  readonly versionCompatible?: boolean;
}

export const BUILD_SETTING_NAMES = [
  "device",
  "fp16",
  "stronglyTyped",
  "batch",
  "imageSize",
  "profiles",
  "workspaceBytes",
  "hardwareCompatible",
  "versionCompatible",
] as const satisfies readonly (keyof TensorRtBuildSettings)[];

function flag(name: string, value: unknown): boolean {
  if (value === undefined) return false;
  if (typeof value === "boolean") return value;
  throw invalidOption(name, "true or false", value);
}

function hardware(value: unknown): NativeTensorRtBuildOptions["hardwareCompatibility"] {
  if (value === undefined || value === false) return "none";
  if (value === true) return "ampere-plus";
  if (value === "ampere-plus" || value === "same-compute-capability") return value;
  throw invalidOption("hardwareCompatible", 'true, false, "ampere-plus" or "same-compute-capability"', value);
}

const isSize = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) > 0;
const isShape = (value: unknown): value is readonly number[] => Array.isArray(value) && value.length <= 8 && value.every(isSize);

function batchRange(value: BatchRange | undefined): BatchRange | null {
  if (value === undefined) return null;
  const { minimum, optimum, maximum } = value;
  if (isSize(minimum) && isSize(optimum) && isSize(maximum) && minimum <= optimum && optimum <= maximum)
    return { minimum, optimum, maximum };
  throw invalidOption("batch", "an object of minimum <= optimum <= maximum, all of at least 1,", JSON.stringify(value));
}

function imageSize(value: TensorRtBuildSettings["imageSize"]): NativeTensorRtBuildOptions["imageSize"] {
  if (value === undefined) return null;
  const { width, height } = value;
  if (isSize(width) && isSize(height)) return { width, height };
  throw invalidOption("imageSize", "an object of width and height, both of at least 1,", JSON.stringify(value));
}

function profileRanges(value: readonly TensorRtProfile[] | undefined): NativeTensorRtBuildOptions["profiles"] {
  if (value === undefined) return [];
  if (!Array.isArray(value)) throw invalidOption("profiles", "a list of profiles", value);
  return value.map((profile: TensorRtProfile, index) =>
    Object.entries(profile).map(([input, { minimum, optimum, maximum }]) => {
      if (isShape(minimum) && isShape(optimum) && isShape(maximum)) return { input, minimum, optimum, maximum };
      throw new InvalidOptionError(
        `Expected the shapes minimum, optimum and maximum of input "${input}" in profile ${index}, each a list of at most 8 sizes of at least 1.`,
        { parameter: "profiles" },
      );
    }),
  );
}

/** @throws InvalidOptionError */
export function toNativeBuildOptions(settings: TensorRtBuildSettings, timingCache: Uint8Array | null): NativeTensorRtBuildOptions {
  const { cudaLibraryPath, tensorRtLibraryPath } = configuration().device;
  return {
    cudaLibraryPath,
    tensorRtLibraryPath,
    device: integer("device", settings.device ?? 0, 0, 1023),
    fp16: flag("fp16", settings.fp16),
    stronglyTyped: flag("stronglyTyped", settings.stronglyTyped),
    versionCompatible: flag("versionCompatible", settings.versionCompatible),
    workspaceBytes: integer("workspaceBytes", settings.workspaceBytes ?? 0, 0, 2 ** 50),
    hardwareCompatibility: hardware(settings.hardwareCompatible),
    batch: batchRange(settings.batch),
    imageSize: imageSize(settings.imageSize),
    profiles: profileRanges(settings.profiles),
    timingCache,
  };
}
