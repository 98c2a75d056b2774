/** The public surface: everything a user may import, by name. */

export { AutoModel, type AutoModelOptions } from "./auto/index.js";
export {
  AutoModelPipeline,
  TextReadingPipeline,
  type AutoModelPipelineOptions,
  type PipelineModel,
  type TextReadingModels,
  type TextReadingOptions,
} from "./pipelines/index.js";
export { describeEnvironment, type EnvironmentReport, type Finding } from "./environment/index.js";
export { configure, type Configuration } from "./configuration.js";
export { setLogger, type Logger } from "./logger.js";
export {
  VisionModelBase,
  type AnyModel,
  type CallOptions,
  type ClassificationModel,
  type DepthEstimationModel,
  type DetectionOptions,
  type GazeDetectionModel,
  type ImageOptions,
  type KeyPointModel,
  type KeyPointOptions,
  type Model,
  type ModelInfo,
  type ModelStatistics,
  type MultiLabelClassificationModel,
  type ObjectDetectionModel,
  type Prepared,
  type ScoreOptions,
  type SemanticSegmentationModel,
  type Skeleton,
  type Stages,
  type TaskType,
  type TextOnlyOCRModel,
  type Threshold,
  type VisionModel,
  type VisionModelSettings,
} from "./models/index.js";
export {
  createClassification,
  createDepthMap,
  createDetections,
  createGaze,
  createKeyPoints,
  createMultiLabelClassification,
  createSemanticSegmentation,
  createTextResult,
  fromTransferable,
  toTransferable,
  type ResultData,
} from "./results/index.js";
export type {
  Classification,
  ClassScore,
  DepthMap,
  Detection,
  Detections,
  Gaze,
  ImageInfo,
  KeyPoints,
  MultiLabelClassification,
  Result,
  SemanticSegmentation,
  ServedBy,
  TextLine,
  TextResult,
  Timings,
} from "./results/index.js";
export { maskGeometry, mapPointsBack, type MaskGeometry } from "./imaging/index.js";
export type { ColorFormat, Geometry, ImageInput, PreprocessingOverrides, RawPixels } from "./imaging/index.js";
export * from "./errors.js";
