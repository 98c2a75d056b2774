/** The public surface: everything a user may import, by name. */

export { AutoModel, type AutoModelOptions } from "./auto/index.js";
export { describeEnvironment, type EnvironmentReport, type Finding } from "./environment/index.js";
export { configure, type Configuration } from "./configuration.js";
export { setLogger, type Logger } from "./logger.js";
export {
  VisionModelBase,
  type AnyModel,
  type CallOptions,
  type ClassificationModel,
  type DetectionOptions,
  type ImageOptions,
  type InstanceSegmentationModel,
  type KeyPointModel,
  type KeyPointOptions,
  type Model,
  type ModelInfo,
  type ModelStatistics,
  type MultiLabelClassificationModel,
  type ObjectDetectionModel,
  type Prepared,
  type ScoreOptions,
  type SegmentationOptions,
  type Skeleton,
  type Stages,
  type TaskType,
  type Threshold,
  type VisionModel,
  type VisionModelSettings,
} from "./models/index.js";
export {
  convertMasks,
  createClassification,
  createDetections,
  createInstanceDetections,
  createKeyPoints,
  createMasks,
  createMultiLabelClassification,
  decodeRle,
  encodeRle,
  fromTransferable,
  masksFromCoco,
  toTransferable,
  type ResultData,
} from "./results/index.js";
export type {
  Classification,
  ClassScore,
  CocoAnnotation,
  CocoRle,
  DenseMasks,
  Detection,
  Detections,
  ImageInfo,
  Instance,
  InstanceDetections,
  KeyPoints,
  Mask,
  MaskFormat,
  Masks,
  MultiLabelClassification,
  Polygon,
  Result,
  RleMasks,
  ServedBy,
  Timings,
} from "./results/index.js";
export { maskGeometry, mapPointsBack, type MaskGeometry } from "./imaging/index.js";
export type { ColorFormat, Geometry, ImageInput, PreprocessingOverrides, RawPixels } from "./imaging/index.js";
export * from "./errors.js";
