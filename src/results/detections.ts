import {
  imageToJson,
  requireColumn,
  requireImageInfo,
  requireLength,
  resolveIndex,
  shortestFloat,
  takeRows,
  timingsToJson,
} from "./columns.js";
import { InvalidParameterError } from "../errors.js";
import type {
  Box,
  Detection,
  DetectionData,
  DetectionJson,
  Detections,
  DetectionsJson,
  ImageInfo,
  Provenance,
  RoboflowDetectionsJson,
  RoboflowPredictionJson,
  ServedBy,
  Timings,
} from "./types.js";

/** The columns of {@link Detections}; see there for shapes and units. */
export interface DetectionColumns extends Partial<Provenance> {
  readonly image: ImageInfo;
  readonly xyxy: Int32Array | Float32Array;
  readonly classId: Int32Array;
  readonly confidence: Float32Array;
  readonly classNames: readonly string[];
  readonly data?: readonly DetectionData[] | null;
  readonly metadata?: Readonly<Record<string, unknown>>;
}

const NOTHING: DetectionData = Object.freeze({});

class ColumnDetections implements Detections {
  readonly kind = "detections";
  readonly image: ImageInfo;
  readonly classNames: readonly string[];
  readonly xyxy: Int32Array | Float32Array;
  readonly classId: Int32Array;
  readonly confidence: Float32Array;
  readonly data: readonly DetectionData[] | null;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly servedBy: ServedBy | null;
  readonly timings: Timings | null;

  constructor(columns: DetectionColumns) {
    this.image = columns.image;
    this.classNames = columns.classNames;
    this.xyxy = columns.xyxy;
    this.classId = columns.classId;
    this.confidence = columns.confidence;
    this.data = columns.data ?? null;
    this.metadata = columns.metadata ?? NOTHING;
    this.servedBy = columns.servedBy ?? null;
    this.timings = columns.timings ?? null;
    Object.freeze(this);
  }

  get length(): number {
    return this.classId.length;
  }

  at(index: number): Detection | undefined {
    const row = resolveIndex(index, this.length);
    return row === null ? undefined : this.#row(row);
  }

  *[Symbol.iterator](): Generator<Detection, void, undefined> {
    for (let row = 0; row < this.length; row++) yield this.#row(row);
  }

  filter(keep: (detection: Detection) => boolean): Detections {
    const rows: number[] = [];
    for (const detection of this) if (keep(detection)) rows.push(detection.index);
    return takeDetections(this, rows);
  }

  slice(start?: number, end?: number): Detections {
    return takeDetections(this, [...this.classId.keys()].slice(start, end));
  }

  toJSON(): DetectionsJson {
    return {
      kind: this.kind,
      image: imageToJson(this.image),
      detections: Array.from(this, detectionToJson),
      served_by: this.servedBy,
      timings: timingsToJson(this.timings),
      ...(Object.keys(this.metadata).length === 0 ? {} : { metadata: this.metadata }),
    };
  }

  toRoboflowJson(): RoboflowDetectionsJson {
    return { image: { width: this.image.width, height: this.image.height }, predictions: Array.from(this, detectionToRoboflowJson) };
  }

  #row(row: number): Detection {
    const classId = this.classId[row] ?? -1;
    const data = this.data?.[row] ?? NOTHING;
    const { trackerId } = data;
    return {
      index: row,
      box: boxOf(this.xyxy, row),
      classId,
      className: this.classNames[classId] ?? "",
      confidence: this.confidence[row] ?? 0,
      trackerId: typeof trackerId === "number" ? trackerId : null,
      data,
    };
  }
}

function boxOf(xyxy: Int32Array | Float32Array, row: number): Box {
  const [x1 = 0, y1 = 0, x2 = 0, y2 = 0] = xyxy.subarray(row * 4, row * 4 + 4);
  return { x1, y1, x2, y2, width: x2 - x1, height: y2 - y1, centerX: (x1 + x2) / 2, centerY: (y1 + y2) / 2 };
}

/** @internal */
export function detectionToJson({ box, className, classId, confidence, trackerId, data }: Detection): DetectionJson {
  const { trackerId: _trackerId, ...rest } = data;
  return {
    class: className,
    class_id: classId,
    confidence: shortestFloat(confidence),
    x1: shortestFloat(box.x1),
    y1: shortestFloat(box.y1),
    x2: shortestFloat(box.x2),
    y2: shortestFloat(box.y2),
    ...(trackerId === null ? {} : { tracker_id: trackerId }),
    ...(Object.keys(rest).length === 0 ? {} : { data: rest }),
  };
}

/** @internal */
export function detectionToRoboflowJson({ box, className, classId, confidence }: Detection): RoboflowPredictionJson {
  return {
    x: box.centerX,
    y: box.centerY,
    width: box.width,
    height: box.height,
    confidence: shortestFloat(confidence),
    class: className,
    class_id: classId,
  };
}

/** @internal Some rows of detections. */
export function takeDetections(detections: Detections, rows: readonly number[]): Detections {
  return new ColumnDetections({
    ...columnsOfDetections(detections),
    xyxy: takeRows(detections.xyxy, rows, 4),
    classId: takeRows(detections.classId, rows, 1),
    confidence: takeRows(detections.confidence, rows, 1),
    data: detections.data === null ? null : rows.map((row) => detections.data?.[row] ?? NOTHING),
  });
}

/** @internal */
export function columnsOfDetections(detections: Detections): Required<DetectionColumns> {
  const { image, xyxy, classId, confidence, classNames, data, metadata, servedBy, timings } = detections;
  return { image, xyxy, classId, confidence, classNames, data, metadata, servedBy, timings };
}

/**
 * Detections of one picture from their columns. The arrays are taken over, not copied: do not write to them afterwards.
 *
 * @throws InvalidParameterError when the columns do not describe the same number of rows.
 */
export function createDetections(columns: DetectionColumns): Detections {
  requireImageInfo(columns.image);
  requireColumn("xyxy", columns.xyxy, Int32Array, Float32Array);
  requireColumn("classId", columns.classId, Int32Array);
  requireColumn("confidence", columns.confidence, Float32Array);
  const rows = columns.classId.length;
  requireLength("xyxy", columns.xyxy.length, rows * 4, `${rows} rows of 4`);
  requireLength("confidence", columns.confidence.length, rows, `one per class id`);
  if (columns.data != null) requireLength("data", columns.data.length, rows, `one per class id`);
  if (!Array.isArray(columns.classNames))
    throw new InvalidParameterError("classNames must be an array of strings.", { parameter: "classNames" });
  return new ColumnDetections(columns);
}
