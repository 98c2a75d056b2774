/**
 * ONNX files as their fields: what is not understood here is kept as it is, so that a model can be changed in parts and written again.
 *
 * Field numbers: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
 */
import { BinaryReader, BinaryWriter, WireType } from "@bufbuild/protobuf/wire";

/** Integers are numbers, everything else bytes: of a text, a message, or four or eight bytes of a number. */
export interface Field {
  readonly number: number;
  readonly wireType: WireType;
  readonly value: bigint | Uint8Array;
}

export const MODEL = { graph: 7 } as const;
export const GRAPH = { node: 1, initializer: 5, input: 11, output: 12, valueInfo: 13 } as const;
export const NODE = { input: 1, output: 2, name: 3, op: 4, attribute: 5, domain: 7 } as const;
export const ATTRIBUTE = {
  name: 1,
  float: 2,
  integer: 3,
  text: 4,
  tensor: 5,
  graph: 6,
  floats: 7,
  integers: 8,
  graphs: 11,
  type: 20,
} as const;
export const TENSOR = { dims: 1, type: 2, floats: 4, name: 8, raw: 9, location: 14 } as const;
const VALUE = { name: 1, type: 2 } as const;
const TYPE = { tensor: 1 } as const;
const TENSOR_TYPE = { element: 1, shape: 2 } as const;
const SHAPE = { dimension: 1 } as const;
const DIMENSION = { value: 1, name: 2 } as const;

/** AttributeProto.type of an integer. */
const INTEGER_ATTRIBUTE = 2n;

/** @throws Error (RangeError and others) for bytes that are no message */
export function readFields(bytes: Uint8Array): readonly Field[] {
  const reader = new BinaryReader(bytes);
  const fields: Field[] = [];
  while (reader.pos < reader.len) {
    const [number, wireType] = reader.tag();
    fields.push({ number, wireType, value: readValue(reader, wireType, bytes) });
  }
  return fields;
}

function readValue(reader: BinaryReader, wireType: WireType, bytes: Uint8Array): bigint | Uint8Array {
  switch (wireType) {
    case WireType.Varint:
      return BigInt(reader.uint64());
    case WireType.LengthDelimited: {
      const value = reader.bytes();
      if (reader.pos > reader.len) throw new RangeError("The message ends within a field.");
      return value;
    }
    case WireType.Bit32:
    case WireType.Bit64: {
      const start = reader.pos;
      reader.skip(wireType);
      return bytes.subarray(start, reader.pos);
    }
    default:
      throw new RangeError(`Fields of wire type ${wireType} do not occur in ONNX.`);
  }
}

export function writeFields(fields: Iterable<Field>): Uint8Array {
  const writer = new BinaryWriter();
  for (const { number, wireType, value } of fields) {
    writer.tag(number, wireType);
    if (typeof value === "bigint") writer.uint64(value);
    else if (wireType === WireType.LengthDelimited) writer.bytes(value);
    else writer.raw(value);
  }
  return writer.finish();
}

export const bytesField = (number: number, value: Uint8Array): Field => ({ number, wireType: WireType.LengthDelimited, value });
export const textField = (number: number, value: string): Field => bytesField(number, new TextEncoder().encode(value));
export const integerField = (number: number, value: bigint): Field => ({ number, wireType: WireType.Varint, value });

/** Contents of the fields of this number that are texts or messages, in order. */
export const contents = (fields: readonly Field[], number: number): readonly Uint8Array[] =>
  fields.flatMap(({ number: own, value }) => (own === number && typeof value !== "bigint" ? [value] : []));
export const texts = (fields: readonly Field[], number: number): readonly string[] =>
  contents(fields, number).map((bytes) => new TextDecoder().decode(bytes));
export const textOf = (fields: readonly Field[], number: number): string => texts(fields, number).at(-1) ?? "";
/** 0 when there is none, as protocol buffers mean it. */
export function integerOf(fields: readonly Field[], number: number): number {
  const found = fields.findLast(({ number: own, value }) => own === number && typeof value === "bigint");
  return Number(found?.value ?? 0n);
}

export interface GraphNode {
  /** "" for an input that is left out. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly op: string;
  /** "" = ONNX's own. */
  readonly domain: string;
  readonly fields: readonly Field[];
}

export function readNode(bytes: Uint8Array): GraphNode {
  const fields = readFields(bytes);
  const domain = textOf(fields, NODE.domain);
  return {
    inputs: texts(fields, NODE.input),
    outputs: texts(fields, NODE.output),
    op: textOf(fields, NODE.op),
    domain: domain === "ai.onnx" ? "" : domain,
    fields,
  };
}

