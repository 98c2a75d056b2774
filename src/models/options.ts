import { logger } from "../logger.js";
import { invalidOption, requireKnownOptions } from "../options.js";
import type { RecommendedParameters } from "../packages/index.js";
import type { ImageOptions, KeyPointOptions, TaskType, Threshold } from "./contract.js";
import { resolveThresholds } from "./decoding/index.js";
import type { DetectionDefaults, ResolvedDetectionOptions, ResolvedScoreOptions } from "./family.js";

const IMAGE_OPTIONS = ["signal", "imageSize", "preprocessing", "exifOrientation"] as const;
const DETECTION_OPTIONS = [...IMAGE_OPTIONS, "confidence", "iouThreshold", "maxDetections", "classAgnosticNms", "rounding"] as const;

/** Options of each task, as `predict` accepts them. */
export const TASK_OPTIONS = {
  "object-detection": DETECTION_OPTIONS,
  "keypoint-detection": [...DETECTION_OPTIONS, "keyPointThreshold"],
} as const satisfies Readonly<Record<string, readonly (keyof KeyPointOptions)[]>>;

export interface OptionContext extends ImageOptionContext {
  readonly task: keyof typeof TASK_OPTIONS;
  readonly defaults: DetectionDefaults;
}

/** What the options of any task that looks at pictures are checked against. */
export interface ImageOptionContext {
  readonly task: TaskType;
  readonly acceptsImageSize: boolean;
  readonly classNames: readonly string[];
  readonly recommended: RecommendedParameters | null;
  /** Options that this model cannot honour are errors rather than one warning each. */
  readonly strict: boolean;
  /** Names that were warned about already. */
  readonly warned: Set<string>;
}

function checkUnit(name: string, value: number | undefined): void {
  if (value !== undefined && !(typeof value === "number" && value >= 0 && value <= 1))
    throw invalidOption(name, "a number between 0 and 1", value);
}

/** An error where options are strict, else one warning for each name. @throws InvalidOptionError */
export function optionNotHonoured(name: string, given: unknown, { strict, warned }: Pick<ImageOptionContext, "strict" | "warned">): void {
  if (strict) throw invalidOption(name, "nothing (strictOptions is set and this model cannot honour it)", given);
  if (warned.has(name)) return;
  warned.add(name);
  logger().warn(`This model cannot honour the option "${name}": its network has no such step, or it is built into the graph.`);
}

/** Names and values of the options that every task on pictures has. @throws InvalidOptionError */
export function checkImageOptions(options: ImageOptions, context: ImageOptionContext, names: readonly string[] = IMAGE_OPTIONS): void {
  requireKnownOptions(options, names, `predict of ${context.task}`);
  const { exifOrientation, preprocessing } = options;
  if (exifOrientation !== undefined && !["apply", "ignore"].includes(exifOrientation)) {
    throw invalidOption("exifOrientation", '"apply" or "ignore"', exifOrientation);
  }
  if (preprocessing !== undefined) requireKnownOptions(preprocessing, ["staticCrop", "grayscale", "contrast"], "preprocessing");
  if (options.imageSize !== undefined && !context.acceptsImageSize) optionNotHonoured("imageSize", options.imageSize, context);
}

/** Options of tasks whose only choice is how sure a class has to be. @throws InvalidOptionError */
export function resolveScoreOptions(
  options: ImageOptions & { readonly confidence?: Threshold },
  context: ImageOptionContext & { readonly defaults: { readonly confidence: number } },
): ResolvedScoreOptions {
  checkImageOptions(options, context, [...IMAGE_OPTIONS, "confidence"]);
  const { defaults, recommended, classNames } = context;
  const { confidence = "default" } = options;
  return { thresholds: resolveThresholds({ confidence, defaultConfidence: defaults.confidence, recommended, classNames }) };
}

/** Validates the options of one call and fills in defaults. @throws InvalidOptionError */
export function resolveDetectionOptions(options: KeyPointOptions, context: OptionContext): ResolvedDetectionOptions {
  checkImageOptions(options, context, TASK_OPTIONS[context.task]);
  const { defaults } = context;
  checkUnit("iouThreshold", options.iouThreshold);
  checkUnit("keyPointThreshold", options.keyPointThreshold);
  const { maxDetections, classAgnosticNms, rounding = "half-even" } = options;
  if (maxDetections !== undefined && !(Number.isSafeInteger(maxDetections) && maxDetections >= 0)) {
    throw invalidOption("maxDetections", "an integer that is not negative", maxDetections);
  }
  if (classAgnosticNms !== undefined && typeof classAgnosticNms !== "boolean")
    throw invalidOption("classAgnosticNms", "a boolean", classAgnosticNms);
  if (!["half-even", "none"].includes(rounding)) throw invalidOption("rounding", '"half-even" or "none"', rounding);

  const ignored = (name: string, given: unknown, honoured: boolean): void => {
    if (given !== undefined && !honoured) optionNotHonoured(name, given, context);
  };
  ignored("iouThreshold", options.iouThreshold, defaults.iouThreshold !== null);
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
    iouThreshold: defaults.iouThreshold === null ? null : (options.iouThreshold ?? defaults.iouThreshold),
    maxDetections: defaults.maxDetections === null ? null : (maxDetections ?? defaults.maxDetections),
    classAgnosticNms: classAgnosticNms ?? defaults.classAgnosticNms ?? false,
    rounding,
  };
}
