import { createDetections, createKeyPoints } from "../../results/index.js";
import type { KeyPoints } from "../../results/index.js";
import type { KeyPointOptions, Skeleton } from "../contract.js";
import type { KeyPointColumns, KeyPointDescription, ResolvedDetectionOptions } from "../family.js";
import { LoadedModel, type ResultInfo } from "../loaded-model.js";
import { resolveKeyPointOptions, type OptionContext } from "../options.js";

export class LoadedKeyPointModel extends LoadedModel<
  "keypoint-detection",
  KeyPointDescription,
  KeyPointOptions,
  ResolvedDetectionOptions,
  KeyPointColumns,
  KeyPoints
> {
  readonly task = "keypoint-detection";

  get skeletons(): readonly Skeleton[] {
    return this.parts.description.skeletons;
  }

  protected override resolve(options: KeyPointOptions, context: OptionContext): ResolvedDetectionOptions {
    return resolveKeyPointOptions(options, this.parts.description.defaults, context);
  }

  protected override present({ points, pointConfidence, ...columns }: KeyPointColumns, info: ResultInfo): KeyPoints {
    const { slots, skeletons } = this.parts.description;
    const detections = createDetections({ ...info, ...columns, classNames: this.classNames });
    return createKeyPoints({ ...info, detections, slots, xy: points, confidence: pointConfidence, classes: skeletons });
  }
}
