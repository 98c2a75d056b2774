/** Detection of classes that are named with every call. */
import type { ImageInput } from "../../imaging/index.js";
import { invalidOption } from "../../options.js";
import { createDetections } from "../../results/index.js";
import type { Detections } from "../../results/index.js";
import type { OpenVocabularyOptions } from "../contract.js";
import type { DetectionColumns, MoreInputs, OpenVocabularyDescription, ResolvedOpenVocabularyOptions } from "../family.js";
import { LoadedModel, type ResultInfo } from "../loaded-model.js";
import { checkUnit, optionNotHonoured, resolveDetectionOptions, type OptionContext } from "../options.js";

/** What is missing from calls that forget the classes, whatever their types say. @throws InvalidOptionError */
function requireClasses(options: Partial<OpenVocabularyOptions> | undefined): readonly string[] {
  const classes: unknown = options?.classes;
  const valid = Array.isArray(classes) && classes.length > 0 && classes.every((name) => typeof name === "string");
  if (!valid) throw invalidOption("classes", 'the things to look for, as in ["a cat", "remote control"],', classes);
  return classes;
}

export class LoadedOpenVocabularyModel extends LoadedModel<
  "open-vocabulary-object-detection",
  OpenVocabularyDescription,
  OpenVocabularyOptions,
  ResolvedOpenVocabularyOptions,
  DetectionColumns,
  Detections
> {
  readonly task = "open-vocabulary-object-detection";

  protected override resolve(options: OpenVocabularyOptions, context: OptionContext): ResolvedOpenVocabularyOptions {
    const classes = requireClasses(options);
    const known = { ...context, classNames: classes };
    const { defaults } = this.parts.description;
    const { textConfidence = null } = options;
    if (textConfidence !== null) {
      checkUnit("textConfidence", textConfidence);
      if (defaults.textConfidence === null) optionNotHonoured("textConfidence", textConfidence, context);
    }
    return { ...resolveDetectionOptions(options, defaults, known, ["classes", "textConfidence"]), classes, textConfidence };
  }

  protected override predictBatch(
    images: readonly ImageInput[],
    options: OpenVocabularyOptions | undefined,
    called: number,
  ): Promise<Detections[]> {
    // Copied: the caller's list may change while the network runs.
    return super.predictBatch(images, { ...options, classes: [...requireClasses(options)] }, called);
  }

  protected override moreInputs(options: OpenVocabularyOptions | undefined): Promise<MoreInputs> {
    return this.parts.description.readClasses(requireClasses(options));
  }

  protected override present(columns: DetectionColumns, info: ResultInfo, { classes }: ResolvedOpenVocabularyOptions): Detections {
    return createDetections({ ...info, ...columns, classNames: classes });
  }

  /** With one class unless some are given. */
  override warmup(options?: OpenVocabularyOptions): Promise<void> {
    return super.warmup(options ?? { classes: ["object"] });
  }
}
