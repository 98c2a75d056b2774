/**
 * Results as plain data, for `postMessage`: a structured clone drops methods, and typed arrays can change their owner
 * instead of being copied.
 *
 * ```ts
 * const { data, transferList } = toTransferable(result);
 * port.postMessage(data, transferList);          // in the worker; the columns of `result` are empty from here on
 * const result = fromTransferable(data);         // on the other side
 * ```
 */
import { columnsOfDetections, createDetections } from "./detections.js";
import type { DetectionColumns } from "./detections.js";
import { columnsOfKeyPoints, createKeyPoints } from "./key-points.js";
import type { KeyPointColumns } from "./key-points.js";
import type { Detections, KeyPoints, Result } from "./types.js";

export type DetectionsData = { readonly kind: "detections" } & Required<DetectionColumns>;
export type KeyPointsData = { readonly kind: "key-points"; readonly detections: DetectionsData } & Omit<
  Required<KeyPointColumns>,
  "detections"
>;
export type ResultData = DetectionsData | KeyPointsData;
type DataOf<R extends Result> = R extends Detections ? DetectionsData : KeyPointsData;

/** A view of a larger buffer would take the whole buffer along. */
function compact<Column extends { readonly buffer: ArrayBufferLike; readonly byteLength: number; slice(): Column }>(
  column: Column,
): Column {
  return column.byteLength === column.buffer.byteLength ? column : column.slice();
}

function detectionsToData(detections: Detections): DetectionsData {
  const columns = columnsOfDetections(detections);
  return {
    ...columns,
    kind: "detections",
    xyxy: columns.xyxy instanceof Int32Array ? compact(columns.xyxy) : compact(columns.xyxy),
    classId: compact(columns.classId),
    confidence: compact(columns.confidence),
  };
}

function keyPointsToData(keyPoints: KeyPoints): KeyPointsData {
  const columns = columnsOfKeyPoints(keyPoints);
  return {
    ...columns,
    kind: "key-points",
    detections: detectionsToData(columns.detections),
    xy: columns.xy instanceof Int32Array ? compact(columns.xy) : compact(columns.xy),
    confidence: compact(columns.confidence),
    covariance: columns.covariance === null ? null : compact(columns.covariance),
  };
}

function buffersOf(data: ResultData): ArrayBuffer[] {
  const columns =
    data.kind === "detections"
      ? [data.xyxy, data.classId, data.confidence]
      : [data.xy, data.confidence, ...(data.covariance === null ? [] : [data.covariance])];
  const own = columns.map(({ buffer }) => buffer).filter((buffer): buffer is ArrayBuffer => buffer instanceof ArrayBuffer);
  return data.kind === "detections" ? own : [...own, ...buffersOf(data.detections)];
}

/** @param result its `data` and `metadata` must consist of values that a structured clone can copy. */
export function toTransferable<R extends Result>(result: R): { readonly data: DataOf<R>; readonly transferList: ArrayBuffer[] } {
  const data: ResultData = result.kind === "detections" ? detectionsToData(result) : keyPointsToData(result);
  return { data: data as DataOf<R>, transferList: [...new Set(buffersOf(data))] };
}

/** @throws InvalidParameterError when the data was damaged on its way. */
export function fromTransferable(data: DetectionsData): Detections;
export function fromTransferable(data: KeyPointsData): KeyPoints;
export function fromTransferable(data: ResultData): Result;
export function fromTransferable(data: ResultData): Result {
  return data.kind === "detections" ? createDetections(data) : createKeyPoints({ ...data, detections: createDetections(data.detections) });
}
