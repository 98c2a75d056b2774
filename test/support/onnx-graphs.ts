/**
 * Writes small ONNX models, so that tests can have the exact network they need: a detector head with known numbers, a
 * network that takes long, a port of a rare type. Covers what such models use of the format, not the whole of it.
 */
import type { ElementType, TensorData } from "../../src/engines/types.js";

/** A tensor port; a string in `dims` is a symbolic dimension, "" one without a name. */
export interface TensorValue {
  readonly name: string;
  readonly type: ElementType;
  readonly dims: readonly (number | string)[];
}

/** A port that holds a sequence of tensors. */
export interface SequenceValue {
  readonly name: string;
  readonly sequenceOf: ElementType;
}

/** A constant. `type` is needed only where `data` does not tell it (float16 and bfloat16 words, bool bytes). */
export interface Constant {
  readonly name: string;
  readonly dims: readonly number[];
  readonly data: TensorData;
  readonly type?: ElementType;
  /** File beside the model that has the values; the model itself gets none then. */
  readonly external?: string;
}

/** JavaScript numbers do not tell integers from floats, and ONNX does, so the kind is spelled out. */
export type Attribute =
  | { readonly int: number }
  | { readonly ints: readonly number[] }
  | { readonly float: number }
  | { readonly floats: readonly number[] }
  | { readonly string: string }
  | { readonly strings: readonly string[] }
  | { readonly tensor: Omit<Constant, "name"> }
  | { readonly graph: Graph };

export interface GraphNode {
  readonly op: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes?: Readonly<Record<string, Attribute>>;
  /** Operator domain; default ONNX's own. */
  readonly domain?: string;
}

export interface Graph {
  readonly inputs: readonly (TensorValue | SequenceValue)[];
  readonly outputs: readonly (TensorValue | SequenceValue)[];
  /** In execution order. */
  readonly nodes: readonly GraphNode[];
  readonly initializers?: readonly Constant[];
  /** What the model says about values in between. */
  readonly values?: readonly TensorValue[];
  readonly graphName?: string;
}

export interface ModelDescription extends Graph {
  /** Version of the default operator set; default 17. */
  readonly opset?: number;
  /** Further operator sets by domain. */
  readonly otherOpsets?: Readonly<Record<string, number>>;
  readonly producer?: string;
  readonly domain?: string;
  readonly description?: string;
  readonly version?: number;
  readonly custom?: Readonly<Record<string, string>>;
}

/** Serialized ModelProto. */
export function buildModel(model: ModelDescription): Uint8Array {
  const opsets: readonly (readonly [string, number])[] = [["", model.opset ?? 17], ...Object.entries(model.otherOpsets ?? {})];
  return message(
    integer(1, 8), // ir_version
    text(2, model.producer ?? ""),
    text(4, model.domain ?? ""),
    ...(model.version === undefined ? [] : [integer(5, model.version)]),
    text(6, model.description ?? ""),
    nested(7, graph(model)),
    ...opsets.map(([domain, version]) => nested(8, message(text(1, domain), integer(2, version)))),
    ...Object.entries(model.custom ?? {}).map(([key, value]) => nested(14, message(text(1, key), text(2, value)))),
  );
}

function graph({ inputs, outputs, nodes, initializers = [], values = [], graphName = "graph" }: Graph): Uint8Array {
  return message(
    ...nodes.map((node) => nested(1, nodeProto(node))),
    text(2, graphName),
    ...initializers.map((constant) => nested(5, tensorProto(constant))),
    ...inputs.map((value) => nested(11, valueInfo(value))),
    ...outputs.map((value) => nested(12, valueInfo(value))),
    ...values.map((value) => nested(13, valueInfo(value))),
  );
}

function nodeProto({ op, inputs, outputs, attributes = {}, domain = "" }: GraphNode): Uint8Array {
  return message(
    ...inputs.map((name) => text(1, name)),
    ...outputs.map((name) => text(2, name)),
    text(3, `${op}:${outputs.join(",")}`),
    text(4, op),
    ...Object.entries(attributes).map(([name, attribute]) => nested(5, message(text(1, name), attributeValue(attribute)))),
    text(7, domain),
  );
}

