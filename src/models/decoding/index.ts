export type {
  CandidateMatrix,
  ClassMap,
  Decoder,
  DecodeSettings,
  DenseHead,
  DenseMap,
  DetectionDecoder,
  DetectionRows,
  KeyPointQueriesHead,
  LocatedInstances,
  LocatedPoints,
  MapFilter,
  MapPlacement,
  MaskHead,
  MaskRuns,
  MaskSelection,
  MaskTarget,
  QueriesHead,
  RowsHead,
} from "./types.js";
export { createDecoder } from "./create.js";
export { cpuDecoder } from "./cpu.js";
export { mapBoxesBack, type MapBackOptions } from "./map-back.js";
export { insertBackground, placementOf, sourceChannelIds } from "./placement.js";
export { pointCovariance } from "./reference-key-points.js";
export { referenceDecoder } from "./reference.js";
export { sigmoid } from "./sigmoid.js";
export { resolveThresholds, type Confidence, type ThresholdRequest } from "./thresholds.js";
export { interpolatePart } from "./shrink.js";
