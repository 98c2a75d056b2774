export type * from "./types.js";
export { DEVICE_MAP_PIXELS } from "./types.js";
export { createInferenceSession, onnxRuntimeInfo, type OnnxRuntimeInfo } from "./onnx/create.js";
export { DeviceTensor } from "./tensorrt/device-tensor.js";
export {
  TensorRtEngine,
  type TensorRtEngineOptions,
  type TensorRtInputs,
  type TensorRtMemory,
  type TensorRtProfile,
  type TensorRtRunCounts,
  type TensorRtStatistics,
} from "./tensorrt/engine.js";
export {
  combineTimingCaches,
  compileNetwork,
  planVersion,
  type CompiledNetwork,
  type TensorRtBuildPhase,
  type TensorRtBuildProgress,
} from "./tensorrt/builder.js";
export { readNetworkCost } from "./tensorrt/build-cost.js";
export type { NetworkCost } from "./onnx/network-cost.js";
export { BUILD_SETTING_NAMES, type BatchRange, type TensorRtBuildSettings } from "./tensorrt/builder-options.js";
export { planBatches, type BatchChunk, type BatchLimits } from "./batching.js";
export { isPictureBatch } from "./tensors.js";
export { elementTypeFromOnnx, isCastable } from "./element-types.js";
export { float16ToFloat32, float32ToFloat16 } from "./float16.js";
