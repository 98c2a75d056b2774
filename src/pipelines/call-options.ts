import type { CallOptions } from "../models/index.js";

/** Options of every pipeline's predict. */
export interface PipelineCallOptions extends CallOptions {
  /** What to do with the EXIF orientation of encoded files; default `apply`. */
  readonly exifOrientation?: "apply" | "ignore";
}
