/** One value for every pixel: a class, or a distance. */
import { createDepthMap, createSemanticSegmentation } from "../../results/index.js";
import type { DepthMap, SemanticSegmentation } from "../../results/index.js";
import type { ImageOptions, ScoreOptions } from "../contract.js";
import type { ClassMap } from "../decoding/index.js";
import type { DepthDescription, ResolvedScoreOptions, SemanticDescription } from "../family.js";
import { LoadedModel, type ResultInfo } from "../loaded-model.js";
import { checkImageOptions, resolveScoreOptions, type OptionContext } from "../options.js";

export class LoadedSemanticSegmentationModel extends LoadedModel<
  "semantic-segmentation",
  SemanticDescription,
  ScoreOptions,
  ResolvedScoreOptions,
  ClassMap,
  SemanticSegmentation
> {
  readonly task = "semantic-segmentation";

  get backgroundId(): number {
    return this.parts.description.backgroundId;
  }

  protected override resolve(options: ScoreOptions, context: OptionContext): ResolvedScoreOptions {
    return resolveScoreOptions(options, this.parts.description.defaults, context);
  }

  protected override present(map: ClassMap, info: ResultInfo): SemanticSegmentation {
    return createSemanticSegmentation({ ...info, ...map, backgroundId: this.backgroundId, classNames: this.classNames });
  }
}

export class LoadedDepthEstimationModel extends LoadedModel<
  "depth-estimation",
  DepthDescription,
  ImageOptions,
  ImageOptions,
  Float32Array,
  DepthMap
> {
  readonly task = "depth-estimation";

  protected override resolve(options: ImageOptions, context: OptionContext): ImageOptions {
    checkImageOptions(options, [], context);
    return options;
  }

  protected override present(values: Float32Array, info: ResultInfo): DepthMap {
    return createDepthMap({ ...info, values, unit: this.parts.description.unit });
  }
}
