/** One label for a picture, or any number of them. */
import { createClassification, createMultiLabelClassification } from "../../results/index.js";
import type { Classification, MultiLabelClassification } from "../../results/index.js";
import type { ImageOptions, ScoreOptions } from "../contract.js";
import type { FamilyDescription, LabelColumns, ResolvedScoreOptions, ScoreDescription } from "../family.js";
import { LoadedModel, type ResultInfo } from "../loaded-model.js";
import { checkImageOptions, resolveScoreOptions, type OptionContext } from "../options.js";

export class LoadedClassificationModel extends LoadedModel<
  "classification",
  FamilyDescription,
  ImageOptions,
  ImageOptions,
  Float32Array,
  Classification
> {
  readonly task = "classification";

  protected override resolve(options: ImageOptions, context: OptionContext): ImageOptions {
    checkImageOptions(options, [], context);
    return options;
  }

  protected override present(probabilities: Float32Array, info: ResultInfo): Classification {
    return createClassification({ ...info, probabilities, classNames: this.classNames });
  }
}

export class LoadedMultiLabelClassificationModel extends LoadedModel<
  "multi-label-classification",
  ScoreDescription,
  ScoreOptions,
  ResolvedScoreOptions,
  LabelColumns,
  MultiLabelClassification
> {
  readonly task = "multi-label-classification";

  protected override resolve(options: ScoreOptions, context: OptionContext): ResolvedScoreOptions {
    return resolveScoreOptions(options, this.parts.description.defaults, context);
  }

  protected override present(columns: LabelColumns, info: ResultInfo): MultiLabelClassification {
    return createMultiLabelClassification({ ...info, ...columns, classNames: this.classNames });
  }
}
