import { InvalidOptionError } from "../../errors.js";
import type { RecommendedParameters } from "../../packages/index.js";

/**
 * How sure a detection has to be: a number from 0 to 1 for all classes, the family's default, or what the model's author
 * recommends (falling back to the default).
 */
export type Confidence = number | "default" | "best";

export interface ThresholdRequest {
  readonly confidence: Confidence;
  /** The family's default, 0..1. */
  readonly defaultConfidence: number;
  readonly recommended: RecommendedParameters | null;
  /** By reported class id. */
  readonly classNames: readonly string[];
}

/**
 * The threshold(s) of one call, float32: one value for all classes, or one per class id.
 *
 * A recommended map of classes counts only beside a recommended global value, which serves the classes that the map leaves
 * out: without it the reference ignores the map, and so do we.
 *
 * @throws InvalidOptionError when `confidence` is neither a number from 0 to 1 nor one of the two words.
 */
export function resolveThresholds({ confidence, defaultConfidence, recommended, classNames }: ThresholdRequest): Float32Array {
  // What comes from JavaScript may be anything.
  const given: unknown = confidence;
  if (typeof given === "number") {
    if (given >= 0 && given <= 1) return Float32Array.of(given);
  } else if (given === "default") {
    return Float32Array.of(defaultConfidence);
  } else if (given === "best") {
    return recommendedThresholds(recommended, classNames) ?? Float32Array.of(defaultConfidence);
  }
  throw new InvalidOptionError(
    `confidence is ${typeof given === "string" ? JSON.stringify(given) : String(given)}. It has to be a number from 0 to 1, "default" or "best". For 40 percent pass 0.4.`,
    { parameter: "confidence" },
  );
}

function recommendedThresholds(recommended: RecommendedParameters | null, classNames: readonly string[]): Float32Array | null {
  const general = recommended?.confidence ?? null;
  if (general === null) return null;
  const perClass = new Map(Object.entries(recommended?.perClassConfidence ?? {}));
  if (perClass.size === 0 || classNames.length === 0) return Float32Array.of(general);
  return Float32Array.from(classNames, (name) => perClass.get(name) ?? general);
}
