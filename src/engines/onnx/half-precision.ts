/**
 * A float32 network into one that computes in float16 where that pays and is safe: for runtimes that take the model at its word, as TensorRT
 * 11 does. Inputs, outputs and their types stay; casts are put where the precisions meet.
 *
 * - Convolutions and matrix products compute in half precision: they are nearly all of the time.
 * - What lies between them (activations, sums, pooling, moving of data) follows when all that it gets is in half precision already.
 * - Everything else keeps float32: softmax, norms, reductions, exponentials, whose sums and ranges half precision does not hold; what comes
 *   before the first and after the last of the heavy operators, such as the arithmetic on boxes in pixels; graphs inside nodes; operators
 *   that are not known here.
 *
 * A value keeps its name while it is float32; its half has a name of its own. So nodes that are not converted stay as they are.
 */
import { float32ToFloat16 } from "../float16.js";
import { isHeavy, words } from "./operators.js";
import {
  attributeOf,
  ATTRIBUTE,
  bytesField,
  castNode,
  contents,
  GRAPH,
  graphsIn,
  integerField,
  integerOf,
  MODEL,
  readFields,
  readNode,
  readValueInfo,
  TENSOR,
  textField,
  textOf,
  withPorts,
  writeFields,
  type Field,
  type GraphNode,
} from "./proto.js";
import { FLOAT, outputType } from "./value-types.js";

const HALF = 10;
const LARGEST_HALF = 65504;
const EXTERNAL = 1;

const FOLLOWING = words(
  "Abs Add AveragePool BatchNormalization Clip Concat DepthToSpace Div Dropout Elu Expand Flatten Gather Gelu GlobalMaxPool HardSigmoid " +
    "HardSwish Identity LeakyRelu Max MaxPool Min Mish Mul Neg PRelu Pad Relu Reshape Resize Selu Sigmoid Slice SpaceToDepth Split Squeeze " +
    "Sub Tanh Tile Transpose Unsqueeze Upsample Where",
);
/** Inputs that say how, not what; they stay float32. */
const SETTINGS: Readonly<Record<string, readonly number[]>> = { Resize: [1, 2], Upsample: [1], Dropout: [1] };

export interface HalfPrecisionModel {
  readonly model: Uint8Array;
  readonly nodes: number;
  /** How many of them compute in half precision now; 0 = the model is as it was. */
  readonly halfNodes: number;
}

/** Names that graphs inside a node use. */
function namesUsedIn(graph: readonly Field[]): readonly string[] {
  return contents(graph, GRAPH.node).flatMap((bytes) => {
    const node = readNode(bytes);
    return [...node.inputs, ...graphsIn(node).flatMap(namesUsedIn)];
  });
}

/** Values of a float32 tensor that lies in the model itself; null for others. */
function floatsOf(tensor: readonly Field[]): Float32Array | null {
  if (integerOf(tensor, TENSOR.type) !== FLOAT || integerOf(tensor, TENSOR.location) === EXTERNAL) return null;
  // Raw bytes, or numbers one after the other, packed or not: the same bytes in any case. A copy, because floats need to be aligned.
  const raw = contents(tensor, TENSOR.raw);
  const bytes = Buffer.concat(raw.length > 0 ? raw : contents(tensor, TENSOR.floats));
  if (bytes.length % 4 !== 0) throw new RangeError("A tensor of floats ends within a number.");
  return new Float32Array(new Uint8Array(bytes).buffer);
}

/** What half precision cannot hold becomes the largest that it can, as masks of -1e9 want it; infinities stay. */
function toHalf(floats: Float32Array): Uint8Array {
  const clamped = floats.map((value) => (Number.isFinite(value) ? Math.max(-LARGEST_HALF, Math.min(LARGEST_HALF, value)) : value));
  return new Uint8Array(float32ToFloat16(clamped).buffer);
}

