/** Finds the lines of text in a picture and reads them: detector, perspective crops, recogniser. */
import { ModelPipelineInitializationError } from "../errors.js";
import {
  cropQuadrilaterals,
  loadPicture,
  quadrilateralSize,
  turnLeft,
  type Corners,
  type ImageInput,
  type Picture,
} from "../imaging/index.js";
import type { AnyModel, CallOptions, ObjectDetectionModel, TextOnlyOCRModel } from "../models/index.js";
import { requireKnownOptions } from "../options.js";
import { createDetections, createTextResult } from "../results/index.js";
import type { Detections, ImageInfo, TextLine, TextResult } from "../results/index.js";
import type { PipelineCallOptions } from "./call-options.js";
import { readingOrder } from "./reading-order.js";

export type TextReadingOptions = PipelineCallOptions;

/** Lines taller than this by their width stand upright: they are turned before they are read. */
const UPRIGHT = 1.5;
/** Lines that share a width when they are read. */
const LINES_AT_ONCE = 8;

export interface TextReadingModels {
  /** Finds regions, each with a `polygon` in its data. */
  readonly detector: ObjectDetectionModel | null;
  /** Reads a line. */
  readonly recogniser: TextOnlyOCRModel | null;
}

/**
 * Reads pictures. Without a recogniser it finds text only; without a detector every picture is one line.
 * It owns its models: closing it closes them.
 */
export class TextReadingPipeline implements AsyncDisposable {
  private constructor(readonly models: TextReadingModels) {}

  /** @param models a text detector and a recogniser, one of which may be null. @throws ModelPipelineInitializationError */
  static withModels(models: readonly (AnyModel | null)[]): TextReadingPipeline {
    const [detector = null, recogniser = null] = models;
    if (models.length !== 2 || (detector === null && recogniser === null)) {
      throw new ModelPipelineInitializationError(
        "Reading text takes two models, a detector and a recogniser, one of which may be null. Pass [detector, recogniser].",
      );
    }
    if (detector !== null && detector.task !== "object-detection")
      throw new ModelPipelineInitializationError(`The first model must find text (object-detection), but its task is ${detector.task}.`);
    if (recogniser !== null && recogniser.task !== "text-only-ocr")
      throw new ModelPipelineInitializationError(`The second model must read lines (text-only-ocr), but its task is ${recogniser.task}.`);
    return new TextReadingPipeline({ detector, recogniser });
  }

  predict(image: ImageInput, options?: TextReadingOptions): Promise<TextResult>;
  predict(images: readonly ImageInput[], options?: TextReadingOptions): Promise<TextResult[]>;
  async predict(input: ImageInput | readonly ImageInput[], options: TextReadingOptions = {}): Promise<TextResult | TextResult[]> {
    requireKnownOptions(options, ["signal", "exifOrientation"], "predict of text reading");
    if (!Array.isArray(input)) return this.#read(input as ImageInput, options);
    const results: TextResult[] = [];
    // One after the other: each picture keeps both models busy, and holds its pixels meanwhile.
    for (const image of input as readonly ImageInput[]) results.push(await this.#read(image, options));
    return results;
  }

  async #read(image: ImageInput, options: TextReadingOptions): Promise<TextResult> {
    const { signal, exifOrientation = "apply" } = options;
    const callOptions = signal === undefined ? {} : { signal };
    const picture = await loadPicture(image, { exifOrientation });
    const info = infoOf(picture);
    const { detector, recogniser } = this.models;
    if (detector === null) {
      const line = await recogniser?.predict(picture, callOptions);
      return createTextResult({ image: info, text: line?.text ?? "", lines: line?.lines ?? [], detections: null });
    }
    const found = await detector.predict(picture, callOptions);
    const order = readingOrder(found.xyxy);
    const detections = reorder(found, order.flat(), info);
    if (recogniser === null) return createTextResult({ image: info, text: "", lines: [], detections });
    const lines = await readLines(recogniser, picture, detections, callOptions);
    return createTextResult({ image: info, text: joinLines(order, lines), lines, detections });
  }

  async close(): Promise<void> {
    await Promise.all([this.models.detector?.close(), this.models.recogniser?.close()]);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

function infoOf({ width, height, source, exifOrientation, orientationApplied }: Picture): ImageInfo {
  return { width, height, exifOrientation, orientationApplied, ...(source === null ? {} : { source }) };
}

function reorder(found: Detections, rows: readonly number[], image: ImageInfo): Detections {
  return createDetections({
    image,
    classNames: found.classNames,
    xyxy: Float32Array.from(rows.flatMap((row) => [...found.xyxy.subarray(4 * row, 4 * row + 4)])),
    classId: Int32Array.from(rows, (row) => found.classId[row] ?? 0),
    confidence: Float32Array.from(rows, (row) => found.confidence[row] ?? 0),
    data: rows.map((row) => found.data?.[row] ?? {}),
    servedBy: found.servedBy,
    timings: found.timings,
  });
}

function cornersOf(detections: Detections, row: number): Corners {
  const polygon = detections.data?.[row]?.["polygon"];
  if (Array.isArray(polygon) && polygon.length === 4) return polygon as unknown as Corners;
  const { x1, y1, x2, y2 } = detections.at(row)!.box;
  return [
    [x1, y1],
    [x2, y1],
    [x2, y2],
    [x1, y2],
  ];
}

/** Lines of like shapes are read together, so that none is padded to the width of a much longer one. */
async function readLines(
  recogniser: TextOnlyOCRModel,
  picture: Picture,
  detections: Detections,
  options: CallOptions,
): Promise<readonly TextLine[]> {
  const lines: TextLine[] = Array.from({ length: detections.length }, () => ({ text: "", confidence: 0 }));
  const crops = lines.flatMap((_, row) => {
    const corners = cornersOf(detections, row);
    const { width, height } = quadrilateralSize(corners);
    // Nothing to read in less than a pixel.
    if (width < 1 || height < 1) return [];
    const upright = height / width >= UPRIGHT;
    return [{ row, corners, upright, aspect: upright ? height / width : width / height }];
  });
  crops.sort((a, b) => a.aspect - b.aspect);
  for (let start = 0; start < crops.length; start += LINES_AT_ONCE) {
    const group = crops.slice(start, start + LINES_AT_ONCE);
    const cut = await cropQuadrilaterals(
      picture,
      group.map(({ corners }) => corners),
    );
    const pictures = cut.map((crop, index) => (group[index]!.upright ? turnLeft(crop) : crop));
    const read = await recogniser.predict(pictures, options);
    read.forEach((result, index) => {
      lines[group[index]!.row] = result.lines[0] ?? { text: result.text, confidence: 0 };
    });
  }
  return lines;
}

/** Regions of a line joined by blanks, lines by line feeds; a line without text stays as an empty one. */
function joinLines(order: readonly (readonly number[])[], lines: readonly TextLine[]): string {
  let next = 0;
  return order
    .map((line) =>
      line
        .map(() => lines[next++]?.text.trim() ?? "")
        .filter((text) => text !== "")
        .join(" "),
    )
    .join("\n");
}
