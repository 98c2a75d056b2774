export type * from "./types.js";
export { cropRectangle, rectangleWithin } from "./crop.js";
export { cpuExecutor, createPreprocessExecutor, openCudaExecutor } from "./executors.js";
export { loadPicture, preloadDecoder, type ImageInput, type PictureOptions } from "./input.js";
export {
  compilePreprocessPlan,
  compileSamplePlan,
  patchSize,
  requireBatchable,
  resolvePreprocess,
  roundUpToMultiple,
  type PreprocessPlan,
  type ResizePlan,
  type ResolvedPreprocess,
  type ResolveOptions,
  type SamplePlan,
} from "./plan.js";
export { compileCornerPlan, cornerSize, zeroPadded, type CornerPlan } from "./corner-plans.js";
export { compileEdgePlan, type EdgePlan } from "./edge-plans.js";
export { roundHalfEven } from "./rounding.js";
export { cropQuadrilateral, cropQuadrilaterals, quadrilateralSize, turnLeft, type Corners } from "./perspective.js";
export { compileSmoothPlan, type SmoothPlan } from "./smooth-plans.js";
export { sideLimitSize, textLineWidth, type SideLimitPlan, type TextLinePlan } from "./text-plans.js";
export { maskGeometry, mapPointsBack, type MaskGeometry } from "./way-back.js";
export { antialiasTaps, type AntialiasKernel, type AntialiasTap } from "./reference/antialias.js";
export { referenceExecutor } from "./reference/executor.js";
