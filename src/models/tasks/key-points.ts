import { createDetections, createKeyPoints } from "../../results/index.js";
import type { KeyPoints } from "../../results/index.js";
import type { KeyPointOptions, Skeleton } from "../contract.js";
import type { KeyPointColumns, KeyPointDescription, ResolvedKeyPointOptions } from "../family.js";
import { LoadedModel, type ResultInfo } from "../loaded-model.js";
import { resolveKeyPointOptions, type OptionContext } from "../options.js";

export class LoadedKeyPointModel extends LoadedModel<
  "keypoint-detection",
  KeyPointDescription,
  KeyPointOptions,
  ResolvedKeyPointOptions,
  KeyPointColumns,
  KeyPoints
> {
  readonly task = "keypoint-detection";

  get skeletons(): readonly Skeleton[] {
    return this.parts.description.skeletons;
  }

  protected override resolve(options: KeyPointOptions, context: OptionContext): ResolvedKeyPointOptions {
    return resolveKeyPointOptions(options, this.parts.description.defaults, context);
  }

  protected override present({ points, pointConfidence, covariance, ...columns }: KeyPointColumns, info: ResultInfo): KeyPoints {
    const { slots, skeletons } = this.parts.description;
    const detections = createDetections({ ...info, ...columns, classNames: this.classNames });
    return createKeyPoints({ ...info, detections, slots, xy: points, confidence: pointConfidence, covariance, classes: skeletons });
  }
}
