/** Pictures of single lines to their text. */
import { textLineWidth, type Picture, type PreprocessPlan } from "../../imaging/index.js";
import { createTextResult } from "../../results/index.js";
import type { TextResult } from "../../results/index.js";
import type { ImageOptions } from "../contract.js";
import type { ReadText, TextRecognitionDescription } from "../family.js";
import { LoadedModel, type ResultInfo } from "../loaded-model.js";
import { checkImageOptions, type OptionContext } from "../options.js";

/** Lines of one call share a width, which is decided for so many of them at a time. */
const LINES_OF_ONE_WIDTH = 1024;

export class LoadedTextRecognitionModel extends LoadedModel<
  "text-only-ocr",
  TextRecognitionDescription,
  ImageOptions,
  ImageOptions,
  ReadText,
  TextResult
> {
  readonly task = "text-only-ocr";
  protected override readonly largestBatch = LINES_OF_ONE_WIDTH;

  protected override planFor(pictures: readonly Picture[]): PreprocessPlan {
    const { plan, minimumWidth } = this.parts.description;
    const { height } = plan.defaultSize;
    return { ...plan, defaultSize: { width: textLineWidth(pictures, height, minimumWidth), height } };
  }

  protected override resolve(options: ImageOptions, context: OptionContext): ImageOptions {
    checkImageOptions(options, [], context);
    return options;
  }

  protected override present(line: ReadText, info: ResultInfo): TextResult {
    return createTextResult({ ...info, text: line.text, lines: [line], detections: null });
  }
}
