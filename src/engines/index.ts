export type * from "./types.js";
export { createInferenceSession, onnxRuntimeInfo, type OnnxRuntimeInfo } from "./onnx/create.js";
export { planBatches, type BatchChunk, type BatchLimits } from "./batching.js";
export { elementArray, elementBytes, elementTypeFromOnnx, isCastable } from "./element-types.js";
