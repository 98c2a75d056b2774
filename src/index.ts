/** The public surface: everything a user may import, by name. */

export {
  AutoModel,
  LiberalModelAccessManager,
  type AccessIdentifiers,
  type AutoModelOptions,
  type DescribeOptions,
  type DownloadedModel,
  type LoadingPlan,
  type ModelAccessManager,
  type ModelDescription,
  type ModelPackageDescription,
} from "./auto/index.js";
export {
  describeEnvironment,
  describeEnvironment as describeComputeEnvironment,
  parseRuntimeXRay,
  xRayRuntimeEnvironment,
  type EnvironmentReport,
  type Finding,
  type RuntimeXRay,
} from "./environment/index.js";
export {
  negotiateModelPackages,
  type BatchSizeRequest,
  type DiscardedPackage,
  type Negotiation,
  type NegotiationInput,
  type NmsFusionPreferences,
  type ReasonCode,
} from "./negotiation/index.js";
export {
  getModelFromProvider,
  listOfflineModels,
  registerModelProvider,
  verifyOfflineModel,
  type ModelMetadataInput,
  type ModelPackageInput,
  type ModelProvider,
  type ProviderRequest,
} from "./providers/index.js";
export {
  downloadFilesToDirectory,
  FileResolutionCache,
  getModelPackageContents,
  listCache,
  pruneCache,
  removeFromCache,
  verifyCache,
  type AutoResolutionCache,
  type AutoResolutionCacheEntry,
  type CachedPackage,
  type CacheListing,
  type CacheVerification,
  type ProgressEvent,
} from "./store/index.js";
export type { ArtefactSpecs, ModelMetadata, ModelPackageMetadata } from "./packages/index.js";
export {
  TensorRtEngine,
  type TensorRtEngineOptions,
  type TensorRtMemory,
  type TensorRtProfile,
  type TensorRtStatistics,
} from "./engines/index.js";
export { configure, type Configuration } from "./configuration.js";
export { setLogger, type Logger } from "./logger.js";
export {
  VisionModelBase,
  type AnyModel,
  type CallOptions,
  type ClassificationModel,
  type DepthEstimationModel,
  type DetectionOptions,
  type ImageOptions,
  type KeyPointModel,
  type KeyPointOptions,
  type Model,
  type ModelInfo,
  type ModelOrigin,
  type ModelStatistics,
  type MultiLabelClassificationModel,
  type ObjectDetectionModel,
  type Prepared,
  type ScoreOptions,
  type SemanticSegmentationModel,
  type Skeleton,
  type Stages,
  type TaskType,
  type Threshold,
  type VisionModel,
  type VisionModelSettings,
} from "./models/index.js";
export {
  createClassification,
  createDepthMap,
  createDetections,
  createKeyPoints,
  createMultiLabelClassification,
  createSemanticSegmentation,
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
  ImageInfo,
  KeyPoints,
  MultiLabelClassification,
  Result,
  SemanticSegmentation,
  ServedBy,
  Timings,
} from "./results/index.js";
export { maskGeometry, mapPointsBack, type MaskGeometry } from "./imaging/index.js";
export type { ColorFormat, Geometry, ImageInput, PreprocessingOverrides, RawPixels } from "./imaging/index.js";
export * from "./errors.js";
