/** Models before and after the conversion to half precision, both run by ONNX Runtime on the CPU. */
import { describe, expect, it } from "vitest";

import { createInferenceSession, type Tensor } from "../../src/engines/index.js";
import { toHalfPrecision } from "../../src/engines/onnx/half-precision.js";
import { contents, GRAPH, MODEL, readFields, readNode, TENSOR, textOf, writeFields, bytesField } from "../../src/engines/onnx/proto.js";
import { buildModel, type Constant, type GraphNode, type ModelDescription } from "../support/onnx-graphs.js";

/** Numbers around zero that do not repeat soon; the same ones each time. */
const numbers = (count: number, scale = 1): Float32Array =>
  Float32Array.from({ length: count }, (_, i) => (((i * 7919) % 997) / 498.5 - 1) * scale);
const constant = (name: string, dims: readonly number[], data = numbers(dims.reduce((a, b) => a * b, 1))): Constant => ({
  name,
  dims,
  data,
});

const IMAGE = { name: "x", type: "float32", dims: [1, 2, 8, 8] } as const;
const ROW = { name: "x", type: "float32", dims: [1, 4] } as const;

async function run(model: Uint8Array, inputs: Readonly<Record<string, Tensor>>): Promise<Readonly<Record<string, Tensor>>> {
  await using session = await createInferenceSession(model, { executionProviders: ["cpu"] });
  return await session.run(inputs);
}

interface Outcome {
  readonly halfNodes: number;
  /** Operators of the new graph, in order. */
  readonly ops: readonly string[];
  /** Greatest difference of an output, relative to the greatest value. */
  readonly difference: number;
  readonly outputs: Readonly<Record<string, Tensor>>;
}

function operators(model: Uint8Array): readonly string[] {
  const [graph] = contents(readFields(model), MODEL.graph);
  return contents(readFields(graph!), GRAPH.node).map((bytes) => readNode(bytes).op);
}

async function convert(description: ModelDescription | Uint8Array, inputs?: Readonly<Record<string, Tensor>>): Promise<Outcome> {
  const model = description instanceof Uint8Array ? description : buildModel(description);
  const { model: half, halfNodes } = toHalfPrecision(model);
  const feeds = inputs ?? { x: { type: "float32", dims: IMAGE.dims, data: numbers(128) } };
  const [before, after] = [await run(model, feeds), await run(half, feeds)];
  let difference = 0;
  for (const [name, tensor] of Object.entries(before)) {
    expect(after[name]).toMatchObject({ type: tensor.type, dims: tensor.dims });
    const [a, b] = [tensor.data as Float32Array, after[name]!.data as Float32Array];
    const largest = a.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-3);
    a.forEach((value, index) => (difference = Math.max(difference, Math.abs(value - (b[index] ?? NaN)) / largest)));
  }
  return { halfNodes, ops: operators(half), difference, outputs: after };
}

const rows = (...data: readonly number[]): Readonly<Record<string, Tensor>> => ({
  x: { type: "float32", dims: [1, data.length], data: Float32Array.from(data) },
});

const node = (op: string, inputs: readonly string[], outputs: readonly string[], attributes: GraphNode["attributes"] = {}): GraphNode => ({
  op,
  inputs,
  outputs,
  attributes,
});
const output = (name: string, dims: readonly (number | string)[]) => ({ name, type: "float32", dims }) as const;

