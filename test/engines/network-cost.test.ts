/** What a graph tells about a network without its weights. Numbers are worked out by hand; inferred sizes are those of ONNX Runtime. */
import { appendFileSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";

import { createInferenceSession, readNetworkCost, type TensorRtBuildSettings } from "../../src/engines/index.js";
import { readGraphOutline } from "../../src/engines/onnx/graph-outline.js";
import { networkCost } from "../../src/engines/onnx/network-cost.js";
import { shapesOf } from "../../src/engines/onnx/shapes.js";
import { EngineBuildError, InvalidOptionError } from "../../src/errors.js";
import { buildModel, type Constant, type Graph, type GraphNode, type ModelDescription } from "../support/onnx-graphs.js";
import { FACE_DETECTOR } from "./networks.js";

const scratch = mkdtempSync(join(tmpdir(), "inference-models-"));
afterAll(() => rmSync(scratch, { recursive: true }));

const weights = (name: string, ...dims: readonly number[]): Constant => ({
  name,
  dims,
  data: new Float32Array(dims.reduce((product, size) => product * size, 1)),
});
const node = (op: string, inputs: string, output: string, attributes: GraphNode["attributes"] = {}): GraphNode => ({
  op,
  inputs: inputs.split(" "),
  outputs: [output],
  attributes,
});

/**
 * A convolution of 3 to 8 channels at half the size, with 8 offsets, and a product of 8 to 10: 216 + 8 + 80 + 10 = 314 numbers of 4 bytes.
 * For a picture of 32 x 32 it computes 16 * 16 * 8 sums of 27 products, and 10 of 8: 55,296 + 80.
 */
const CLASSIFIER: ModelDescription = {
  inputs: [{ name: "images", type: "float32", dims: ["n", 3, "h", "w"] }],
  outputs: [{ name: "scores", type: "float32", dims: ["n", 10] }],
  nodes: [
    node("Conv", "images w1 b1", "features", { strides: { ints: [2, 2] }, pads: { ints: [1, 1, 1, 1] } }),
    node("Relu", "features", "active"),
    node("GlobalAveragePool", "active", "pooled"),
    node("Flatten", "pooled", "flat"),
    node("Gemm", "flat w2 b2", "scores"),
  ],
  initializers: [
    weights("w1", 8, 3, 3, 3),
    weights("b1", 8),
    weights("w2", 8, 10),
    weights("b2", 10),
    { name: "shape", dims: [2], data: BigInt64Array.of(1n, 2n) },
  ],
};
const varint = (value: number): number[] => (value < 128 ? [value] : [(value % 128) + 128, ...varint(Math.floor(value / 128))]);
const TWO: TensorRtBuildSettings = { batch: { minimum: 1, optimum: 2, maximum: 4 }, imageSize: { width: 32, height: 32 } };

const failureOf = (model: string | Uint8Array, settings: TensorRtBuildSettings = {}): Promise<unknown> =>
  readNetworkCost(model, settings).catch((error: unknown) => error);

describe("readNetworkCost", () => {
  it("counts operators, weights and multiply-adds", async () => {
    const expected = {
      operators: 5,
      heavyOperators: 2,
      parameters: 314,
      parameterBytes: 1256,
      heavyWeightBytes: 1256,
      multiplyAdds: 2 * (55_296 + 80),
    };
    const path = join(scratch, "classifier.onnx");
    writeFileSync(path, buildModel(CLASSIFIER));
    for (const model of [path, buildModel(CLASSIFIER)]) {
      expect(await readNetworkCost(model, TWO)).toEqual(expected);
      expect(await readNetworkCost(model, { ...TWO, fp16: true })).toEqual({ ...expected, heavyWeightBytes: 628 });
    }
    const images = { minimum: [1, 3, 32, 32], optimum: [1, 3, 64, 32], maximum: [1, 3, 64, 64] };
    const later = { images: { ...images, optimum: [1, 3, 32, 32] } };
    expect((await readNetworkCost(path, { profiles: [{ images }, later] })).multiplyAdds).toBe(2 * 55_296 + 80);
  });

  it("leaves out what it cannot tell", async () => {
    expect((await readNetworkCost(buildModel(CLASSIFIER), { batch: { minimum: 1, optimum: 2, maximum: 4 } })).multiplyAdds).toBeNull();
    const unknown = { ...CLASSIFIER, nodes: CLASSIFIER.nodes.map((one) => (one.op === "Relu" ? { ...one, domain: "com.acme" } : one)) };
    expect((await readNetworkCost(buildModel(unknown), TWO)).multiplyAdds).toBeNull();
    // The file may tell, by the names of the sizes that vary.
    const told = { ...unknown, values: [{ name: "active", type: "float32", dims: ["n", 8, 16, 16] }] } as const;
    expect((await readNetworkCost(buildModel(told), TWO)).multiplyAdds).toBe(2 * (55_296 + 80));
  });

  it("counts the products of every heavy operator by its rule", async () => {
    const graph = (nodes: readonly GraphNode[], initializers: readonly Constant[], dims: readonly number[]): Uint8Array =>
      buildModel({
        inputs: [{ name: "x", type: "float32", dims }],
        outputs: [{ name: "y", type: "float32", dims: [] }],
        nodes,
        initializers,
        values: [],
      });
    const cost = async (...given: Parameters<typeof graph>): Promise<number | null> =>
      (await readNetworkCost(graph(...given), {})).multiplyAdds;
    // Two groups: each of 6 x 4 x 4 outputs adds up 2 channels of 9 products.
    const grouped = node("Conv", "x w", "z", { group: { int: 2 }, pads: { ints: [1, 1, 1, 1] } });
    expect(await cost([grouped], [weights("w", 6, 2, 3, 3)], [1, 4, 4, 4])).toBe(6 * 16 * 18);
    // Every one of 4 x 5 x 5 inputs goes into 3 channels of 2 x 2.
    expect(await cost([node("ConvTranspose", "x w", "z")], [weights("w", 4, 3, 2, 2)], [1, 4, 5, 5])).toBe(100 * 12);
    expect(await cost([node("MatMul", "x w", "z")], [weights("w", 7, 5)], [2, 3, 7])).toBe(2 * 3 * 5 * 7);
    // [7, 2] and [5, 7], both turned.
    const turned = node("Gemm", "x w", "z", { transA: { int: 1 }, transB: { int: 1 } });
    expect(await cost([turned], [weights("w", 5, 7)], [7, 2])).toBe(2 * 5 * 7);
  });

  it("counts weights by what they are, wherever they lie", async () => {
    const bytes = { name: "w8", dims: [4, 4], data: new Int8Array(16) };
    const half = { name: "w16", dims: [4, 4], data: new Uint16Array(16), type: "float16" } as const;
    const far: Constant = { ...weights("far", 100, 4), external: "weights.bin" };
    const model = buildModel({
      inputs: [{ name: "x", type: "float32", dims: [1, 4] }],
      outputs: [{ name: "y", type: "float32", dims: [1, 4] }],
      nodes: [
        {
          op: "Constant",
          inputs: [],
          outputs: ["inline"],
          attributes: { value: { tensor: { dims: [4, 4], data: new Float32Array(16) } } },
        },
        node("MatMul", "x inline", "a"),
        node("MatMul", "a inline", "b"),
        node("MatMul", "b w16", "y"),
        // Nobody wants this, and that is known beforehand: neither is in the engine.
        node("MatMul", "x dead", "unused"),
        node("MatMul", "w8 w8", "folded"),
        node("Add", "y folded", "z"),
      ],
      initializers: [bytes, half, far, weights("dead", 4, 4)],
    });
    expect(await readNetworkCost(model, {})).toMatchObject({
      operators: 6,
      heavyOperators: 5,
      parameters: 16 + 16 + 16 + 16 + 400,
      parameterBytes: 16 + 32 + 64 + 64 + 1600,
      // Shared weights once, as floats; halves stay what they are.
      heavyWeightBytes: 64 + 32,
    });
    expect(await readNetworkCost(model, { fp16: true })).toMatchObject({ heavyWeightBytes: 32 + 32 });
  });

  it("looks into branches, whose work nobody knows", async () => {
    const branch = (op: string): Graph => ({
      inputs: [],
      outputs: [{ name: "r", type: "float32", dims: [1, 4] }],
      nodes: [node(op, "x inner", "r")],
      initializers: [weights("inner", 4, 4)],
    });
    const model = buildModel({
      inputs: [
        { name: "x", type: "float32", dims: [1, 4] },
        { name: "which", type: "bool", dims: [] },
      ],
      outputs: [{ name: "y", type: "float32", dims: [1, 4] }],
      nodes: [node("If", "which", "y", { then_branch: { graph: branch("MatMul") }, else_branch: { graph: branch("Add") } })],
    });
    expect(await readNetworkCost(model, {})).toEqual({
      operators: 3,
      heavyOperators: 1,
      parameters: 32,
      parameterBytes: 128,
      heavyWeightBytes: 0,
      multiplyAdds: null,
    });
  });

  it("steps over weights of any size", async () => {
    const path = join(scratch, "sparse.onnx");
    const size = 3 * 2 ** 30;
    const nested = (field: number, length: number): number[] => [field * 8 + 2, ...varint(length)];
    const tensor = [8, ...varint(size / 4), 16, 1, ...nested(9, size)];
    const graph = nested(5, tensor.length + size);
    const head = Uint8Array.of(...nested(7, graph.length + tensor.length + size), ...graph, ...tensor);
    writeFileSync(path, head);
    truncateSync(path, 1024 + size); // a hole: takes no space
    expect(await failureOf(path)).toBeInstanceOf(EngineBuildError);
    // Now as long as it says.
    truncateSync(path, head.length + size);
    appendFileSync(path, Uint8Array.of(8 * 8 + 2, 2, 16, 21));
    expect(await readNetworkCost(path, {})).toMatchObject({ parameters: size / 4, parameterBytes: size });
  });

  it("reads a network that others have made", async () => {
    const cost = await readNetworkCost(FACE_DETECTOR, { batch: { minimum: 1, optimum: 1, maximum: 1 } });
    const outline = readGraphOutline(FACE_DETECTOR);
    // Without the sizes of inputs everything but the work is the same.
    expect(networkCost(outline, { inputShape: () => null, fp16: false })).toEqual({ ...cost, multiplyAdds: null });
    expect(cost.heavyOperators).toBe(outline.nodes.filter(({ op }) => op === "Conv").length);
    expect(cost.heavyOperators).toBeGreaterThan(20);
    expect(cost.multiplyAdds).toBeGreaterThan(cost.parameters);
    expect(cost.heavyWeightBytes).toBeLessThanOrEqual(cost.parameterBytes);
  });
});

describe("shapesOf", () => {
  it("gives the sizes that ONNX Runtime gives", async () => {
    const pool = { kernel_shape: { ints: [3, 3] }, strides: { ints: [2, 2] } };
    const nodes = [
      node("Conv", "x c1", "v1", { strides: { ints: [2, 1] }, pads: { ints: [1, 0, 2, 1] }, dilations: { ints: [2, 1] } }),
      node("Conv", "x c1", "v2", { auto_pad: { string: "SAME_UPPER" }, strides: { ints: [2, 3] } }),
      node("Conv", "x c1", "v3", { auto_pad: { string: "VALID" }, strides: { ints: [2, 2] } }),
      node("MaxPool", "x", "v4", { ...pool, pads: { ints: [1, 1, 0, 0] } }),
      node("AveragePool", "x", "v5", pool),
      node("GlobalMaxPool", "x", "v6"),
      node("Concat", "x x", "v7", { axis: { int: -2 } }),
      node("Transpose", "x", "v8", { perm: { ints: [0, 2, 3, 1] } }),
      node("Transpose", "x", "v9"),
      node("Flatten", "x", "v10", { axis: { int: 2 } }),
      node("MatMul", "v8 m", "v11"),
      node("Add", "x column", "v12"),
      node("Mul", "x row", "v13"),
      node("Gemm", "v10 g", "v14", { transB: { int: 1 } }),
      node("Softmax", "v12", "v15"),
    ];
    const ranks: Readonly<Record<string, number>> = { v10: 2, v13: 5, v14: 2 };
    const model = buildModel({
      inputs: [{ name: "x", type: "float32", dims: ["n", 3, 17, 14] }],
      // Of outputs the file tells no more than how many sizes they have.
      outputs: nodes.map(({ outputs: [name = ""] }) => ({ name, type: "float32", dims: Array<string>(ranks[name] ?? 4).fill("") })),
      nodes,
      initializers: [
        weights("c1", 5, 3, 3, 2),
        weights("m", 3, 6),
        weights("column", 3, 1, 1),
        weights("row", 2, 1, 1, 1, 14),
        weights("g", 9, 238),
      ],
    });
    await using session = await createInferenceSession(model, { executionProviders: ["cpu"] });
    const dims = [2, 3, 17, 14];
    const results = await session.run({ x: { type: "float32", dims, data: new Float32Array(2 * 3 * 17 * 14) } });
    const shapes = shapesOf(readGraphOutline(model), new Map([["x", dims]]));
    for (const { outputs } of nodes)
      expect({ [outputs[0]!]: shapes.get(outputs[0]!) }).toEqual({ [outputs[0]!]: results[outputs[0]!]!.dims });
  });
});

describe("what is no model", () => {
  const good = buildModel(CLASSIFIER);

  it.each([
    ["nothing", new Uint8Array(), /no graph in it/],
    ["three bytes", Uint8Array.of(1, 2, 3), /no ONNX model, or damaged/],
    ["a missing file", "/nowhere/model.onnx", /^\/nowhere\/model\.onnx: .*cannot be read/],
    ["a folder", scratch, /cannot be read/],
    [
      "a tensor that claims more than it holds",
      buildModel({ ...CLASSIFIER, initializers: [{ ...weights("w1", 8), dims: [8, 1e6] }] }),
      /claims 8000000 numbers and holds 32 bytes/,
    ],
    [
      "more numbers than there are",
      buildModel({ ...CLASSIFIER, initializers: [{ ...weights("w1", 8), dims: Array(9).fill(2 ** 40) as number[] }] }),
      /more numbers than can be counted/,
    ],
  ] as const)("is refused: %s", async (_name, model, message) => {
    const failure = await failureOf(model);
    expect(failure).toBeInstanceOf(EngineBuildError);
    expect((failure as Error).message).toMatch(message);
  });

  it("is refused when it ends too early, wherever", async () => {
    for (let length = 0; length < good.length; length += 7) {
      const outcome = await failureOf(good.subarray(0, length));
      expect(outcome, `${length} bytes`).toBeInstanceOf(EngineBuildError);
    }
  });

  it("is refused when graphs lie in graphs without end", async () => {
    let graph: Graph = { inputs: [], outputs: [], nodes: [] };
    for (let depth = 0; depth < 40; depth += 1)
      graph = { inputs: [], outputs: [], nodes: [node("If", "c", "y", { then_branch: { graph } })] };
    expect(((await failureOf(buildModel(graph))) as Error).message).toMatch(/more than 16 deep/);
  });

  it("is refused when it has more fields than anybody needs", async () => {
    // A node with four and a half million inputs of no name: two bytes each.
    const names = new Uint8Array(9_000_000);
    for (let at = 0; at < names.length; at += 2) names[at] = 10;
    const nested = (field: number, content: Uint8Array): Uint8Array =>
      new Uint8Array(Buffer.concat([Uint8Array.of(field * 8 + 2, ...varint(content.length)), content]));
    const whole = nested(7, nested(1, names));
    expect(((await failureOf(whole)) as Error).message).toMatch(/more than 4000000 fields/);
  });

  it("never does worse than refuse, whatever the bytes are", async () => {
    const settle = async (bytes: Uint8Array): Promise<void> => {
      const outcome = await failureOf(bytes, TWO);
      if (outcome instanceof Error) expect(outcome).toBeInstanceOf(EngineBuildError);
    };
    await fc.assert(fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), settle));
    const changed = fc.tuple(fc.nat(good.length - 1), fc.nat(255)).map(([at, value]) => {
      const copy = good.slice();
      copy[at] = value;
      return copy;
    });
    await fc.assert(fc.asyncProperty(changed, settle), { numRuns: 500 });
  });

  it("options are checked as a build's are", async () => {
    expect(await failureOf(good, { fp16: 1 } as never)).toBeInstanceOf(InvalidOptionError);
  });
});
