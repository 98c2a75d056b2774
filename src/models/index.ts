export type {
  AnyModel,
  CallOptions,
  ClassificationModel,
  DetectionOptions,
  ImageOptions,
  KeyPointModel,
  KeyPointOptions,
  Model,
  ModelInfo,
  ModelStatistics,
  MultiLabelClassificationModel,
  ObjectDetectionModel,
  Prepared,
  ScoreOptions,
  Skeleton,
  Stages,
  TaskType,
  Threshold,
  VisionModel,
} from "./contract.js";
export type { CommonDescription, Family, FamilyDescription, NetworkPorts, PackageContents } from "./family.js";
export { createDetectionDecoder, referenceDecoder, type DetectionDecoder } from "./decoding/index.js";
export { LoadedKeyPointModel, LoadedObjectDetectionModel, type ModelParts } from "./loaded-model.js";
export { LoadedClassificationModel, LoadedMultiLabelClassificationModel } from "./tasks/classification.js";
export { findImplementation, REGISTRY, type ImplementationQuery, type RegistryEntry } from "./registry.js";
export { VisionModelBase, type VisionModelSettings } from "./vision-model.js";
