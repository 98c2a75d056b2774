/** What a network consists of, and what running it takes, as far as its graph tells without its weights. */
import { elementBytes } from "../element-types.js";
import type { GraphConstant, GraphOutline, GraphValue } from "./graph-outline.js";
import { isHeavy } from "./operators.js";
import type { GraphNode } from "./proto.js";
import { shapesOf, type Shape, type Shapes } from "./shapes.js";

export interface NetworkCost {
  /** Nodes of the graph, with those of branches and loops; constants are none. */
  readonly operators: number;
  /** Convolutions and matrix products among them. */
  readonly heavyOperators: number;
  /** Numbers in the weights: constants of all types but whole numbers of 32 and 64 bits, truths and texts, which say how. */
  readonly parameters: number;
  /** As the file has them. */
  readonly parameterBytes: number;
  /** Of the constants that convolutions and matrix products take, each once, in the precision that was asked for. */
  readonly heavyWeightBytes: number;
  /** Of one run, by convolutions and matrix products; null when the sizes of one of them cannot be told. */
  readonly multiplyAdds: number | null;
}

export interface CostQuestion {
  /** Sizes of an input, or null where they are not known. */
  readonly inputShape: (input: GraphValue) => Shape | null;
  readonly fp16: boolean;
}

/** ONNX's numbers of types that have no counterpart among ours: float8 in five kinds, and 4 bits. */
const SMALL_TYPES: Readonly<Record<number, number>> = { 17: 1, 18: 1, 19: 1, 20: 1, 24: 1, 21: 0.5, 22: 0.5, 23: 0.5 };
const SETTINGS: ReadonlySet<number> = new Set([6, 7, 8, 9, 12, 13]);
const HALF_BYTES = 2;
const FLOAT_BYTES = 4;

/** 0 for types that are no weights. */
const weightBytes = (type: number): number => (SETTINGS.has(type) ? 0 : (SMALL_TYPES[type] ?? elementBytes(type) ?? 0));

const count = (shape: Shape): number => shape.reduce((product, size) => product * size, 1);

function nodeCost({ op, inputs, outputs }: GraphNode, shapes: Shapes): number | null {
  const [data, weights, output] = [inputs[0], inputs[1], outputs[0]].map((name) => shapes.get(name ?? ""));
  if (data === undefined || weights === undefined) return null;
  if (op === "ConvTranspose") return count(data) * count(weights.slice(1));
  if (output === undefined) return null;
  if (op === "Conv") return count(output) * count(weights.slice(1));
  // What both factors share and the product lacks: every element of the product is a sum over it.
  return op === "Gemm" ? count(data) * (output[1] ?? 1) : count(output) * (data.at(-1) ?? 1);
}

const everyGraph = (outline: GraphOutline): readonly GraphOutline[] => [outline, ...[...outline.inner.values()].flat().flatMap(everyGraph)];

const namesUsedIn = (outline: GraphOutline): readonly string[] =>
  everyGraph(outline).flatMap(({ nodes, outputs }) => [...nodes.flatMap(({ inputs }) => inputs), ...outputs.map(({ name }) => name)]);

/** Nodes that outputs depend on and that depend on inputs: the others TensorRT leaves out, or computes beforehand. */
function lastingNodes({ nodes, constants, inputs, outputs, inner }: GraphOutline): readonly GraphNode[] {
  const usedBy = new Map(nodes.map((node) => [node, [...node.inputs, ...(inner.get(node) ?? []).flatMap(namesUsedIn)]]));
  const varying = new Set(inputs.map(({ name }) => name).filter((name) => !constants.has(name)));
  for (const [node, used] of usedBy) if (used.some((name) => varying.has(name))) for (const name of node.outputs) varying.add(name);
  const needed = new Set(outputs.map(({ name }) => name));
  const lasting: GraphNode[] = [];
  for (const [node, used] of [...usedBy].reverse()) {
    if (!node.outputs.some((name) => needed.has(name))) continue;
    for (const name of used) needed.add(name);
    if (node.outputs.some((name) => varying.has(name))) lasting.push(node);
  }
  return lasting;
}

/** Less is not possible: weights of 32 bits may become halves, but are never left out; those of 64 bits become floats. */
function leastBytes({ type, elements }: GraphConstant, fp16: boolean): number {
  return Math.ceil(elements * Math.min(weightBytes(type), fp16 ? HALF_BYTES : FLOAT_BYTES));
}

export function networkCost(outline: GraphOutline, { inputShape, fp16 }: CostQuestion): NetworkCost {
  const graphs = everyGraph(outline);
  const constants = graphs.flatMap((graph) => [...graph.constants.values()]).filter(({ type }) => weightBytes(type) > 0);
  const heavyInputs = new Set(
    lastingNodes(outline)
      .filter(isHeavy)
      .flatMap(({ inputs }) => inputs),
  );
  const heavyWeights = [...heavyInputs].flatMap((name) => outline.constants.get(name) ?? []);
  const given = outline.inputs.flatMap((input) => {
    const shape = outline.constants.has(input.name) ? null : inputShape(input);
    return shape === null ? [] : [[input.name, shape] as const];
  });
  const shapes = shapesOf(outline, new Map(given));
  const heavy = graphs.map(({ nodes }) => nodes.filter(isHeavy));
  // In branches and loops nobody knows how often.
  const costs = heavy.flatMap((nodes, index) => nodes.map((node) => (index === 0 ? nodeCost(node, shapes) : null)));
  const multiplyAdds = costs.reduce<number>((sum, cost) => sum + (cost ?? NaN), 0);
  return {
    operators: graphs.reduce((sum, { nodes }) => sum + nodes.filter(({ op }) => op !== "Constant").length, 0),
    heavyOperators: costs.length,
    parameters: constants.reduce((sum, { elements }) => sum + elements, 0),
    parameterBytes: constants.reduce((sum, { type, elements }) => sum + Math.ceil(elements * weightBytes(type)), 0),
    heavyWeightBytes: heavyWeights.reduce((sum, constant) => sum + leastBytes(constant, fp16), 0),
    multiplyAdds: Number.isSafeInteger(multiplyAdds) ? multiplyAdds : null,
  };
}
