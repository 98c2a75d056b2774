import { ModelInputError } from "../errors.js";
import { logger } from "../logger.js";
import { invalidOption, requireKnownOptions } from "../options.js";
import type { RecommendedParameters } from "../packages/index.js";
import type { DetectionOptions, ImageOptions, KeyPointOptions, ScoreOptions, SegmentationOptions, TaskType } from "./contract.js";
import { resolveThresholds } from "./decoding/index.js";
import type {
  DetectionDefaults,
  KeyPointDefaults,
  ResolvedDetectionOptions,
  ResolvedKeyPointOptions,
  ResolvedScoreOptions,
  ResolvedSegmentationOptions,
  SegmentationDefaults,
} from "./family.js";

const IMAGE_OPTIONS = ["signal", "imageSize", "preprocessing", "exifOrientation"] as const satisfies readonly (keyof ImageOptions)[];
const DETECTION_OPTIONS = [
  "confidence",
  "iouThreshold",
  "maxDetections",
  "classAgnosticNms",
  "rounding",
] as const satisfies readonly Exclude<keyof DetectionOptions, keyof ImageOptions>[];

/** What the meaning of an option depends on beside its value. */
export interface OptionContext {
  readonly task: TaskType;
  readonly acceptsImageSize: boolean;
  readonly classNames: readonly string[];
  readonly recommended: RecommendedParameters | null;
  /** Options that this model cannot honour are errors rather than one warning each. */
  readonly strict: boolean;
  /** Names that were warned about already. */
  readonly warned: Set<string>;
}

/** @throws InvalidOptionError */
export function checkUnit(name: string, value: number | undefined): void {
  if (value !== undefined && !(typeof value === "number" && value >= 0 && value <= 1))
    throw invalidOption(name, "a number between 0 and 1", value);
}

/** An error where options are strict, else one warning for each name. @throws InvalidOptionError */
export function optionNotHonoured(name: string, given: unknown, { strict, warned }: Pick<OptionContext, "strict" | "warned">): void {
  if (strict) throw invalidOption(name, "nothing (strictOptions is set and this model cannot honour it)", given);
  if (warned.has(name)) return;
  warned.add(name);
  logger().warn(`This model cannot honour the option "${name}": its network has no such step, or it is built into the graph.`);
}

/**
 * What `predict` of every task checks: names, and the options about pictures.
 *
 * @param own names of the options that the task has beside those about pictures.
 * @throws InvalidOptionError
 */
export function checkImageOptions(options: ImageOptions, own: readonly string[], context: OptionContext): void {
  requireKnownOptions(options, [...IMAGE_OPTIONS, ...own], `predict of ${context.task}`);
  const { exifOrientation, preprocessing, imageSize } = options;
  if (exifOrientation !== undefined && !["apply", "ignore"].includes(exifOrientation)) {
    throw invalidOption("exifOrientation", '"apply" or "ignore"', exifOrientation);
  }
  if (preprocessing !== undefined) requireKnownOptions(preprocessing, ["staticCrop", "grayscale", "contrast"], "preprocessing");
  if (imageSize !== undefined && !context.acceptsImageSize) optionNotHonoured("imageSize", imageSize, context);
}

/**
 * Validates the options of one call and fills in defaults.
 *
 * @param more names of options that the task has beside a detector's; the caller resolves them.
 * @throws InvalidOptionError
 */
