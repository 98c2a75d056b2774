import { createGaze } from "../../results/index.js";
import type { Gaze } from "../../results/index.js";
import type { ImageOptions } from "../contract.js";
import type { FamilyDescription, GazeAngles } from "../family.js";
import { LoadedModel, type ResultInfo } from "../loaded-model.js";
import { checkImageOptions, type OptionContext } from "../options.js";

export class LoadedGazeDetectionModel extends LoadedModel<
  "gaze-detection",
  FamilyDescription,
  ImageOptions,
  ImageOptions,
  GazeAngles,
  Gaze
> {
  readonly task = "gaze-detection";

  protected override resolve(options: ImageOptions, context: OptionContext): ImageOptions {
    checkImageOptions(options, [], context);
    return options;
  }

  protected override present(angles: GazeAngles, info: ResultInfo): Gaze {
    return createGaze({ ...info, ...angles });
  }
}
