/** Results with one value for every pixel of the picture. */
import { InvalidParameterError } from "../errors.js";
import { provenanceToJson, requireClassNames, requireColumn, requireImageInfo, requireIndex, requireLength } from "./columns.js";
import type {
  DepthMap,
  DepthMapJson,
  ImageInfo,
  Provenance,
  SemanticSegmentation,
  SemanticSegmentationJson,
  ServedBy,
  Timings,
} from "./types.js";

interface MapColumns extends Partial<Provenance> {
  readonly image: ImageInfo;
  readonly metadata?: Readonly<Record<string, unknown>>;
}

/** The columns of {@link SemanticSegmentation}; see there for shapes and units. */
export interface SemanticSegmentationColumns extends MapColumns {
  readonly classMap: Uint8Array | Uint16Array;
  readonly confidence: Float32Array;
  readonly backgroundId: number;
  readonly classNames: readonly string[];
}

/** The columns of {@link DepthMap}; see there for shapes and units. */
export interface DepthMapColumns extends MapColumns {
  readonly values: Float32Array;
  readonly unit: DepthMap["unit"];
}

/** What both kinds of maps know about their picture. */
abstract class PictureMap implements Provenance {
  readonly image: ImageInfo;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly servedBy: ServedBy | null;
  readonly timings: Timings | null;

  constructor({ image, metadata = {}, servedBy = null, timings = null }: MapColumns) {
    this.image = image;
    this.metadata = metadata;
    this.servedBy = servedBy;
    this.timings = timings;
  }

  get width(): number {
    return this.image.width;
  }
  get height(): number {
    return this.image.height;
  }

  /** Position of a pixel in the columns; -1 outside the picture. */
  protected position(x: number, y: number): number {
    const inside = Number.isInteger(x) && Number.isInteger(y) && x >= 0 && y >= 0 && x < this.width && y < this.height;
    return inside ? y * this.width + x : -1;
  }
}

class ColumnSegmentation extends PictureMap implements SemanticSegmentation {
  readonly kind = "semantic-segmentation";
  readonly classMap: Uint8Array | Uint16Array;
  readonly confidence: Float32Array;
  readonly backgroundId: number;
  readonly classNames: readonly string[];

  constructor(columns: SemanticSegmentationColumns) {
    super(columns);
    this.classMap = columns.classMap;
    this.confidence = columns.confidence;
    this.backgroundId = columns.backgroundId;
    this.classNames = columns.classNames;
    Object.freeze(this);
  }

  classAt(x: number, y: number): number | undefined {
    return this.classMap[this.position(x, y)];
  }

  pixelsPerClass(): Uint32Array {
    const counts = new Uint32Array(this.classNames.length);
    for (const id of this.classMap) if (id < counts.length) counts[id] = (counts[id] ?? 0) + 1;
    return counts;
  }

  mask(classId: number): Uint8Array {
    return Uint8Array.from(this.classMap, (id) => (id === classId ? 1 : 0));
  }

  toJSON(): SemanticSegmentationJson {
    const classes = Array.from(this.pixelsPerClass(), (pixels, id) => ({ class: this.classNames[id] ?? "", class_id: id, pixels }));
    return {
      kind: this.kind,
      background_id: this.backgroundId,
      classes: classes.filter(({ pixels }) => pixels > 0),
      class_map_runs: runsOf(this.classMap),
      ...provenanceToJson(this),
    };
  }
}

/** Row-major runs of equal values: value, length, value, length, ... */
function runsOf(values: Uint8Array | Uint16Array): readonly number[] {
  const runs: number[] = [];
  let start = 0;
  for (let end = 1; end <= values.length; end++) {
    if (end < values.length && values[end] === values[start]) continue;
    runs.push(values[start] ?? 0, end - start);
    start = end;
  }
  return runs;
}

class ColumnDepth extends PictureMap implements DepthMap {
  readonly kind = "depth";
  readonly values: Float32Array;
  readonly unit: DepthMap["unit"];

  constructor(columns: DepthMapColumns) {
    super(columns);
    this.values = columns.values;
    this.unit = columns.unit;
    Object.freeze(this);
  }

  at(x: number, y: number): number | undefined {
    return this.values[this.position(x, y)];
  }

  range(): { readonly minimum: number; readonly maximum: number } {
    let [minimum, maximum] = [Infinity, -Infinity];
    for (const value of this.values) {
      if (value < minimum) minimum = value;
      if (value > maximum) maximum = value;
    }
    return minimum <= maximum ? { minimum, maximum } : { minimum: 0, maximum: 0 };
  }

  toJSON(): DepthMapJson {
    const { buffer, byteOffset, byteLength } = this.values;
    return {
      kind: this.kind,
      unit: this.unit,
      ...this.range(),
      values_base64: Buffer.from(buffer, byteOffset, byteLength).toString("base64"),
      ...provenanceToJson(this),
    };
  }
}

/** @internal */
export function columnsOfSegmentation(result: SemanticSegmentation): Required<SemanticSegmentationColumns> {
  const { image, metadata, servedBy, timings, classMap, confidence, backgroundId, classNames } = result;
  return { image, metadata, servedBy, timings, classMap, confidence, backgroundId, classNames };
}

/** @internal */
export function columnsOfDepthMap({ image, metadata, servedBy, timings, values, unit }: DepthMap): Required<DepthMapColumns> {
  return { image, metadata, servedBy, timings, values, unit };
}

/** One class for every pixel. The arrays are taken over, not copied. @throws InvalidParameterError when they do not fit the picture. */
export function createSemanticSegmentation(columns: SemanticSegmentationColumns): SemanticSegmentation {
  const { image, classMap, confidence, classNames, backgroundId } = columns;
  requireImageInfo(image);
  requireColumn("classMap", classMap, Uint8Array, Uint16Array);
  requireColumn("confidence", confidence, Float32Array);
  const size = `${image.width} x ${image.height} pixels`;
  requireLength("classMap", classMap.length, image.width * image.height, size);
  requireLength("confidence", confidence.length, image.width * image.height, size);
  requireClassNames(classNames);
  requireIndex("backgroundId", backgroundId, classNames.length);
  return new ColumnSegmentation(columns);
}

/** One distance for every pixel. The array is taken over, not copied. @throws InvalidParameterError when it does not fit the picture. */
export function createDepthMap(columns: DepthMapColumns): DepthMap {
  const { image, values, unit } = columns;
  requireImageInfo(image);
  requireColumn("values", values, Float32Array);
  requireLength("values", values.length, image.width * image.height, `${image.width} x ${image.height} pixels`);
  // What comes from JavaScript may be anything.
  const given: unknown = unit;
  if (given !== "meters" && given !== "relative")
    throw new InvalidParameterError(`unit must be "meters" or "relative" but is ${String(given)}.`, { parameter: "unit" });
  return new ColumnDepth(columns);
}
