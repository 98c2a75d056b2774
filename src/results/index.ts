export { createClassification, createMultiLabelClassification } from "./classification.js";
export type { ClassificationColumns, MultiLabelClassificationColumns } from "./classification.js";
export { createDetections } from "./detections.js";
export type { DetectionColumns } from "./detections.js";
export { createInstanceDetections } from "./instance-detections.js";
export type { InstanceDetectionColumns } from "./instance-detections.js";
export { decodeRle, encodeRle } from "./masks/coco.js";
export type { CocoRle } from "./masks/coco.js";
export { convertMasks, createMasks, masksFromCoco } from "./masks/masks.js";
export type { MaskColumns } from "./masks/masks.js";
export type { Polygon } from "./masks/polygons.js";
export type { PixelBounds } from "./masks/runs.js";
export type { DenseMasks, Mask, MaskFormat, Masks, RleMasks } from "./masks/types.js";
export { createKeyPoints } from "./key-points.js";
export type { KeyPointColumns } from "./key-points.js";
export { createDepthMap, createSemanticSegmentation } from "./maps.js";
export type { DepthMapColumns, SemanticSegmentationColumns } from "./maps.js";
export { createGaze } from "./gaze.js";
export type { GazeColumns } from "./gaze.js";
export { createEmbedding } from "./embedding.js";
export type { EmbeddingColumns } from "./embedding.js";
export { compareEmbeddings, createEmbeddings } from "./embeddings.js";
export { createTextResult } from "./text.js";
export type { TextResultColumns } from "./text.js";
export { fromTransferable, toTransferable } from "./transfer.js";
export type { ResultData, ResultDataOf } from "./transfer.js";
export type {
  Box,
  Classification,
  ClassificationJson,
  ClassScore,
  ClassScoreJson,
  CocoAnnotation,
  DepthMap,
  DepthMapJson,
  Detection,
  DetectionData,
  DetectionJson,
  Detections,
  DetectionsJson,
  Embedding,
  EmbeddingJson,
  Embeddings,
  Gaze,
  GazeJson,
  ImageInfo,
  ImageJson,
  Instance,
  InstanceDetections,
  InstanceDetectionsJson,
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
  RoboflowInstancesJson,
  RoboflowKeyPointsJson,
  RoboflowMultiLabelClassificationJson,
  RoboflowPredictionJson,
  SemanticSegmentation,
  SemanticSegmentationJson,
  ServedBy,
  SimilarityMatrix,
  TextLine,
  TextResult,
  TextResultJson,
  Timings,
} from "./types.js";
