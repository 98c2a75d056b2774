/**
 * Sizes of a graph's values for given sizes of its inputs: what the file says, and what follows from that for the operators that most networks
 * consist of. What cannot be told is left out.
 *
 * Operators: https://github.com/onnx/onnx/blob/main/docs/Operators.md
 */
import type { GraphOutline, GraphValue } from "./graph-outline.js";
import { isHeavy, words } from "./operators.js";
import { ATTRIBUTE, attributeOf, integerAttribute, integersOf, textOf, type GraphNode } from "./proto.js";

export type Shape = readonly number[];
export type Shapes = ReadonlyMap<string, Shape>;

const LIKE_FIRST = words(
  "Abs BatchNormalization Cast Ceil Celu Clip CumSum Dropout Elu Erf Exp Floor Gelu GroupNormalization HardSigmoid HardSwish Identity " +
    "InstanceNormalization LRN LayerNormalization LeakyRelu Log LogSoftmax Mish Neg Not Reciprocal Relu Round Selu Sigmoid Sign Softmax Softplus " +
    "Softsign Sqrt Tanh ThresholdedRelu",
);
const BROADCASTING = words("Add Div Equal Greater Less Max Mean Min Mod Mul PRelu Pow Sub Sum Where");
const WINDOWS = words("Conv MaxPool AveragePool LpPool");

function broadcast(shapes: readonly Shape[]): Shape | null {
  const rank = Math.max(...shapes.map(({ length }) => length));
  const sizes = Array.from({ length: rank }, (_, axis) => {
    const along = new Set(shapes.map((shape) => shape[shape.length - rank + axis] ?? 1).filter((size) => size !== 1));
    return along.size > 1 ? null : ([...along][0] ?? 1);
  });
  return sizes.includes(null) ? null : (sizes as number[]);
}

/** Convolutions and pooling. `kernel`: sizes of the window; `channels`: null = as many as there were. */
function windowed(node: GraphNode, input: Shape, kernel: Shape, channels: number | null): Shape | null {
  const spatial = input.slice(2);
  const each = (name: string, otherwise: number): Shape => integersOf(node, name) ?? spatial.map(() => otherwise);
  const [strides, dilations, pads] = [each("strides", 1), each("dilations", 1), integersOf(node, "pads") ?? []];
  const padding = textOf(attributeOf(node, "auto_pad") ?? [], ATTRIBUTE.text) || "NOTSET";
  const up = integerAttribute(node, "ceil_mode", 0) !== 0;
  // Whether the last window may begin in the padding is told differently by different versions.
  if (kernel.length !== spatial.length || up) return null;
  const sizes = spatial.map((size, axis) => {
    const stride = strides[axis] ?? 1;
    if (padding.startsWith("SAME_")) return Math.ceil(size / stride);
    const around = padding === "VALID" ? 0 : (pads[axis] ?? 0) + (pads[axis + spatial.length] ?? 0);
    return Math.floor((size + around - (dilations[axis] ?? 1) * ((kernel[axis] as number) - 1) - 1) / stride) + 1;
  });
  if (!sizes.every((size) => Number.isSafeInteger(size) && size > 0)) return null;
  return [input[0] as number, channels ?? (input[1] as number), ...sizes];
}

function product([a = [], b = []]: readonly Shape[]): Shape | null {
  if (a.length < 2 || b.length < 2 || a.at(-1) !== b.at(-2)) return null;
  const around = broadcast([a.slice(0, -2), b.slice(0, -2)]);
  return around === null ? null : [...around, a.at(-2) as number, b.at(-1) as number];
}

function concatenated(shapes: readonly Shape[], axis: number): Shape | null {
  const [first = []] = shapes;
  const at = axis < 0 ? axis + first.length : axis;
  if (at >= first.length || shapes.some(({ length }) => length !== first.length)) return null;
  return first.map((size, index) => (index === at ? shapes.reduce((sum, shape) => sum + (shape[at] as number), 0) : size));
}

/** Sizes of the first output; `inputs` has those of all inputs. */
function outputShape(node: GraphNode, inputs: readonly Shape[]): Shape | null {
  const [first, second] = inputs;
  if (first === undefined) return null;
  if (LIKE_FIRST.has(node.op)) return first;
  if (BROADCASTING.has(node.op)) return broadcast(inputs);
  if (WINDOWS.has(node.op)) {
    const isConvolution = isHeavy(node);
    const kernel = isConvolution ? second?.slice(2) : integersOf(node, "kernel_shape");
    return first.length < 3 || kernel === null || kernel === undefined
      ? null
      : windowed(node, first, kernel, isConvolution ? (second?.[0] ?? null) : null);
  }
  switch (node.op) {
    case "GlobalAveragePool":
    case "GlobalMaxPool":
      return first.map((size, axis) => (axis < 2 ? size : 1));
    case "MatMul":
      return product(inputs);
    case "Gemm": {
      const rows = first[integerAttribute(node, "transA", 0) === 0 ? 0 : 1];
      const columns = second?.[integerAttribute(node, "transB", 0) === 0 ? 1 : 0];
      return rows === undefined || columns === undefined ? null : [rows, columns];
    }
    case "Concat":
      return concatenated(inputs, integerAttribute(node, "axis", 1));
    case "Flatten": {
      const axis = integerAttribute(node, "axis", 1);
      const elements = (part: Shape): number => part.reduce((count, size) => count * size, 1);
      return axis < 0 ? null : [elements(first.slice(0, axis)), elements(first.slice(axis))];
    }
    case "Transpose": {
      const order = integersOf(node, "perm") ?? first.map((_, axis) => first.length - 1 - axis);
      const sizes = order.map((axis) => first[axis]);
      return sizes.includes(undefined) || sizes.length !== first.length ? null : (sizes as number[]);
    }
    default:
      return null;
  }
}

/** Sizes that vary, by the names that the file gives them; a name for two different sizes tells nothing. */
function namedSizes(inputs: readonly GraphValue[], given: Shapes): ReadonlyMap<string, number> {
  const sizes = new Map<string, number | null>();
  for (const { name, dims } of inputs) {
    dims?.forEach((size, axis) => {
      const actual = given.get(name)?.[axis];
      if (typeof size !== "string" || actual === undefined) return;
      sizes.set(size, sizes.has(size) && sizes.get(size) !== actual ? null : actual);
    });
  }
  return new Map([...sizes].flatMap(([name, size]) => (size === null ? [] : [[name, size]])));
}

/** @param given sizes of inputs, where they are known */
export function shapesOf({ nodes, constants, inputs, outputs, values }: GraphOutline, given: Shapes): Shapes {
  const shapes = new Map<string, Shape>([...constants].map(([name, { dims }]) => [name, dims]));
  const named = namedSizes(inputs, given);
  for (const { name, dims } of [...values, ...outputs]) {
    const sizes = dims?.map((size) => (typeof size === "string" ? named.get(size) : (size ?? undefined)));
    if (sizes !== undefined && !sizes.includes(undefined)) shapes.set(name, sizes as number[]);
  }
  for (const [name, shape] of given) shapes.set(name, shape);
  for (const node of nodes) {
    const [output] = node.outputs;
    if (node.domain !== "" || output === undefined || shapes.has(output)) continue;
    const known = node.inputs.map((name) => shapes.get(name));
    // Of an input that is left out nothing need be known.
    if (known.some((shape, index) => shape === undefined && node.inputs[index] !== "")) continue;
    const shape = outputShape(
      node,
      known.filter((one) => one !== undefined),
    );
    if (shape !== null) shapes.set(output, shape);
  }
  return shapes;
}
