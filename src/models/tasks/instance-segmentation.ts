import { convertMasks, createDetections, createInstanceDetections, createMasks } from "../../results/index.js";
import type { InstanceDetections } from "../../results/index.js";
import type { SegmentationOptions } from "../contract.js";
import type { InstanceColumns, ResolvedSegmentationOptions, SegmentationDescription } from "../family.js";
import { LoadedModel, type ResultInfo } from "../loaded-model.js";
import { resolveSegmentationOptions, type OptionContext } from "../options.js";

export class LoadedInstanceSegmentationModel extends LoadedModel<
  "instance-segmentation",
  SegmentationDescription,
  SegmentationOptions,
  ResolvedSegmentationOptions,
  InstanceColumns,
  InstanceDetections
> {
  readonly task = "instance-segmentation";

  protected override resolve(options: SegmentationOptions, context: OptionContext): ResolvedSegmentationOptions {
    return resolveSegmentationOptions(options, this.parts.description.defaults, context);
  }

  protected override present(
    { masks, ...columns }: InstanceColumns,
    info: ResultInfo,
    options: ResolvedSegmentationOptions,
  ): InstanceDetections {
    const { width, height } = info.image;
    const runs = createMasks({ format: "rle", width, height, ...masks });
    return createInstanceDetections({
      detections: createDetections({ ...info, ...columns, classNames: this.classNames }),
      masks: convertMasks(runs, options.maskFormat),
    });
  }
}
