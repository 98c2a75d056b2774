export type { ClassMap, DenseMap, MapPlacement } from "./types.js";
export type { Decoder, DecodeSettings, DenseHead, DetectionDecoder, DetectionRows, QueriesHead, RowsHead } from "./types.js";
export { createDecoder } from "./create.js";
export { cpuDecoder } from "./cpu.js";
export { mapBoxesBack, type MapBackOptions } from "./map-back.js";
export { insertBackground, placementOf, sourceChannelIds } from "./placement.js";
export { referenceDecoder } from "./reference.js";
export { sigmoid } from "./sigmoid.js";
export { resolveThresholds, type Confidence, type ThresholdRequest } from "./thresholds.js";
