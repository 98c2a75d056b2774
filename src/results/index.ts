export { createDetections } from "./detections.js";
export type { DetectionColumns } from "./detections.js";
export { createKeyPoints } from "./key-points.js";
export type { KeyPointColumns } from "./key-points.js";
export { fromTransferable, toTransferable } from "./transfer.js";
export type { DetectionsData, KeyPointsData, ResultData } from "./transfer.js";
export type {
  Box,
  Detection,
  DetectionData,
  DetectionJson,
  Detections,
  DetectionsJson,
  ImageInfo,
  ImageJson,
  KeyPoint,
  KeyPointClass,
  KeyPointInstance,
  KeyPointJson,
  KeyPoints,
  KeyPointsJson,
  Provenance,
  Result,
  RoboflowDetectionsJson,
  RoboflowKeyPointsJson,
  RoboflowPredictionJson,
  ServedBy,
  Timings,
} from "./types.js";
