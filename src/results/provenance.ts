import { columnsOfDetections, createDetections } from "./detections.js";
import { columnsOfKeyPoints, createKeyPoints } from "./key-points.js";
import type { Detections, KeyPoints, Provenance, Result } from "./types.js";

/** The same result with a note of what produced it; the columns are shared. Key points pass it to their detections. */
export function withProvenance(result: Detections, provenance: Provenance): Detections;
export function withProvenance(result: KeyPoints, provenance: Provenance): KeyPoints;
export function withProvenance(result: Result, provenance: Provenance): Result;
export function withProvenance(result: Result, provenance: Provenance): Result {
  return result.kind === "detections"
    ? createDetections({ ...columnsOfDetections(result), ...provenance })
    : createKeyPoints({ ...columnsOfKeyPoints(result), detections: withProvenance(result.detections, provenance) });
}
