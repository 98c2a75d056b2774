export { buildTensorRtEngine, type BuildTensorRtEngineOptions, type BuiltTensorRtEngine, type TensorRtBuildReport } from "./build.js";
export { compileModel, type CompiledModel, type CompileModelOptions, type CompileProgress } from "./compile-model.js";
export { inspectEngine, type EngineInspection, type InspectEngineOptions, type LoadedEngineFacts } from "./inspect.js";
export type { TimingCacheReport } from "./timing-cache.js";
