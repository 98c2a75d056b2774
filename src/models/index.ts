export type {
  AnyModel,
  CallOptions,
  DetectionOptions,
  ImageOptions,
  KeyPointModel,
  KeyPointOptions,
  Model,
  ModelInfo,
  ModelStatistics,
  ObjectDetectionModel,
  Prepared,
  Skeleton,
  Stages,
  TaskType,
  Threshold,
  VisionModel,
} from "./contract.js";
export type { Family, FamilyDescription, NetworkPorts, PackageContents } from "./family.js";
export { createDetectionDecoder, referenceDecoder, type DetectionDecoder } from "./decoding/index.js";
export { LoadedKeyPointModel, LoadedObjectDetectionModel, type ModelParts } from "./loaded-model.js";
export { findImplementation, REGISTRY, type ImplementationQuery, type RegistryEntry } from "./registry.js";
export { VisionModelBase, type VisionModelSettings } from "./vision-model.js";
