import { createMasks } from "./masks.js";
import type { Masks } from "./types.js";

/** Columns of masks that can be sent elsewhere. */
export interface FlatMasks {
  readonly maskFormat: "rle" | "dense";
  /** Runs, or pixels. */
  readonly maskData: Uint32Array | Uint8Array;
  readonly maskOffsets: Uint32Array | null;
}

export function flattenMasks(masks: Masks): FlatMasks {
  return masks.format === "rle"
    ? { maskFormat: "rle", maskData: masks.runs, maskOffsets: masks.offsets }
    : { maskFormat: "dense", maskData: masks.data, maskOffsets: null };
}

/** @throws InvalidParameterError */
export function unflattenMasks({ maskFormat, maskData, maskOffsets }: FlatMasks, width: number, height: number, length: number): Masks {
  return maskFormat === "rle"
    ? createMasks({ format: "rle", width, height, runs: maskData as Uint32Array, offsets: maskOffsets as Uint32Array })
    : createMasks({ format: "dense", width, height, length, data: maskData as Uint8Array });
}
