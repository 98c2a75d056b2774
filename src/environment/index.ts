export type * from "./types.js";
export { describeEnvironment } from "./report.js";
export { toRuntimeXRay, xRayRuntimeEnvironment } from "./x-ray.js";
export { parseRuntimeXRay } from "./x-ray-json.js";
export { defaultOnnxExecutionProviders, providerShortName } from "./execution-providers.js";
export { LIBRARY_VARIABLE, onnxRuntimeNodeDirectory, openRuntime, resolveLibrary, type OpenedRuntime } from "./onnx-library.js";
