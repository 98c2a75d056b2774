export { createClassification, createMultiLabelClassification } from "./classification.js";
export type { ClassificationColumns, MultiLabelClassificationColumns } from "./classification.js";
export { createDetections } from "./detections.js";
export type { DetectionColumns } from "./detections.js";
export { createKeyPoints } from "./key-points.js";
export type { KeyPointColumns } from "./key-points.js";
export { fromTransferable, toTransferable } from "./transfer.js";
export type { ResultData, ResultDataOf } from "./transfer.js";
export type {
  Box,
  Classification,
  ClassificationJson,
  ClassScore,
  ClassScoreJson,
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
  MultiLabelClassification,
  MultiLabelClassificationJson,
  Provenance,
  Result,
  RoboflowClassificationJson,
  RoboflowDetectionsJson,
  RoboflowKeyPointsJson,
  RoboflowMultiLabelClassificationJson,
  RoboflowPredictionJson,
  ServedBy,
  Timings,
} from "./types.js";