class Conversion {
  readonly #graph: readonly Field[];
  readonly #nodes: readonly GraphNode[];
  /** Element types in the given model. */
  readonly #types = new Map<string, number>();
  readonly #inputs = new Set<string>();
  readonly #constants = new Map<string, readonly Field[]>();
  readonly #names = new Set<string>();
  /** Values with a heavy operator further on. */
  readonly #ahead = new Set<string>();
  /** Half versions that exist: value to name. */
  readonly #halves = new Map<string, string>();
  /** Values that exist as half alone, so far. */
  readonly #onlyHalf = new Set<string>();
  /** Values that were ever made in half precision; what the model said of them no longer holds. */
  readonly #made = new Set<string>();
  readonly #initializers: Uint8Array[] = [];
  readonly #result: Uint8Array[] = [];
  halfNodes = 0;

  constructor(graph: readonly Field[]) {
    this.#graph = graph;
    this.#nodes = contents(graph, GRAPH.node).map(readNode);
    for (const bytes of contents(graph, GRAPH.input)) {
      const { name, type } = readValueInfo(bytes);
      if (type !== 0) this.#types.set(name, type);
      this.#inputs.add(name);
      this.#names.add(name);
    }
    for (const bytes of contents(graph, GRAPH.initializer)) this.#addConstant(readFields(bytes));
    for (const { inputs, outputs } of this.#nodes) for (const name of [...inputs, ...outputs]) this.#names.add(name);
    for (const node of [...this.#nodes].reverse()) {
      if (isHeavy(node) || node.outputs.some((name) => this.#ahead.has(name))) for (const name of node.inputs) this.#ahead.add(name);
    }
  }

  get nodes(): number {
    return this.#nodes.length;
  }

  #addConstant(tensor: readonly Field[], name = textOf(tensor, TENSOR.name)): void {
    this.#types.set(name, integerOf(tensor, TENSOR.type));
    this.#constants.set(name, tensor);
    this.#names.add(name);
  }

  #typeOf = (name: string | undefined): number | null => this.#types.get(name ?? "") ?? null;

  convert(): Uint8Array {
    const declared = new Map(
      contents(this.#graph, GRAPH.valueInfo).map((bytes) => Object.values(readValueInfo(bytes)) as [string, number]),
    );
    for (const node of this.#nodes) {
      node.outputs.forEach((name, index) => {
        const type = outputType(node, index, this.#typeOf) ?? declared.get(name) ?? 0;
        if (type !== 0) this.#types.set(name, type);
      });
      if (node.op === "Constant" && node.domain === "") this.#keepConstant(node);
      if (this.#becomesHalf(node)) this.#makeHalf(node);
      else this.#keep(node);
    }
    for (const bytes of contents(this.#graph, GRAPH.output)) this.#asFloat(readValueInfo(bytes).name);
    return this.#write();
  }

  #keepConstant(node: GraphNode): void {
    const [tensor] = contents(attributeOf(node, "value") ?? [], ATTRIBUTE.tensor);
    const [name] = node.outputs;
    if (tensor !== undefined && name !== undefined) this.#addConstant(readFields(tensor), name);
  }

  /** Inputs that would be halves, by position. */
  #isValue({ op, inputs }: GraphNode, index: number): boolean {
    return inputs[index] !== "" && this.#typeOf(inputs[index]) === FLOAT && SETTINGS[op]?.includes(index) !== true;
  }

  #becomesHalf(node: GraphNode): boolean {
    const { op, domain, inputs, outputs } = node;
    if (domain !== "" || inputs.some((name) => name !== "" && this.#typeOf(name) === null)) return false;
    if (this.#typeOf(outputs[0]) !== FLOAT) return false;
    if (isHeavy(node)) return inputs.every((name) => name === "" || this.#typeOf(name) === FLOAT);
    if (!FOLLOWING.has(op) || !outputs.some((name) => this.#ahead.has(name))) return false;
    const values = inputs.filter((name, index) => this.#isValue(node, index) && !this.#constants.has(name));
    return values.length > 0 && values.every((name) => this.#halves.has(name));
  }

  #makeHalf(node: GraphNode): void {
    const inputs = node.inputs.map((name, index) => (this.#isValue(node, index) ? this.#asHalf(name) : name));
    const outputs = node.outputs.map((name) => {
      if (name === "" || this.#typeOf(name) !== FLOAT) return name;
      this.#onlyHalf.add(name);
      this.#made.add(name);
      return this.#nameHalf(name);
    });
    this.#result.push(withPorts(node, inputs, outputs));
    this.halfNodes += 1;
  }

  #keep(node: GraphNode): void {
    for (const name of [...node.inputs, ...graphsIn(node).flatMap(namesUsedIn)]) this.#asFloat(name);
    this.#result.push(writeFields(node.fields));
  }

  #nameHalf(name: string): string {
    let half = `${name}/half`;
    while (this.#names.has(half)) half += "_";
    this.#names.add(half);
    this.#halves.set(name, half);
    return half;
  }

  #asHalf(name: string): string {
    const known = this.#halves.get(name);
    if (known !== undefined) return known;
    const half = this.#nameHalf(name);
    // A caller may give another value to what is an input as well.
    const constant = this.#inputs.has(name) ? undefined : this.#constants.get(name);
    const floats = constant === undefined ? null : floatsOf(constant);
    if (constant === undefined || floats === null) this.#result.push(castNode(name, half, HALF));
    else {
      const dims = constant.filter(({ number }) => number === TENSOR.dims);
      const content = [integerField(TENSOR.type, BigInt(HALF)), textField(TENSOR.name, half), bytesField(TENSOR.raw, toHalf(floats))];
      this.#initializers.push(writeFields([...dims, ...content]));
    }
    return half;
  }

  /** Under its own name. */
  #asFloat(name: string): void {
    const half = this.#halves.get(name);
    if (half === undefined || !this.#onlyHalf.delete(name)) return;
    this.#result.push(castNode(half, name, FLOAT));
  }

  #write(): Uint8Array {
    const used = new Set(
      this.#result.flatMap((bytes) => {
        const node = readNode(bytes);
        return [...node.inputs, ...graphsIn(node).flatMap(namesUsedIn)];
      }),
    );
    for (const number of [GRAPH.input, GRAPH.output])
      for (const bytes of contents(this.#graph, number)) used.add(readValueInfo(bytes).name);
    const rest = this.#graph.filter(({ number, value }) => {
      if (number === GRAPH.node) return false;
      if (typeof value === "bigint") return true;
      // Constants that only halves are wanted of, and what was said of values that are no longer there.
      if (number === GRAPH.initializer) return used.has(textOf(readFields(value), TENSOR.name));
      return number !== GRAPH.valueInfo || !this.#made.has(readValueInfo(value).name);
    });
    return writeFields([
      ...this.#result.map((bytes) => bytesField(GRAPH.node, bytes)),
      ...this.#initializers.map((bytes) => bytesField(GRAPH.initializer, bytes)),
      ...rest,
    ]);
  }
}

/**
 * @param model a serialized ONNX model of float32. Weights in files of their own stay there, and are cast when the network runs.
 * @throws Error for bytes that are no ONNX model
 */
export function toHalfPrecision(model: Uint8Array): HalfPrecisionModel {
  const fields = readFields(model);
  const [graph] = contents(fields, MODEL.graph);
  if (graph === undefined) throw new RangeError("There is no graph in it.");
  const conversion = new Conversion(readFields(graph));
  const converted = conversion.convert();
  const { nodes, halfNodes } = conversion;
  if (halfNodes === 0) return { model, nodes, halfNodes };
  return {
    model: writeFields(fields.map((field) => (field.number === MODEL.graph ? bytesField(MODEL.graph, converted) : field))),
    nodes,
    halfNodes,
  };
}
