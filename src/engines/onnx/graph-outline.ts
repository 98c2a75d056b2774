/**
 * A graph without its weights, which are stepped over: nodes, and of every constant only what kind of thing it is. So a file of a gigabyte
 * is looked through in a moment. What does not add up, or would take too long, is refused.
 *
 * Field numbers: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
 */
import { buffered, varint, walkFields, withReader, type ReadBytes } from "./field-walk.js";
import {
  ATTRIBUTE,
  attributeOf,
  contents,
  GRAPH,
  graphBytesIn,
  MODEL,
  NODE,
  readNode,
  readShape,
  readValueInfo,
  TENSOR,
  type GraphNode,
} from "./proto.js";

/** A tensor that the file holds, or names the place of. */
export interface GraphConstant {
  /** ONNX's number. */
  readonly type: number;
  readonly dims: readonly number[];
  readonly elements: number;
}

export interface GraphValue {
  readonly name: string;
  /** A number, the name of a size that varies, or null for one that is not said; null as a whole: not said either. */
  readonly dims: readonly (number | string | null)[] | null;
}

export interface GraphOutline {
  /** In execution order. */
  readonly nodes: readonly GraphNode[];
  /** By name: initializers, and what nodes of the kind Constant give. */
  readonly constants: ReadonlyMap<string, GraphConstant>;
  readonly inputs: readonly GraphValue[];
  readonly outputs: readonly GraphValue[];
  /** Values in between that the file says something about. */
  readonly values: readonly GraphValue[];
  /** Branches and bodies of loops, by the node that has them. */
  readonly inner: ReadonlyMap<GraphNode, readonly GraphOutline[]>;
}

/** Graphs of ten thousand nodes have some 400,000; a file that has more than these is made to hurt. */
const MAXIMUM_FIELDS = 4_000_000;
/** Nodes hold weights only where they are constants, and large constants are initializers. */
const MAXIMUM_NODE_BYTES = 256 * 1024 * 1024;
const MAXIMUM_DEPTH = 16;
const EXTERNAL = 1;
/** TensorProto's fields with values, other than raw bytes. */
const VALUE_FIELDS: ReadonlySet<number> = new Set([4, 5, 6, 7, 10, 11]);

interface Part {
  readonly read: ReadBytes;
  readonly start: number;
  readonly end: number;
}

const whole = (bytes: Uint8Array): Part => ({
  read: (offset, length) => bytes.subarray(offset, offset + length),
  start: 0,
  end: bytes.length,
});

class Outliner {
  readonly #fieldsLeft = { count: MAXIMUM_FIELDS };

  /** Fields with bytes in them, and integers; what is neither does not occur here. */
  *#fields({ read, start, end }: Part): Generator<{ readonly number: number; readonly value: number | null; readonly part: Part | null }> {
    for (const field of walkFields(read, start, end, this.#fieldsLeft)) {
      if (field === "end") return;
      if (field === "damaged") {
        throw new RangeError(
          this.#fieldsLeft.count > 0 ? "A message ends within a field, or is none." : `There are more than ${MAXIMUM_FIELDS} fields in it.`,
        );
      }
      const { number, value, content } = field;
      yield { number, value, part: content === null ? null : { read, start: content.offset, end: content.offset + content.length } };
    }
  }

  model(read: ReadBytes): GraphOutline {
    let outline: GraphOutline | null = null;
    for (const { number, part } of this.#fields({ read, start: 0, end: Infinity })) {
      if (number === MODEL.graph && part !== null) outline ??= this.#graph(part, 0);
    }
    if (outline === null) throw new RangeError("There is no graph in it.");
    return outline;
  }

