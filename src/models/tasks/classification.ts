/** One label for a picture, or any number of them. */
import type { Tensor } from "../../engines/index.js";
import type { Geometry } from "../../imaging/index.js";
import { createClassification, createMultiLabelClassification } from "../../results/index.js";
import type { Classification, MultiLabelClassification } from "../../results/index.js";
import type { ImageOptions, ScoreOptions } from "../contract.js";
import type {
  ClassificationFamily,
  CommonDescription,
  MultiLabelClassificationFamily,
  ResolvedScoreOptions,
  ScoreDescription,
} from "../family.js";
import { LoadedModel, type ResultInfo } from "../loaded-model.js";
import { checkImageOptions, resolveScoreOptions, type ImageOptionContext } from "../options.js";

export class LoadedClassificationModel extends LoadedModel<
  "classification",
  ClassificationFamily,
  CommonDescription,
  ImageOptions,
  object,
  Float32Array,
  Classification
> {
  readonly task = "classification";

  protected override resolve(options: ImageOptions = {}, context: ImageOptionContext): object {
    checkImageOptions(options, context);
    return options;
  }

  protected override decode(outputs: readonly Tensor[], image: number, geometry: Geometry, options: object): Promise<Float32Array> {
    const { family, description } = this.parts;
    return family.decode(outputs, image, geometry, description, options, null);
  }

  protected override present(probabilities: Float32Array, info: ResultInfo): Classification {
    return createClassification({ ...info, probabilities, classNames: this.classNames });
  }
}

interface Scored {
  readonly probabilities: Float32Array;
  readonly thresholds: Float32Array;
}

export class LoadedMultiLabelClassificationModel extends LoadedModel<
  "multi-label-classification",
  MultiLabelClassificationFamily,
  ScoreDescription,
  ScoreOptions,
  ResolvedScoreOptions,
  Scored,
  MultiLabelClassification
> {
  readonly task = "multi-label-classification";

  protected override resolve(options: ScoreOptions = {}, context: ImageOptionContext): ResolvedScoreOptions {
    return resolveScoreOptions(options, { ...context, defaults: this.parts.description.defaults });
  }

  protected override async decode(
    outputs: readonly Tensor[],
    image: number,
    geometry: Geometry,
    options: ResolvedScoreOptions,
  ): Promise<Scored> {
    const { family, description } = this.parts;
    const probabilities = await family.decode(outputs, image, geometry, description, options, null);
    return { probabilities, thresholds: options.thresholds };
  }

  protected override present({ probabilities, thresholds }: Scored, info: ResultInfo): MultiLabelClassification {
    return createMultiLabelClassification({
      ...info,
      probabilities,
      classIds: labelsAbove(probabilities, thresholds),
      classNames: this.classNames,
    });
  }
}

/** Ids of the classes at or above their threshold, ascending; compared in float32. */
export function labelsAbove(probabilities: Float32Array, thresholds: Float32Array): Int32Array {
  const threshold = (id: number): number => (thresholds.length === 1 ? thresholds[0] : thresholds[id]) ?? Number.NaN;
  return Int32Array.from([...probabilities.keys()].filter((id) => (probabilities[id] ?? Number.NaN) >= threshold(id)));
}
