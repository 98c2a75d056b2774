/** The value types of the vectors that several adapters share. */
import type { Geometry } from "../../src/imaging/index.js";

export type ArrayType = "float32" | "float64" | "int8" | "int16" | "int32" | "int64" | "uint8" | "bool" | "float16";

/** `{dtype, shape, data}`: base64 of the elements, row-major, little endian. */
export interface VectorArray {
  readonly dtype: ArrayType;
  readonly shape: readonly number[];
  readonly data?: string;
}

export type NumericArray = Float32Array | Float64Array | Int8Array | Int16Array | Int32Array | BigInt64Array | Uint8Array | Uint16Array;

const CONSTRUCTORS = {
  float32: Float32Array,
  float64: Float64Array,
  int8: Int8Array,
  int16: Int16Array,
  int32: Int32Array,
  int64: BigInt64Array,
  uint8: Uint8Array,
  bool: Uint8Array,
  float16: Uint16Array,
} as const;

export function isVectorArray(value: unknown): value is VectorArray {
  return typeof value === "object" && value !== null && "dtype" in value && "shape" in value;
}

export function decodeArray({ dtype, data = "" }: VectorArray): NumericArray {
  const bytes = Uint8Array.from(Buffer.from(data, "base64"));
  return new CONSTRUCTORS[dtype](bytes.buffer);
}

export function encodeArray(values: Exclude<NumericArray, Uint16Array>, shape: readonly number[]): VectorArray {
  const dtype = (Object.keys(CONSTRUCTORS) as ArrayType[]).find((type) => CONSTRUCTORS[type] === values.constructor) ?? "float32";
  return { dtype, shape, data: Buffer.from(values.buffer, values.byteOffset, values.byteLength).toString("base64") };
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