export function resolveDetectionOptions(
  options: DetectionOptions,
  defaults: DetectionDefaults,
  context: OptionContext,
  more: readonly string[] = [],
): ResolvedDetectionOptions {
  checkImageOptions(options, [...DETECTION_OPTIONS, ...more], context);
  const { iouThreshold, maxDetections, classAgnosticNms, rounding = "half-even" } = options;
  checkUnit("iouThreshold", iouThreshold);
  if (maxDetections !== undefined && !(Number.isSafeInteger(maxDetections) && maxDetections >= 0)) {
    throw invalidOption("maxDetections", "an integer that is not negative", maxDetections);
  }
  if (classAgnosticNms !== undefined && typeof classAgnosticNms !== "boolean")
    throw invalidOption("classAgnosticNms", "a boolean", classAgnosticNms);
  if (!["half-even", "none"].includes(rounding)) throw invalidOption("rounding", '"half-even" or "none"', rounding);

  const ignored = (name: string, given: unknown, honoured: boolean): void => {
    if (given !== undefined && !honoured) optionNotHonoured(name, given, context);
  };
  ignored("iouThreshold", iouThreshold, defaults.iouThreshold !== null);
  ignored("maxDetections", maxDetections, defaults.maxDetections !== null);
  ignored("classAgnosticNms", classAgnosticNms, defaults.classAgnosticNms !== null);

  const confidence = options.confidence ?? "default";
  return {
    confidence,
    thresholds: resolveThresholds({
      confidence,
      defaultConfidence: defaults.confidence,
      recommended: context.recommended,
      classNames: context.classNames,
    }),
    iouThreshold: defaults.iouThreshold === null ? null : (iouThreshold ?? defaults.iouThreshold),
    maxDetections: defaults.maxDetections === null ? null : (maxDetections ?? defaults.maxDetections),
    classAgnosticNms: classAgnosticNms ?? defaults.classAgnosticNms ?? false,
    rounding,
  };
}

/** As {@link resolveDetectionOptions}, with the options of masks. */
export function resolveSegmentationOptions(
  options: SegmentationOptions,
  defaults: SegmentationDefaults,
  context: OptionContext,
): ResolvedSegmentationOptions {
  const boxes = resolveDetectionOptions(options, defaults, context, ["maskFormat", "smoothMasks", "maskThreshold"]);
  const { maskFormat = "rle", smoothMasks, maskThreshold } = options;
  if (!["rle", "dense"].includes(maskFormat))
    throw new ModelInputError(`The option "maskFormat" is ${JSON.stringify(maskFormat)}. It has to be "rle" or "dense".`);
  if (smoothMasks !== undefined && typeof smoothMasks !== "boolean") throw invalidOption("smoothMasks", "a boolean", smoothMasks);
  if (maskThreshold !== undefined && !Number.isFinite(maskThreshold)) throw invalidOption("maskThreshold", "a number", maskThreshold);
  if (!defaults.masksAdjustable) {
    for (const [name, given] of Object.entries({ smoothMasks, maskThreshold })) {
      if (given !== undefined) optionNotHonoured(name, given, context);
    }
    return { ...boxes, maskFormat, smoothMasks: defaults.smoothMasks, maskThreshold: defaults.maskThreshold };
  }
  return {
    ...boxes,
    maskFormat,
    smoothMasks: smoothMasks ?? defaults.smoothMasks,
    maskThreshold: maskThreshold ?? defaults.maskThreshold,
  };
}

/** As {@link resolveDetectionOptions}, with the options of key points. */
export function resolveKeyPointOptions(
  options: KeyPointOptions,
  defaults: KeyPointDefaults,
  context: OptionContext,
): ResolvedKeyPointOptions {
  const { keyPointThreshold } = options;
  checkUnit("keyPointThreshold", keyPointThreshold);
  if (keyPointThreshold !== undefined && defaults.keyPointThreshold === null)
    optionNotHonoured("keyPointThreshold", keyPointThreshold, context);
  return {
    ...resolveDetectionOptions(options, defaults, context, ["keyPointThreshold"]),
    keyPointThreshold: defaults.keyPointThreshold === null ? 0 : (keyPointThreshold ?? defaults.keyPointThreshold),
  };
}

/** Options of tasks whose only choice is how sure a class has to be. @throws InvalidOptionError */
export function resolveScoreOptions(
  options: ScoreOptions,
  defaults: { readonly confidence: number },
  context: OptionContext,
): ResolvedScoreOptions {
  checkImageOptions(options, ["confidence"], context);
  const { recommended, classNames } = context;
  const { confidence = "default" } = options;
  return { thresholds: resolveThresholds({ confidence, defaultConfidence: defaults.confidence, recommended, classNames }) };
}
