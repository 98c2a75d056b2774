import { createDetections, detectionToJson, detectionToRoboflowJson, takeDetections } from "./detections.js";
import { resolveIndex, shortestFloat } from "./columns.js";
import { InvalidParameterError } from "../errors.js";
import { flattenMasks, unflattenMasks, type FlatMasks } from "./masks/flat.js";
import { createMasks, takeMasks } from "./masks/masks.js";
import type { Mask, Masks } from "./masks/types.js";
import type {
  CocoAnnotation,
  DetectionData,
  Detections,
  ImageInfo,
  Instance,
  InstanceDetections,
  InstanceDetectionsJson,
  RoboflowInstancesJson,
  ServedBy,
  Timings,
} from "./types.js";

/** What {@link InstanceDetections} consist of; picture, metadata and provenance are those of the detections. */
export interface InstanceDetectionColumns {
  readonly detections: Detections;
  /** One for each detection, as large as the picture. */
  readonly masks: Masks;
}

class ColumnInstanceDetections implements InstanceDetections {
  readonly kind = "instance-detections";

  constructor(
    readonly detections: Detections,
    readonly masks: Masks,
  ) {
    Object.freeze(this);
  }

  get length(): number {
    return this.detections.length;
  }

  get image(): ImageInfo {
    return this.detections.image;
  }

  get classNames(): readonly string[] {
    return this.detections.classNames;
  }

  get xyxy(): Int32Array | Float32Array {
    return this.detections.xyxy;
  }

  get classId(): Int32Array {
    return this.detections.classId;
  }

  get confidence(): Float32Array {
    return this.detections.confidence;
  }

  get data(): readonly DetectionData[] | null {
    return this.detections.data;
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

  at(index: number): Instance | undefined {
    const row = resolveIndex(index, this.length);
    return row === null ? undefined : this.#instance(row);
  }

  *[Symbol.iterator](): Generator<Instance, void, undefined> {
    for (let row = 0; row < this.length; row++) yield this.#instance(row);
  }

  filter(keep: (instance: Instance) => boolean): InstanceDetections {
    const rows: number[] = [];
    for (const instance of this) if (keep(instance)) rows.push(instance.index);
    return this.#take(rows);
  }

  slice(start?: number, end?: number): InstanceDetections {
    return this.#take([...this.classId.keys()].slice(start, end));
  }

  toJSON(): InstanceDetectionsJson {
    const { detections: _detections, kind: _kind, ...shared } = this.detections.toJSON();
    const detections = Array.from(this, (instance) => ({ ...detectionToJson(instance), mask: instance.mask.toRle() }));
    return { kind: this.kind, ...shared, detections };
  }

  toRoboflowJson(): RoboflowInstancesJson {
    const { image } = this.detections.toRoboflowJson();
    const predictions = Array.from(this, (instance) => {
      const [outline = []] = instance.mask.toPolygons();
      const points = Array.from({ length: outline.length / 2 }, (_, corner) => ({
        x: outline[2 * corner] ?? 0,
        y: outline[2 * corner + 1] ?? 0,
      }));
      return { ...detectionToRoboflowJson(instance), points };
    });
    return { image, predictions };
  }

  toCoco(): CocoAnnotation[] {
    return Array.from(this, ({ box, classId, confidence, mask }) => ({
      category_id: classId,
      bbox: [box.x1, box.y1, box.width, box.height],
      area: mask.area,
      segmentation: mask.toRle(),
      iscrowd: 0,
      score: shortestFloat(confidence),
    }));
  }

  #instance(row: number): Instance {
    const detection = this.detections.at(row);
    const mask: Mask | undefined = this.masks.at(row);
    if (detection === undefined || mask === undefined)
      throw new InvalidParameterError(`There is no instance ${row}.`, { parameter: "index" });
    return { ...detection, mask };
  }

  #take(rows: readonly number[]): InstanceDetections {
    return new ColumnInstanceDetections(takeDetections(this.detections, rows), takeMasks(this.masks, rows));
  }
}

/** The columns without objects around them, as they travel between threads. */
export interface FlatInstanceDetections extends FlatMasks {
  readonly detections: Detections;
}

/** @internal */
export function flattenInstanceDetections({ detections, masks }: InstanceDetections): FlatInstanceDetections {
  return { detections, ...flattenMasks(masks) };
}

/** @internal @throws InvalidParameterError */
export function unflattenInstanceDetections({ detections, ...masks }: FlatInstanceDetections): InstanceDetections {
  const { width, height } = detections.image;
  return createInstanceDetections({ detections, masks: unflattenMasks(masks, width, height, detections.length) });
}

/**
 * Instances of one picture from their detections and masks.
 *
 * @throws InvalidParameterError when there is not one mask for each detection, or the masks belong to another picture.
 */
export function createInstanceDetections({ detections, masks }: InstanceDetectionColumns): InstanceDetections {
  const { width, height } = detections.image;
  if (masks.width !== width || masks.height !== height || masks.length !== detections.length) {
    throw new InvalidParameterError(
      `${masks.length} masks of ${masks.width}x${masks.height} do not belong to ${detections.length} detections in a picture of ${width}x${height}.`,
      { parameter: "masks" },
    );
  }
  return new ColumnInstanceDetections(createDetections(detections), createMasks(masks));
}