  #graph(part: Part, depth: number): GraphOutline {
    if (depth > MAXIMUM_DEPTH) throw new RangeError(`Graphs lie more than ${MAXIMUM_DEPTH} deep in each other.`);
    const nodes: GraphNode[] = [];
    const constants = new Map<string, GraphConstant>();
    const values: Record<"input" | "output" | "valueInfo", GraphValue[]> = { input: [], output: [], valueInfo: [] };
    const inner = new Map<GraphNode, readonly GraphOutline[]>();
    for (const { number, part: content } of this.#fields(part)) {
      if (content === null) continue;
      if (number === GRAPH.node) {
        const node = this.#node(content);
        nodes.push(node);
        const graphs = graphBytesIn(node).map((bytes) => this.#graph(whole(bytes), depth + 1));
        if (graphs.length > 0) inner.set(node, graphs);
        this.#addConstantOf(node, constants);
      }
      if (number === GRAPH.initializer) {
        const { name, constant } = this.#constant(content);
        constants.set(name, constant);
      }
      for (const kind of ["input", "output", "valueInfo"] as const) if (number === GRAPH[kind]) values[kind].push(this.#value(content));
    }
    return { nodes, constants, inputs: values.input, outputs: values.output, values: values.valueInfo, inner };
  }

  #bytes({ read, start, end }: Part): Uint8Array {
    if (end - start > MAXIMUM_NODE_BYTES)
      throw new RangeError(`A node takes ${end - start} bytes; at most ${MAXIMUM_NODE_BYTES} are read.`);
    return read(start, end - start);
  }

  #node(part: Part): GraphNode {
    const bytes = this.#bytes(part);
    // Counted before objects are made of them.
    for (const { number, part: attribute } of this.#fields(whole(bytes))) {
      if (number === NODE.attribute && attribute !== null) for (const _ of this.#fields(attribute));
    }
    return readNode(bytes);
  }

  #value(part: Part): GraphValue {
    const bytes = this.#bytes(part);
    return { name: readValueInfo(bytes).name, dims: readShape(bytes) };
  }

  #addConstantOf(node: GraphNode, constants: Map<string, GraphConstant>): void {
    const [name] = node.outputs;
    if (node.op !== "Constant" || node.domain !== "" || name === undefined) return;
    const [tensor] = contents(attributeOf(node, "value") ?? [], ATTRIBUTE.tensor);
    if (tensor !== undefined) constants.set(name, this.#constant(whole(tensor)).constant);
  }

  #constant(part: Part): { readonly name: string; readonly constant: GraphConstant } {
    const dims: number[] = [];
    const found = { name: "", type: 0, external: false, raw: null as number | null, valueBytes: 0 };
    for (const { number, value, part: content } of this.#fields(part)) {
      const bytes = content === null ? 0 : content.end - content.start;
      if (number === TENSOR.dims) dims.push(...(content === null ? [value ?? NaN] : this.#packed(content)));
      else if (number === TENSOR.type) found.type = value ?? 0;
      else if (number === TENSOR.location) found.external = value === EXTERNAL;
      else if (number === TENSOR.name && content !== null) found.name = new TextDecoder().decode(this.#bytes(content));
      else if (number === TENSOR.raw) found.raw = (found.raw ?? 0) + bytes;
      else if (VALUE_FIELDS.has(number)) found.valueBytes += content === null ? 1 : Math.max(1, bytes);
    }
    const elements = dims.reduce((product, size) => product * size, 1);
    if (!Number.isSafeInteger(elements)) throw new RangeError(`The tensor "${found.name}" claims more numbers than can be counted.`);
    // A number takes half a byte at least. What lies in other files is not looked at.
    if (!found.external && elements > 2 * (found.raw ?? found.valueBytes)) {
      throw new RangeError(`The tensor "${found.name}" claims ${elements} numbers and holds ${found.raw ?? found.valueBytes} bytes.`);
    }
    return { name: found.name, constant: { type: found.type, dims, elements } };
  }

  #packed({ read, start, end }: Part): readonly number[] {
    const numbers: number[] = [];
    for (let position = start; position < end;) {
      const found = varint(read, position);
      if (found?.value == null || found.next > end || numbers.length > 64) throw new RangeError("The sizes of a tensor are damaged.");
      numbers.push(found.value);
      position = found.next;
    }
    return numbers;
  }
}

/**
 * @param model path of an ONNX file, or its bytes
 * @throws RangeError and others for what is no ONNX model; what opening and reading throws
 */
export function readGraphOutline(model: string | Uint8Array): GraphOutline {
  return withReader(model, (read) => new Outliner().model(buffered(read)));
}
