/**
 * Networks as large as those people use, with random weights: how long a run takes depends on the shapes, not on what was learnt. Made anew
 * for each bench, since files of this size do not belong in a repository.
 */
import { buildModel, type Constant, type GraphNode } from "../test/support/onnx-graphs.js";

class GraphBuilder {
  readonly nodes: GraphNode[] = [];
  readonly initializers: Constant[] = [];
  #names = 0;
  #state = 1;

  /** Uniform in a range that keeps the scale of what goes through (He's). */
  weights(dims: readonly number[], fanIn: number): string {
    const limit = Math.sqrt(6 / fanIn);
    const data = Float32Array.from({ length: dims.reduce((product, dim) => product * dim, 1) }, () => limit * this.#random());
    return this.constant(dims, data);
  }

  constant(dims: readonly number[], data: Float32Array | BigInt64Array): string {
    const name = `w${++this.#names}`;
    this.initializers.push({ name, dims, data });
    return name;
  }

  add(op: string, inputs: readonly string[], attributes: GraphNode["attributes"] = {}, output = `v${++this.#names}`): string {
    this.nodes.push({ op, inputs, outputs: [output], attributes });
    return output;
  }

  convolution(input: string, channels: readonly [from: number, to: number], kernel: number, stride: number): string {
    const [from, to] = channels;
    const padding = (kernel - 1) >> 1;
    return this.add("Conv", [input, this.weights([to, from, kernel, kernel], from * kernel * kernel)], {
      strides: { ints: [stride, stride] },
      pads: { ints: [padding, padding, padding, padding] },
    });
  }

  linear(input: string, from: number, to: number): string {
    return this.add("MatMul", [input, this.weights([from, to], from)]);
  }

  /** xorshift32, from -1 to 1: the same network in every run. */
  #random(): number {
    this.#state ^= this.#state << 13;
    this.#state ^= this.#state >>> 17;
    this.#state ^= this.#state << 5;
    return this.#state / 2 ** 31;
  }
}

/** ResNet-18 without its batch normalisation, which is part of the convolutions in exported networks: 224 x 224, 1.8 billion multiply-adds. */
export function residualClassifier(classes: number): Uint8Array {
  const graph = new GraphBuilder();
  let value = graph.add("Relu", [graph.convolution("images", [3, 64], 7, 2)]);
  value = graph.add("MaxPool", [value], { kernel_shape: { ints: [3, 3] }, strides: { ints: [2, 2] }, pads: { ints: [1, 1, 1, 1] } });
  let channels = 64;
  for (const width of [64, 64, 128, 128, 256, 256, 512, 512]) {
    const stride = width === channels ? 1 : 2;
    const inner = graph.add("Relu", [graph.convolution(value, [channels, width], 3, stride)]);
    const outer = graph.convolution(inner, [width, width], 3, 1);
    const shortcut = stride === 1 ? value : graph.convolution(value, [channels, width], 1, stride);
    value = graph.add("Relu", [graph.add("Add", [outer, shortcut])]);
    channels = width;
  }
  const pooled = graph.add("Flatten", [graph.add("GlobalAveragePool", [value])]);
  graph.add("MatMul", [pooled, graph.weights([channels, classes], channels)], {}, "output");
  return buildModel({
    inputs: [{ name: "images", type: "float32", dims: [1, 3, 224, 224] }],
    outputs: [{ name: "output", type: "float32", dims: [1, classes] }],
    nodes: graph.nodes,
    initializers: graph.initializers,
  });
}

export const QUERIES = 300;

/**
 * The linear layers of RF-DETR nano's backbone (576 patches of 384 x 384, width 384, 12 blocks) without its attention and decoder, and its
 * heads: smaller than the real one, so that what a prediction adds weighs more.
 */
export function patchDetector(classes: number): Uint8Array {
  const [width, patches, blocks] = [384, 576, 12];
  const graph = new GraphBuilder();
  const embedded = graph.add("Conv", ["images", graph.weights([width, 3, 16, 16], 3 * 16 * 16)], { strides: { ints: [16, 16] } });
  const flat = graph.add("Reshape", [embedded, graph.constant([3], BigInt64Array.of(1n, BigInt(width), BigInt(patches)))]);
  let value = graph.add("Transpose", [flat], { perm: { ints: [0, 2, 1] } });
  const residual = (from: string, change: string): string => graph.add("Tanh", [graph.add("Add", [from, change])]);
  for (let block = 0; block < blocks; block++) {
    // Query, key, value and projection of the attention.
    const attended = graph.linear(graph.linear(value, width, 3 * width), 3 * width, width);
    value = residual(value, attended);
    value = residual(value, graph.linear(graph.add("Relu", [graph.linear(value, width, 4 * width)]), 4 * width, width));
  }
  const bounds = [0, QUERIES, 1].map((bound) => graph.constant([1], BigInt64Array.of(BigInt(bound))));
  const queries = graph.add("Slice", [value, ...bounds]);
  graph.add("Sigmoid", [graph.linear(queries, width, 4)], {}, "dets");
  graph.add("MatMul", [queries, graph.weights([width, classes], width)], {}, "labels");
  return buildModel({
    inputs: [{ name: "images", type: "float32", dims: [1, 3, 384, 384] }],
    outputs: [
      { name: "dets", type: "float32", dims: [1, QUERIES, 4] },
      { name: "labels", type: "float32", dims: [1, QUERIES, classes] },
    ],
    nodes: graph.nodes,
    initializers: graph.initializers,
  });
}