describe("conversion to half precision", () => {
  it("converts what is heavy and what lies between, and keeps softmax and all ports", async () => {
    const { halfNodes, ops, difference } = await convert({
      inputs: [IMAGE],
      outputs: [output("y", [1, 3])],
      nodes: [
        node("Conv", ["x", "w1", "b1"], ["c1"], { pads: { ints: [1, 1, 1, 1] } }),
        node("Sigmoid", ["c1"], ["s1"]),
        node("Mul", ["c1", "s1"], ["m1"]),
        node("MaxPool", ["m1"], ["p1"], { kernel_shape: { ints: [2, 2] }, strides: { ints: [2, 2] } }),
        node("Conv", ["p1", "w2"], ["c2"]),
        node("Reshape", ["c2", "flat"], ["r2"]),
        node("MatMul", ["r2", "w3"], ["m3"]),
        node("Softmax", ["m3"], ["y"], { axis: { int: 1 } }),
      ],
      initializers: [
        constant("w1", [4, 2, 3, 3]),
        constant("b1", [4]),
        constant("w2", [2, 4, 4, 4]),
        { name: "flat", dims: [2], data: BigInt64Array.of(1n, 2n) },
        constant("w3", [2, 3]),
      ],
    });
    expect(halfNodes).toBe(7);
    expect(ops).toEqual(["Cast", "Conv", "Sigmoid", "Mul", "MaxPool", "Conv", "Reshape", "MatMul", "Cast", "Softmax"]);
    expect(difference).toBeGreaterThan(0);
    expect(difference).toBeLessThan(0.02);
  });

  it("keeps what comes before the first and after the last heavy operator: pixels need more than half precision has", async () => {
    const { halfNodes, ops, outputs, difference } = await convert(
      {
        inputs: [ROW],
        outputs: [output("y", [1, 4])],
        nodes: [
          node("Sub", ["x", "mean"], ["centred"]),
          node("MatMul", ["centred", "identity"], ["product"]),
          node("Mul", ["product", "stride"], ["scaled"]),
          node("Add", ["scaled", "anchor"], ["y"]),
        ],
        initializers: [
          constant("mean", [1], Float32Array.of(1000)),
          constant(
            "identity",
            [4, 4],
            Float32Array.from({ length: 16 }, (_, i) => (i % 5 === 0 ? 1 : 0)),
          ),
          constant("stride", [1], Float32Array.of(0.01)),
          constant("anchor", [4], Float32Array.of(2000.125, 2001.375, 2002.0625, 4000.5)),
        ],
      },
      rows(1001, 1002, 1003, 1004),
    );
    expect(halfNodes).toBe(1);
    expect(ops).toEqual(["Sub", "Cast", "MatMul", "Cast", "Mul", "Add"]);
    expect([...(outputs["y"]!.data as Float32Array)].map((value) => Number(value.toFixed(4)))).toEqual([
      2000.135, 2001.395, 2002.0925, 4000.54,
    ]);
    expect(difference).toBeLessThan(1e-6);
  });

  it("keeps norms, and sums of a half and a float", async () => {
    const { ops, difference } = await convert(
      {
        inputs: [ROW],
        outputs: [output("y", [1, 4])],
        nodes: [
          node("MatMul", ["x", "w"], ["a"]),
          node("ReduceMean", ["a"], ["mean"], { axes: { ints: [1] } }),
          node("Sub", ["a", "mean"], ["centred"]),
          node("Div", ["centred", "mean"], ["normed"]),
          node("MatMul", ["normed", "w"], ["y"]),
        ],
        initializers: [constant("w", [4, 4])],
      },
      rows(1, 2, 3, 4),
    );
    expect(ops).toEqual(["Cast", "MatMul", "Cast", "ReduceMean", "Sub", "Div", "Cast", "MatMul", "Cast"]);
    expect(difference).toBeLessThan(0.02);
  });

  it("holds masks that half precision cannot, and infinities", async () => {
    const { halfNodes, outputs, difference } = await convert(
      {
        inputs: [ROW],
        outputs: [output("y", [1, 4])],
        nodes: [
          node("MatMul", ["x", "w"], ["scores"]),
          node("Add", ["scores", "mask"], ["masked"]),
          node("Softmax", ["masked"], ["weights"], { axis: { int: 1 } }),
          node("MatMul", ["weights", "w"], ["y"]),
        ],
        initializers: [constant("w", [4, 4]), constant("mask", [4], Float32Array.of(0, -1e9, 0, -Infinity))],
      },
      rows(1, 2, 3, 4),
    );
    expect(halfNodes).toBe(3);
    expect((outputs["y"]!.data as Float32Array).every(Number.isFinite)).toBe(true);
    expect(difference).toBeLessThan(0.02);
  });

  it("gives graphs inside a node the values that they knew", async () => {
    const branch = (op: string): ModelDescription => ({
      inputs: [],
      outputs: [output("chosen", [1, 4])],
      nodes: [node(op, ["product"], ["chosen"])],
    });
    for (const on of [0, 1]) {
      const { ops, difference } = await convert(
        {
          inputs: [ROW, { name: "on", type: "bool", dims: [] }],
          outputs: [output("y", [1, 4])],
          nodes: [
            node("MatMul", ["x", "w"], ["product"]),
            node("If", ["on"], ["picked"], { then_branch: { graph: branch("Neg") }, else_branch: { graph: branch("Identity") } }),
            node("MatMul", ["picked", "w"], ["y"]),
          ],
          initializers: [constant("w", [4, 4])],
        },
        { ...rows(1, 2, 3, 4), on: { type: "bool", dims: [], data: Uint8Array.of(on) } },
      );
      expect(ops).toEqual(["Cast", "MatMul", "Cast", "If", "Cast", "MatMul", "Cast"]);
      expect(difference).toBeLessThan(0.02);
    }
  });

  it("leaves constants to those who need them as they are, also those that are nodes, or inputs as well", async () => {
    const { ops, difference } = await convert(
      {
        inputs: [ROW, { name: "w", type: "float32", dims: [4, 4] }],
        outputs: [output("y", [1, 4]), output("sum", [4, 4])],
        nodes: [
          node("Constant", [], ["bias"], { value: { tensor: { dims: [4], data: numbers(4) } } }),
          node("Gemm", ["x", "w", "bias"], ["y"]),
          node("Exp", ["w"], ["sum"]),
        ],
        initializers: [constant("w", [4, 4])],
      },
      rows(1, 2, 3, 4),
    );
    expect(ops).toEqual(["Constant", "Cast", "Cast", "Gemm", "Exp", "Cast"]);
    expect(difference).toBeLessThan(0.01);
  });

  it("finds names that are free", async () => {
    const { difference } = await convert(
      {
        inputs: [ROW],
        outputs: [output("x/half", [1, 4]), output("p/half", [1, 4])],
        nodes: [node("MatMul", ["x", "w"], ["p"]), node("Exp", ["p"], ["p/half"]), node("MatMul", ["p/half", "w"], ["x/half"])],
        initializers: [constant("w", [4, 4], numbers(16, 0.5))],
      },
      rows(0.1, 0.2, 0.3, 0.4),
    );
    expect(difference).toBeLessThan(0.01);
  });

  it("keeps the settings of a resize", async () => {
    const { halfNodes, difference } = await convert({
      inputs: [IMAGE],
      outputs: [output("y", [1, 2, 16, 16])],
      nodes: [
        node("Conv", ["x", "w"], ["c"]),
        node("Resize", ["c", "", "scales"], ["big"], { mode: { string: "nearest" } }),
        node("Concat", ["big", "big"], ["both"], { axis: { int: 1 } }),
        node("Conv", ["both", "w2"], ["y"]),
      ],
      initializers: [constant("w", [2, 2, 1, 1]), constant("scales", [4], Float32Array.of(1, 1, 2, 2)), constant("w2", [2, 4, 1, 1])],
    });
    expect(halfNodes).toBe(4);
    expect(difference).toBeLessThan(0.01);
  });

  it("reads weights that are numbers, and not raw bytes", async () => {
    const model = buildModel({
      inputs: [ROW],
      outputs: [output("y", [1, 4])],
      nodes: [node("MatMul", ["x", "w"], ["y"])],
      initializers: [constant("w", [4, 4])],
    });
    const inTensor = (bytes: Uint8Array): Uint8Array =>
      writeFields(readFields(bytes).map((field) => (field.number === TENSOR.raw ? { ...field, number: TENSOR.floats } : field)));
    const inGraph = (bytes: Uint8Array): Uint8Array =>
      writeFields(
        readFields(bytes).map((field) =>
          field.number === GRAPH.initializer ? bytesField(field.number, inTensor(field.value as Uint8Array)) : field,
        ),
      );
    const packed = writeFields(
      readFields(model).map((field) =>
        field.number === MODEL.graph ? bytesField(field.number, inGraph(field.value as Uint8Array)) : field,
      ),
    );
    const { halfNodes, difference } = await convert(packed, rows(1, 2, 3, 4));
    expect(halfNodes).toBe(1);
    expect(difference).toBeLessThan(0.01);
  });

  it("asks nothing of operators that it does not know", () => {
    const model = buildModel({
      inputs: [ROW],
      outputs: [output("y", [1, 4])],
      otherOpsets: { "com.example": 1 },
      nodes: [
        node("MatMul", ["x", "w"], ["p"]),
        { op: "Thing", domain: "com.example", inputs: ["p"], outputs: ["q"] },
        node("MatMul", ["q", "w"], ["y"]),
      ],
      initializers: [constant("w", [4, 4])],
    });
    const { model: half, halfNodes } = toHalfPrecision(model);
    expect(halfNodes).toBe(1);
    const [graph] = contents(readFields(half), MODEL.graph);
    const nodes = contents(readFields(graph!), GRAPH.node).map(readNode);
    expect(nodes.map(({ op, inputs }) => [op, ...inputs])).toEqual([
      ["Cast", "x"],
      ["MatMul", "x/half", "w/half"],
      ["Cast", "p/half"],
      ["Thing", "p"],
      ["MatMul", "q", "w"],
    ]);
    expect(
      contents(readFields(graph!), GRAPH.initializer)
        .map((tensor) => textOf(readFields(tensor), TENSOR.name))
        .sort(),
    ).toEqual(["w", "w/half"]);
  });

  it("returns what has nothing to convert as it is", () => {
    const light = buildModel({ inputs: [ROW], outputs: [output("y", [1, 4])], nodes: [node("Exp", ["x"], ["y"])] });
    expect(toHalfPrecision(light)).toEqual({ model: light, nodes: 1, halfNodes: 0 });
    const half = { name: "x", type: "float16", dims: [1, 4] } as const;
    const already = buildModel({
      inputs: [half],
      outputs: [{ ...half, name: "y" }],
      nodes: [node("MatMul", ["x", "w"], ["y"])],
      initializers: [{ name: "w", dims: [4, 4], data: new Uint16Array(16), type: "float16" }],
    });
    expect(toHalfPrecision(already).halfNodes).toBe(0);
  });

  it("refuses what ends too early, wherever it ends", () => {
    const model = buildModel({
      inputs: [ROW],
      outputs: [output("y", [1, 4])],
      nodes: [node("MatMul", ["x", "w"], ["y"])],
      initializers: [constant("w", [4, 4])],
      custom: {},
    });
    const [graph] = contents(readFields(model), MODEL.graph);
    const end = model.length - 6; // of the graph: the operator sets follow
    expect(Buffer.from(model).indexOf(Buffer.from(graph!)) + graph!.length).toBe(end);
    for (let length = 0; length < end; length += 1) expect(() => toHalfPrecision(model.subarray(0, length)), String(length)).toThrow();
    expect(() => toHalfPrecision(new Uint8Array(100).fill(255))).toThrow();
  });
});
