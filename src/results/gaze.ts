import { InvalidParameterError } from "../errors.js";
import { provenanceToJson, requireImageInfo, shortestFloat } from "./columns.js";
import type { Gaze, GazeJson, ImageInfo, Provenance, ServedBy, Timings } from "./types.js";

/** What a {@link Gaze} is made from. */
export interface GazeColumns extends Partial<Provenance> {
  readonly image: ImageInfo;
  /** Radians. */
  readonly yaw: number;
  readonly pitch: number;
  readonly metadata?: Readonly<Record<string, unknown>>;
}

const DEGREES = 180 / Math.PI;

class GazeAngles implements Gaze {
  readonly kind = "gaze";
  readonly image: ImageInfo;
  readonly yaw: number;
  readonly pitch: number;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly servedBy: ServedBy | null;
  readonly timings: Timings | null;

  constructor({ image, yaw, pitch, metadata = {}, servedBy = null, timings = null }: GazeColumns) {
    this.image = image;
    this.yaw = yaw;
    this.pitch = pitch;
    this.metadata = metadata;
    this.servedBy = servedBy;
    this.timings = timings;
    Object.freeze(this);
  }

  get degrees(): { readonly yaw: number; readonly pitch: number } {
    return { yaw: this.yaw * DEGREES, pitch: this.pitch * DEGREES };
  }

  toJSON(): GazeJson {
    return {
      kind: this.kind,
      yaw: shortestFloat(Math.fround(this.yaw)),
      pitch: shortestFloat(Math.fround(this.pitch)),
      ...provenanceToJson(this),
    };
  }
}

/** @internal */
export function columnsOfGaze({ image, yaw, pitch, metadata, servedBy, timings }: Gaze): Required<GazeColumns> {
  return { image, yaw, pitch, metadata, servedBy, timings };
}

/** Where a face looks. @throws InvalidParameterError */
export function createGaze(columns: GazeColumns): Gaze {
  requireImageInfo(columns.image);
  for (const name of ["yaw", "pitch"] as const) {
    if (typeof columns[name] !== "number") throw new InvalidParameterError(`${name} must be a number of radians.`, { parameter: name });
  }
  return new GazeAngles(columns);
}
