import { ModelRuntimeError } from "../errors.js";
import type { ElementType, TensorData } from "./types.js";

type NumericElementType = Exclude<ElementType, "string">;
type TypedArray = Exclude<TensorData, readonly string[]>;
type TypedArrayConstructor = new (length: number) => TypedArray;

interface ElementDescription {
  /** ONNX's number (TensorProto.DataType). */
  readonly number: number;
  /** ONNX's spelling in `tensor(...)`. */
  readonly onnxName: string;
  readonly bytes: number;
  readonly array: TypedArrayConstructor;
}

const ELEMENTS: Readonly<Record<NumericElementType, ElementDescription>> = {
  float32: { number: 1, onnxName: "float", bytes: 4, array: Float32Array },
  uint8: { number: 2, onnxName: "uint8", bytes: 1, array: Uint8Array },
  int8: { number: 3, onnxName: "int8", bytes: 1, array: Int8Array },
  uint16: { number: 4, onnxName: "uint16", bytes: 2, array: Uint16Array },
  int16: { number: 5, onnxName: "int16", bytes: 2, array: Int16Array },
  int32: { number: 6, onnxName: "int32", bytes: 4, array: Int32Array },
  int64: { number: 7, onnxName: "int64", bytes: 8, array: BigInt64Array },
  bool: { number: 9, onnxName: "bool", bytes: 1, array: Uint8Array },
  float16: { number: 10, onnxName: "float16", bytes: 2, array: Uint16Array },
  float64: { number: 11, onnxName: "double", bytes: 8, array: Float64Array },
  uint32: { number: 12, onnxName: "uint32", bytes: 4, array: Uint32Array },
  uint64: { number: 13, onnxName: "uint64", bytes: 8, array: BigUint64Array },
  bfloat16: { number: 16, onnxName: "bfloat16", bytes: 2, array: Uint16Array },
};
const STRING_NUMBER = 8;

const BY_NUMBER = new Map<number, ElementType>([
  ...Object.entries(ELEMENTS).map(([type, { number }]) => [number, type as ElementType] as const),
  [STRING_NUMBER, "string"],
]);
const BY_ONNX_NAME = new Map(Object.entries(ELEMENTS).map(([type, { onnxName }]) => [onnxName, type as NumericElementType]));

export function elementTypeNumber(type: ElementType): number {
  return type === "string" ? STRING_NUMBER : ELEMENTS[type].number;
}

export function isElementType(name: string): name is ElementType {
  return name === "string" || Object.hasOwn(ELEMENTS, name);
}

/** null for types that have no counterpart here: float8, 4 and 2-bit integers, complex numbers. */
export function elementTypeFromNumber(number: number): ElementType | null {
  return BY_NUMBER.get(number) ?? null;
}

/** Bytes of an element by ONNX's number; null for types without a counterpart here, and for texts. */
export function elementBytes(number: number): number | null {
  const type = elementTypeFromNumber(number) ?? "string";
  return type === "string" ? null : ELEMENTS[type].bytes;
}

/** The typed array that holds elements of this type. */
export function elementArray(type: NumericElementType): TypedArrayConstructor {
  return ELEMENTS[type].array;
}

/**
 * Element type of an ONNX tensor type such as `tensor(float)`, for numeric tensors that host code computes with.
 *
 * @throws ModelRuntimeError for every other type: strings, bfloat16, complex numbers, sequences.
 */
export function elementTypeFromOnnx(onnxType: string): ElementType {
  const type = BY_ONNX_NAME.get(/^tensor\((\w+)\)$/.exec(onnxType)?.[1] ?? "");
  if (type === undefined || type === "bfloat16") {
    throw new ModelRuntimeError(
      `The network has a port of type ${onnxType}, which cannot be computed with here. Export it with float32 ports.`,
    );
  }
  return type;
}

const FLOATS: readonly ElementType[] = ["float16", "float32", "float64"];
const CASTS: Readonly<Partial<Record<ElementType, readonly ElementType[]>>> = {
  float16: FLOATS,
  float32: FLOATS,
  int8: ["int8", "int16", "int32", "int64", ...FLOATS],
  int16: ["int16", "int32", "int64", ...FLOATS],
  int32: ["int32", "int64", ...FLOATS],
  uint8: ["uint8", "int16", "int32", "int64", ...FLOATS],
  bool: ["uint8", "int8", ...FLOATS],
};

/** Whether a tensor of type `source` may be converted to the type that a network wants. Types without a conversion: false, also to themselves. */
export function isCastable(source: ElementType, target: ElementType): boolean {
  return CASTS[source]?.includes(target) ?? false;
}
