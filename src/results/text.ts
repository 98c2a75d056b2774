import { InvalidParameterError } from "../errors.js";
import { provenanceToJson, requireImageInfo, shortestFloat } from "./columns.js";
import type { Detections, ImageInfo, Provenance, ServedBy, TextLine, TextResult, TextResultJson, Timings } from "./types.js";

/** What a {@link TextResult} is made from. */
export interface TextResultColumns extends Partial<Provenance> {
  readonly image: ImageInfo;
  readonly text: string;
  readonly lines: readonly TextLine[];
  readonly detections: Detections | null;
  readonly metadata?: Readonly<Record<string, unknown>>;
}

class ReadTexts implements TextResult {
  readonly kind = "text";
  readonly image: ImageInfo;
  readonly text: string;
  readonly lines: readonly TextLine[];
  readonly detections: Detections | null;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly servedBy: ServedBy | null;
  readonly timings: Timings | null;

  constructor({ image, text, lines, detections, metadata = {}, servedBy = null, timings = null }: TextResultColumns) {
    this.image = image;
    this.text = text;
    this.lines = lines;
    this.detections = detections;
    this.metadata = metadata;
    this.servedBy = servedBy;
    this.timings = timings;
    Object.freeze(this);
  }

  toJSON(): TextResultJson {
    return {
      kind: this.kind,
      text: this.text,
      lines: this.lines.map(({ text, confidence }) => ({ text, confidence: shortestFloat(Math.fround(confidence)) })),
      detections: this.detections === null ? null : this.detections.toJSON().detections,
      ...provenanceToJson(this),
    };
  }
}

/** @internal */
export function columnsOfText(result: TextResult): Required<TextResultColumns> {
  const { image, text, lines, detections, metadata, servedBy, timings } = result;
  return { image, text, lines, detections, metadata, servedBy, timings };
}

/** Text of a picture. @throws InvalidParameterError when there is another number of lines than of regions. */
export function createTextResult(columns: TextResultColumns): TextResult {
  requireImageInfo(columns.image);
  const { lines, detections } = columns;
  if (detections !== null && lines.length !== 0 && lines.length !== detections.length) {
    throw new InvalidParameterError(`There are ${lines.length} lines for ${detections.length} regions; each region has one.`, {
      parameter: "lines",
    });
  }
  return new ReadTexts(columns);
}
