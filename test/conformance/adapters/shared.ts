/** What several adapters say about pictures that the vectors leave out. */
import type { Geometry } from "../../../src/imaging/index.js";
import type { RecommendedParameters } from "../../../src/packages/index.js";

export const NO_IMAGE = { width: 1, height: 1, exifOrientation: 1, orientationApplied: false } as const;

const ONE = { width: 1, height: 1 };
export const NO_GEOMETRY: Geometry = {
  padLeft: 0,
  padTop: 0,
  padRight: 0,
  padBottom: 0,
  originalSize: ONE,
  sizeAfterPreProcessing: ONE,
  inferenceSize: ONE,
  scaleWidth: 1,
  scaleHeight: 1,
  staticCropOffset: { offsetX: 0, offsetY: 0, cropWidth: 1, cropHeight: 1 },
  nonsquareIntermediateSize: null,
};

export interface VectorRecommended {
  readonly confidence: number | null;
  readonly per_class_confidence: Readonly<Record<string, number>> | null;
}

export function recommendedOf(recommended: VectorRecommended | null | undefined): RecommendedParameters | null {
  if (recommended == null) return null;
  return { confidence: recommended.confidence, perClassConfidence: recommended.per_class_confidence };
}