function attributeValue(attribute: Attribute): Uint8Array {
  const ATTRIBUTE_TYPE = 20;
  if ("float" in attribute) return message(float(2, attribute.float), integer(ATTRIBUTE_TYPE, 1));
  if ("int" in attribute) return message(integer(3, attribute.int), integer(ATTRIBUTE_TYPE, 2));
  if ("string" in attribute) return message(text(4, attribute.string), integer(ATTRIBUTE_TYPE, 3));
  if ("tensor" in attribute) return message(nested(5, tensorProto({ name: "", ...attribute.tensor })), integer(ATTRIBUTE_TYPE, 4));
  if ("graph" in attribute) return message(nested(6, graph(attribute.graph)), integer(ATTRIBUTE_TYPE, 5));
  if ("floats" in attribute) return message(...attribute.floats.map((value) => float(7, value)), integer(ATTRIBUTE_TYPE, 6));
  if ("ints" in attribute) return message(...attribute.ints.map((value) => integer(8, value)), integer(ATTRIBUTE_TYPE, 7));
  return message(...attribute.strings.map((value) => text(9, value)), integer(ATTRIBUTE_TYPE, 8));
}

function tensorProto({ name, dims, data, type = typeOfData(data), external }: Constant): Uint8Array {
  if (external !== undefined) {
    const place = [nested(13, message(text(1, "location"), text(2, external))), integer(14, 1)];
    return message(...dims.map((size) => integer(1, size)), integer(2, ELEMENT_TYPES[type]), text(8, name), ...place);
  }
  const content = isStrings(data)
    ? data.map((value) => text(6, value))
    : [nested(9, new Uint8Array(data.buffer, data.byteOffset, data.byteLength))]; // raw_data, little-endian like this machine
  return message(...dims.map((size) => integer(1, size)), integer(2, ELEMENT_TYPES[type]), ...content, text(8, name));
}

function valueInfo(value: TensorValue | SequenceValue): Uint8Array {
  const type =
    "sequenceOf" in value
      ? nested(4, nested(1, nested(1, integer(1, ELEMENT_TYPES[value.sequenceOf]))))
      : nested(1, message(integer(1, ELEMENT_TYPES[value.type]), nested(2, shape(value.dims))));
  return message(text(1, value.name), nested(2, type));
}

function shape(dims: readonly (number | string)[]): Uint8Array {
  return message(...dims.map((size) => nested(1, typeof size === "number" ? integer(1, size) : text(2, size))));
}

const ELEMENT_TYPES: Readonly<Record<ElementType, number>> = {
  float32: 1,
  uint8: 2,
  int8: 3,
  uint16: 4,
  int16: 5,
  int32: 6,
  int64: 7,
  string: 8,
  bool: 9,
  float16: 10,
  float64: 11,
  uint32: 12,
  uint64: 13,
  bfloat16: 16,
};

function typeOfData(data: TensorData): ElementType {
  if (isStrings(data)) return "string";
  if (data instanceof Float32Array) return "float32";
  if (data instanceof Float64Array) return "float64";
  if (data instanceof BigInt64Array) return "int64";
  if (data instanceof BigUint64Array) return "uint64";
  if (data instanceof Int32Array) return "int32";
  if (data instanceof Uint32Array) return "uint32";
  if (data instanceof Int16Array) return "int16";
  if (data instanceof Uint16Array) return "uint16";
  if (data instanceof Int8Array) return "int8";
  return "uint8";
}

function isStrings(data: TensorData): data is readonly string[] {
  return Array.isArray(data);
}

// Protocol buffers: every field is a tag (number and wire type) and a value. Zero and "" are written too, so that a
// dimension of 0 stays one.

function message(...fields: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(fields));
}

function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  while (rest > 0x7fn) {
    bytes.push(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  }
  bytes.push(Number(rest));
  return Uint8Array.from(bytes);
}

function integer(field: number, value: number): Uint8Array {
  return message(varint(field * 8), varint(value));
}

function float(field: number, value: number): Uint8Array {
  return message(varint(field * 8 + 5), new Uint8Array(Float32Array.of(value).buffer));
}

function nested(field: number, content: Uint8Array): Uint8Array {
  return message(varint(field * 8 + 2), varint(content.length), content);
}

function text(field: number, value: string): Uint8Array {
  return nested(field, new TextEncoder().encode(value));
}
