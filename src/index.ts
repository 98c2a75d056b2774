/** The public surface: everything a user may import, by name. */

export { AutoModel, type AutoModelOptions } from "./auto/index.js";
export { describeEnvironment, type EnvironmentReport, type Finding } from "./environment/index.js";
export { configure, type Configuration } from "./configuration.js";
export { setLogger, type Logger } from "./logger.js";
export {
  VisionModelBase,
  type AnyModel,
  type CallOptions,
  type DetectionOptions,
  type ImageOptions,
  type KeyPointModel,
  type KeyPointOptions,
  type Model,
  type ModelInfo,
  type ModelStatistics,
  type ObjectDetectionModel,
  type Prepared,
  type Skeleton,
  type Stages,
  type TaskType,
  type Threshold,
  type VisionModel,
  type VisionModelSettings,
} from "./models/index.js";
export { createDetections, createKeyPoints, fromTransferable, toTransferable, type ResultData } from "./results/index.js";
export type { Detection, Detections, ImageInfo, KeyPoints, ServedBy, Timings } from "./results/index.js";
export { maskGeometry, mapPointsBack, type MaskGeometry } from "./imaging/index.js";
export type { ColorFormat, Geometry, ImageInput, PreprocessingOverrides, RawPixels } from "./imaging/index.js";
export {
  getModelFromProvider,
  listOfflineModels,
  registerModelProvider,
  unregisterModelProvider,
  verifyOfflineModel,
  type ArtefactInput,
  type ModelMetadataInput,
  type ModelPackageInput,
  type ModelProvider,
  type OfflineArtefactStatus,
  type OfflineModelStatus,
  type OfflinePackageStatus,
  type PackagePresence,
  type ProviderOptions,
  type ProviderRequest,
  type VerifyOptions,
} from "./providers/index.js";
export type {
  ArtefactSpecs,
  BackendType,
  EnvironmentRequirements,
  ModelDependency,
  ModelMetadata,
  ModelPackageMetadata,
  Quantization,
  RecommendedParameters,
} from "./packages/index.js";
export * from "./errors.js";
