export { buildTensorRtEngine, type BuildTensorRtEngineOptions, type BuiltTensorRtEngine, type TensorRtBuildReport } from "./build.js";
export type { BuildSeconds } from "./build-history.js";
export { compileModel, type CompiledModel } from "./compile-model.js";
export { estimateTensorRtBuild, type EstimateTensorRtBuildOptions, type TensorRtBuildEstimate } from "./estimate.js";
export type { EstimateGpu } from "./gpu.js";
export { inspectEngine, type EngineInspection, type InspectEngineOptions, type LoadedEngineFacts } from "./inspect.js";
export { planCompilation, type CompilationPlan } from "./plan.js";
export type { CompileModelOptions, CompileProgress } from "./preparation.js";
export type { TimingCacheReport } from "./timing-cache.js";
