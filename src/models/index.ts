export type {
  AnyModel,
  CallOptions,
  ClassificationModel,
  DepthEstimationModel,
  DetectionOptions,
  EmbeddingModel,
  EmbedOptions,
  ImageEmbedding,
  InteractiveSegmentationModel,
  PromptOptions,
  SegmentationPrompt,
  SegmentRequest,
  EmbeddingSource,
  GazeDetectionModel,
  ImageOptions,
  InstanceSegmentationModel,
  KeyPointModel,
  KeyPointOptions,
  Model,
  ModelInfo,
  ModelOrigin,
  ModelStatistics,
  MultiLabelClassificationModel,
  ObjectDetectionModel,
  OpenVocabularyDetectionModel,
  OpenVocabularyOptions,
  Prepared,
  ScoreOptions,
  SegmentationOptions,
  SemanticSegmentationModel,
  Skeleton,
  Stages,
  TaskType,
  TextOnlyOCRModel,
  Threshold,
  VisionModel,
} from "./contract.js";
export type { Family, FamilyDescription, NetworkPorts, PackageContents, PackageText } from "./family.js";
export { decodesOnDevice } from "./device-decoding.js";
export { EmbeddingCache } from "./embedding-cache.js";
export { MaskCache } from "./mask-cache.js";
export { createDecoder, referenceDecoder } from "./decoding/index.js";
export { imagePort, type ModelParts } from "./loaded-model.js";
export { findImplementation, hasImplementation, REGISTRY, type ImplementationQuery, type RegistryEntry } from "./registry.js";
export { createModel } from "./tasks/index.js";
export { VisionModelBase, type VisionModelSettings } from "./vision-model.js";
