/** The value types of the vectors that several adapters share. */
import { float16ToFloat32 } from "../../src/engines/index.js";
import type { Geometry } from "../../src/imaging/index.js";

/** `{dtype, shape, data}`: base64 of the elements, row-major, little endian; bool is one byte 0 or 1. */
export interface VectorArray {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data?: string;
}

export type NumericArray =
  Float32Array | Float64Array | Int8Array | Int16Array | Int32Array | Uint8Array | Uint8ClampedArray | Uint16Array | Uint32Array;

/** Elements of 64 bits, and half floats, have no array of plain numbers: they are widened. */
const DECODERS: Readonly<Record<string, (bytes: ArrayBuffer) => NumericArray>> = {
  float16: (bytes) => float16ToFloat32(new Uint16Array(bytes)),
  float32: (bytes) => new Float32Array(bytes),
  float64: (bytes) => new Float64Array(bytes),
  int8: (bytes) => new Int8Array(bytes),
  int16: (bytes) => new Int16Array(bytes),
  int32: (bytes) => new Int32Array(bytes),
  int64: (bytes) => Float64Array.from(new BigInt64Array(bytes), Number),
  uint8: (bytes) => new Uint8Array(bytes),
  uint16: (bytes) => new Uint16Array(bytes),
  uint32: (bytes) => new Uint32Array(bytes),
  uint64: (bytes) => Float64Array.from(new BigUint64Array(bytes), Number),
  bool: (bytes) => new Uint8Array(bytes),
};

export function isVectorArray(value: unknown): value is VectorArray {
  return typeof value === "object" && value !== null && "dtype" in value && "shape" in value;
}

export function decodeArray({ dtype, data = "" }: VectorArray): NumericArray {
  const decode = DECODERS[dtype];
  if (decode === undefined) throw new TypeError(`Arrays of ${dtype} are not known.`);
  return decode(Uint8Array.from(Buffer.from(data, "base64")).buffer);
}

export function encodeArray(values: NumericArray, shape: readonly number[]): VectorArray {
  const dtype = values.constructor.name.replace(/(Clamped)?Array$/, "").toLowerCase();
  return { dtype, shape, data: Buffer.from(values.buffer, values.byteOffset, values.byteLength).toString("base64") };
}

/** Masks of one picture as COCO's compressed counts. */
export interface VectorRleMasks {
  readonly image_size: VectorSize;
  readonly counts: readonly string[];
}

export function isVectorRleMasks(value: unknown): value is VectorRleMasks {
  return typeof value === "object" && value !== null && "image_size" in value && "counts" in value && Array.isArray(value.counts);
}

/**
 * Pixels 0 or 1 of one mask, column by column. Counts are runs of zeros and ones in turn, written in groups of five bits from the
 * lowest (character = group + 48, bit 5 = another follows, bit 4 of the last = negative); from the fourth run on, a count is
 * the difference to the one two places before.
 */
export function decodeRle(counts: string, pixels: number): Uint8Array {
  const mask = new Uint8Array(pixels);
  const runs: number[] = [];
  let filled = 0;
  let position = 0;
  while (position < counts.length) {
    let value = 0;
    let group = 0;
    let shift = 0;
    do {
      group = counts.charCodeAt(position++) - 48;
      if (!(group >= 0 && group < 64)) throw new RangeError(`Run-length counts end early or hold a character that stands for nothing.`);
      value += (group & 31) * 2 ** shift;
      shift += 5;
    } while ((group & 32) !== 0);
    if ((group & 16) !== 0) value -= 2 ** shift;
    const run = runs.length > 2 ? value + (runs[runs.length - 2] ?? 0) : value;
    if (run < 0 || filled + run > pixels) throw new RangeError(`Run-length counts do not fit ${pixels} pixels.`);
    if (runs.length % 2 === 1) mask.fill(1, filled, filled + run);
    runs.push(run);
    filled += run;
  }
  if (filled !== pixels) throw new RangeError(`Run-length counts stand for ${filled} of ${pixels} pixels.`);
  return mask;
}

export interface VectorSize {
  readonly width: number;
  readonly height: number;
}

export interface VectorGeometry {
  readonly pad_left: number;
  readonly pad_top: number;
  readonly pad_right: number;
  readonly pad_bottom: number;
  readonly original_size: VectorSize;
  readonly size_after_pre_processing: VectorSize;
  readonly inference_size: VectorSize;
  readonly scale_width: number;
  readonly scale_height: number;
  readonly static_crop_offset: {
    readonly offset_x: number;
    readonly offset_y: number;
    readonly crop_width: number;
    readonly crop_height: number;
  };
  readonly nonsquare_intermediate_size: VectorSize | null;
}

export function decodeGeometry(metadata: VectorGeometry): Geometry {
  const { offset_x: offsetX, offset_y: offsetY, crop_width: cropWidth, crop_height: cropHeight } = metadata.static_crop_offset;
  return {
    padLeft: metadata.pad_left,
    padTop: metadata.pad_top,
    padRight: metadata.pad_right,
    padBottom: metadata.pad_bottom,
    originalSize: metadata.original_size,
    sizeAfterPreProcessing: metadata.size_after_pre_processing,
    inferenceSize: metadata.inference_size,
    scaleWidth: metadata.scale_width,
    scaleHeight: metadata.scale_height,
    staticCropOffset: { offsetX, offsetY, cropWidth, cropHeight },
    nonsquareIntermediateSize: metadata.nonsquare_intermediate_size,
  };
}

export function encodeGeometry(geometry: Geometry): VectorGeometry {
  const { offsetX, offsetY, cropWidth, cropHeight } = geometry.staticCropOffset;
  return {
    pad_left: geometry.padLeft,
    pad_top: geometry.padTop,
    pad_right: geometry.padRight,
    pad_bottom: geometry.padBottom,
    original_size: geometry.originalSize,
    size_after_pre_processing: geometry.sizeAfterPreProcessing,
    inference_size: geometry.inferenceSize,
    scale_width: geometry.scaleWidth,
    scale_height: geometry.scaleHeight,
    static_crop_offset: { offset_x: offsetX, offset_y: offsetY, crop_width: cropWidth, crop_height: cropHeight },
    nonsquare_intermediate_size: geometry.nonsquareIntermediateSize,
  };
}
