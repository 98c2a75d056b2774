import { requireColumn, requireLength, resolveIndex, shortestFloat, takeRows } from "./columns.js";
import { createDetections, detectionToJson, detectionToRoboflowJson, takeDetections } from "./detections.js";
import type {
  Detections,
  ImageInfo,
  KeyPoint,
  KeyPointClass,
  KeyPointInstance,
  KeyPoints,
  KeyPointsJson,
  RoboflowKeyPointsJson,
  ServedBy,
  Timings,
} from "./types.js";
import { InvalidParameterError } from "../errors.js";

/** The columns of {@link KeyPoints}; picture, metadata and provenance are those of the detections. */
export interface KeyPointColumns {
  readonly detections: Detections;
  readonly slots: number;
  readonly xy: Int32Array | Float32Array;
  readonly confidence: Float32Array;
  readonly classes: readonly KeyPointClass[];
  readonly covariance?: Float32Array | null;
}

class ColumnKeyPoints implements KeyPoints {
  readonly kind = "key-points";
  readonly slots: number;
  readonly xy: Int32Array | Float32Array;
  readonly confidence: Float32Array;
  readonly detections: Detections;
  readonly classes: readonly KeyPointClass[];
  readonly covariance: Float32Array | null;

  constructor(columns: KeyPointColumns) {
    this.slots = columns.slots;
    this.xy = columns.xy;
    this.confidence = columns.confidence;
    this.detections = columns.detections;
    this.classes = columns.classes;
    this.covariance = columns.covariance ?? null;
    Object.freeze(this);
  }

  get length(): number {
    return this.detections.length;
  }

  get image(): ImageInfo {
    return this.detections.image;
  }

  get metadata(): Readonly<Record<string, unknown>> {
    return this.detections.metadata;
  }

  get servedBy(): ServedBy | null {
    return this.detections.servedBy;
  }

  get timings(): Timings | null {
    return this.detections.timings;
  }

  isVisible(instance: number, point: number): boolean {
    // Without this, a point beyond the last slot would be the next instance's.
    if (!(point >= 0 && point < this.slots)) return false;
    return (this.confidence[instance * this.slots + point] ?? 0) > 0;
  }

  at(index: number): KeyPointInstance | undefined {
    const row = resolveIndex(index, this.length);
    return row === null ? undefined : this.#instance(row);
  }

  *[Symbol.iterator](): Generator<KeyPointInstance, void, undefined> {
    for (let row = 0; row < this.length; row++) yield this.#instance(row);
  }

  filter(keep: (instance: KeyPointInstance) => boolean): KeyPoints {
    const rows: number[] = [];
    for (const instance of this) if (keep(instance)) rows.push(instance.index);
    return new ColumnKeyPoints({
      ...columnsOfKeyPoints(this),
      detections: takeDetections(this.detections, rows),
      xy: takeRows(this.xy, rows, this.slots * 2),
      confidence: takeRows(this.confidence, rows, this.slots),
      covariance: this.covariance === null ? null : takeRows(this.covariance, rows, this.slots * 4),
    });
  }

  toJSON(): KeyPointsJson {
    const { detections: _detections, kind: _kind, image, ...shared } = this.detections.toJSON();
    const instances = Array.from(this, ({ detection, points }) => ({
      ...detectionToJson(detection),
      key_points: points
        .filter(({ visible }) => visible)
        .map(({ name, x, y, confidence }) => ({
          name,
          x: shortestFloat(x),
          y: shortestFloat(y),
          confidence: shortestFloat(confidence),
        })),
    }));
    return { kind: this.kind, image, instances, ...shared };
  }

  toRoboflowJson(): RoboflowKeyPointsJson {
    const { image } = this.detections.toRoboflowJson();
    const predictions = Array.from(this, ({ detection, points }) => ({
      ...detectionToRoboflowJson(detection),
      keypoints: points
        .filter(({ visible }) => visible)
        .map(({ index, name, x, y, confidence }) => ({
          x,
          y,
          confidence: shortestFloat(confidence),
          class: name,
          class_id: index,
        })),
    }));
    return { image, predictions };
  }

  #instance(row: number): KeyPointInstance {
    const detection = this.detections.at(row);
    if (detection === undefined) throw new InvalidParameterError(`There is no instance ${row}.`, { parameter: "index" });
    const names = this.classes[detection.classId]?.points ?? [];
    const count = names.length === 0 ? this.slots : Math.min(names.length, this.slots);
    const points = Array.from({ length: count }, (_, point): KeyPoint => {
      const slot = row * this.slots + point;
      return {
        index: point,
        name: names[point] ?? "",
        x: this.xy[slot * 2] ?? 0,
        y: this.xy[slot * 2 + 1] ?? 0,
        confidence: this.confidence[slot] ?? 0,
        visible: this.isVisible(row, point),
      };
    });
    return { index: row, detection, points };
  }
}

/** @internal */
export function columnsOfKeyPoints({ detections, slots, xy, confidence, classes, covariance }: KeyPoints): Required<KeyPointColumns> {
  return { detections, slots, xy, confidence, classes, covariance };
}

/**
 * Key points of one picture from their columns. The arrays are taken over, not copied: do not write to them afterwards.
 *
 * @throws InvalidParameterError when the columns do not describe the same instances, or an edge names a point that its class does not have.
 */
export function createKeyPoints(columns: KeyPointColumns): KeyPoints {
  const { slots, xy, confidence, classes, covariance, detections } = columns;
  if (!(Number.isSafeInteger(slots) && slots >= 0))
    throw new InvalidParameterError("slots must be a whole number that is not negative.", { parameter: "slots" });
  requireColumn("xy", xy, Int32Array, Float32Array);
  requireColumn("confidence", confidence, Float32Array);
  const shape = `${detections.length} instances of ${slots} points`;
  const points = detections.length * slots;
  requireLength("xy", xy.length, points * 2, shape);
  requireLength("confidence", confidence.length, points, shape);
  if (covariance != null) requireLength("covariance", covariance.length, points * 4, shape);
  for (const { name, points: names, edges } of classes) {
    if (edges.flat().some((point) => !(Number.isInteger(point) && point >= 0 && point < names.length))) {
      throw new InvalidParameterError(`An edge of class "${name}" names a point beyond its ${names.length} points.`, {
        parameter: "classes",
      });
    }
  }
  return new ColumnKeyPoints({ ...columns, detections: createDetections(detections) });
}