/** Fields of the attribute of this name, or null. */
export function attributeOf({ fields }: GraphNode, name: string): readonly Field[] | null {
  for (const bytes of contents(fields, NODE.attribute)) {
    const attribute = readFields(bytes);
    if (textOf(attribute, ATTRIBUTE.name) === name) return attribute;
  }
  return null;
}

/** Graphs inside a node, serialized: branches, bodies of loops. */
export function graphBytesIn({ fields }: GraphNode): readonly Uint8Array[] {
  return contents(fields, NODE.attribute).flatMap((bytes) => {
    const attribute = readFields(bytes);
    return [...contents(attribute, ATTRIBUTE.graph), ...contents(attribute, ATTRIBUTE.graphs)];
  });
}

export const graphsIn = (node: GraphNode): readonly (readonly Field[])[] => graphBytesIn(node).map(readFields);

/** The same node with other inputs and outputs. */
export function withPorts({ fields }: GraphNode, inputs: readonly string[], outputs: readonly string[]): Uint8Array {
  const rest = fields.filter(({ number }) => number !== NODE.input && number !== NODE.output);
  return writeFields([
    ...inputs.map((name) => textField(NODE.input, name)),
    ...outputs.map((name) => textField(NODE.output, name)),
    ...rest,
  ]);
}

export function castNode(from: string, to: string, type: number): Uint8Array {
  const target = [
    textField(ATTRIBUTE.name, "to"),
    integerField(ATTRIBUTE.integer, BigInt(type)),
    integerField(ATTRIBUTE.type, INTEGER_ATTRIBUTE),
  ];
  return writeFields([
    textField(NODE.input, from),
    textField(NODE.output, to),
    textField(NODE.name, `Cast to ${to}`),
    textField(NODE.op, "Cast"),
    bytesField(NODE.attribute, writeFields(target)),
  ]);
}

/** Name and element type of an input or output; type 0 for what is no tensor, or does not say. */
export function readValueInfo(bytes: Uint8Array): { readonly name: string; readonly type: number } {
  const fields = readFields(bytes);
  const [type] = contents(fields, VALUE.type);
  const [tensor] = type === undefined ? [] : contents(readFields(type), TYPE.tensor);
  return { name: textOf(fields, VALUE.name), type: tensor === undefined ? 0 : integerOf(readFields(tensor), TENSOR_TYPE.element) };
}

/** Sizes of an input or output: a number, the name of one that varies, or null for one that is not said. null for what has no shape. */
export function readShape(bytes: Uint8Array): readonly (number | string | null)[] | null {
  const [type] = contents(readFields(bytes), VALUE.type);
  const [tensor] = type === undefined ? [] : contents(readFields(type), TYPE.tensor);
  const [shape] = tensor === undefined ? [] : contents(readFields(tensor), TENSOR_TYPE.shape);
  if (shape === undefined) return null;
  return contents(readFields(shape), SHAPE.dimension).map((dimension) => {
    const fields = readFields(dimension);
    // Some exporters write -1 for a size that varies.
    const size = fields.find(({ number, value }) => number === DIMENSION.value && typeof value === "bigint")?.value as bigint | undefined;
    if (size !== undefined) return size <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(size) : null;
    return textOf(fields, DIMENSION.name) || null;
  });
}

/** An integer of the node, which may be negative. */
export function integerAttribute(node: GraphNode, name: string, otherwise: number): number {
  const found = attributeOf(node, name)?.findLast(({ number, value }) => number === ATTRIBUTE.integer && typeof value === "bigint");
  return found === undefined ? otherwise : Number(BigInt.asIntN(64, found.value as bigint));
}

/** Integers of an attribute; null where the node does not have it. */
export function integersOf(node: GraphNode, name: string): readonly number[] | null {
  const attribute = attributeOf(node, name);
  if (attribute === null) return null;
  return attribute.flatMap(({ number, value }) => {
    if (number !== ATTRIBUTE.integers) return [];
    return typeof value === "bigint" ? [Number(BigInt.asIntN(64, value))] : packedIntegers(value);
  });
}

function packedIntegers(bytes: Uint8Array): readonly number[] {
  const reader = new BinaryReader(bytes);
  const numbers: number[] = [];
  while (reader.pos < reader.len) numbers.push(Number(reader.int64()));
  return numbers;
}
