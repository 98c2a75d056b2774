import { createDetections } from "../../results/index.js";
import type { Detections } from "../../results/index.js";
import type { DetectionOptions } from "../contract.js";
import type { BoxesDescription, DetectionColumns, ResolvedDetectionOptions } from "../family.js";
import { LoadedModel, type ResultInfo } from "../loaded-model.js";
import { resolveDetectionOptions, type OptionContext } from "../options.js";

export class LoadedObjectDetectionModel extends LoadedModel<
  "object-detection",
  BoxesDescription,
  DetectionOptions,
  ResolvedDetectionOptions,
  DetectionColumns,
  Detections
> {
  readonly task = "object-detection";

  protected override resolve(options: DetectionOptions, context: OptionContext): ResolvedDetectionOptions {
    return resolveDetectionOptions(options, this.parts.description.defaults, context);
  }

  protected override present(columns: DetectionColumns, info: ResultInfo): Detections {
    return createDetections({ ...info, ...columns, classNames: this.classNames });
  }
}
