export type * from "./types.js";
export {
  backendFilter,
  batchFilter,
  dynamicBatchBoundaries,
  implementationFilter,
  isWithin,
  quantizationFilter,
  servesBatch,
  trustFilter,
} from "./filters.js";
export { NEGOTIATION_DEFAULTS, negotiateModelPackages } from "./negotiate.js";
export { nmsFusionFilter, scoreWithinRange } from "./nms-fusion.js";
export { rankModelPackages } from "./ranking.js";
export {
  defaultQuantizations,
  parseBackend,
  parseBackends,
  parseBatchSize,
  parseDevice,
  parseQuantization,
  parseQuantizations,
} from "./request.js";
export { engineFits, gpusOf, matchRuntime, runtimeFilter, selectGpus } from "./runtime/index.js";
export { selectPackageById } from "./selection.js";
