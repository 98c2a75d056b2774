import type * as OnnxRuntimeNode from "onnxruntime-node";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

import { describe, expect, test } from "vitest";

import { createInferenceSession, onnxRuntimeInfo, type ElementType, type Tensor, type TensorData } from "../../src/engines/index.js";
import {
  CorruptedModelPackageError,
  EnvironmentConfigurationError,
  InvalidOptionError,
  ModelDisposedError,
  ModelInputError,
  ModelRuntimeError,
  QueueFullError,
} from "../../src/errors.js";
import { loadAddon } from "../../src/native/index.js";
import { buildModel } from "../support/onnx-graphs.js";
import {
  countingNetwork,
  doublingNetwork,
  ENDLESS,
  FACE_DETECTOR,
  identityNetwork,
  LONG,
  row,
  steps,
  tensor,
  untilRunning,
} from "./networks.js";

function ramp(elements: number): Float32Array {
  return Float32Array.from({ length: elements }, (_, index) => Math.sin(index));
}

function bytes(data: TensorData): Buffer {
  const view = data as Float32Array;
  return Buffer.from(view.buffer, view.byteOffset, view.byteLength);
}

describe("a session", () => {
  test("describes the network", async () => {
    await using session = await createInferenceSession(doublingNetwork());
    expect(session.engine).toBe("onnxruntime");
    expect(session.engineVersion).toMatch(/^1\.\d+\.\d+$/);
    expect(session.executionProviders).toEqual(["cpu"]);
    expect(session.inputs).toEqual([{ name: "x", kind: "tensor", type: "float32", dims: ["batch", 3] }]);
    expect(session.outputs).toEqual([{ name: "y", kind: "tensor", type: "float32", dims: ["batch", 3] }]);
    expect(session.metadata).toEqual({
      producer: "tests",
      graphName: "doubling",
      domain: "",
      description: "",
      version: 7,
      opset: 17,
      custom: { names: "a,b", __proto__key: "kept" },
    });
  });

  test("computes what onnxruntime-node computes, byte for byte", async () => {
    const ort = createRequire(import.meta.url)("onnxruntime-node") as typeof OnnxRuntimeNode;
    await using session = await createInferenceSession(FACE_DETECTOR);
    const reference = await ort.InferenceSession.create(FACE_DETECTOR, { intraOpNumThreads: 1, logSeverityLevel: 3 });
    const port = session.inputs[0]!;
    const dims = port.dims!.map((size) => (typeof size === "number" ? size : 1));
    const data = ramp(dims.reduce((a, b) => a * b));
    const mine = await session.run({ [port.name]: tensor("float32", dims, data) });
    const theirs = await reference.run({ [port.name]: new ort.Tensor("float32", data, dims) });
    expect(Object.keys(mine)).toEqual([...reference.outputNames]);
    for (const [name, { dims: shape, data: values }] of Object.entries(mine)) {
      expect(shape).toEqual(theirs[name]!.dims);
      expect(bytes(values).equals(bytes(theirs[name]!.data as Float32Array))).toBe(true);
    }
  });

  test("reads a model from bytes as from a path", async () => {
    await using fromPath = await createInferenceSession(FACE_DETECTOR);
    await using fromBytes = await createInferenceSession(new Uint8Array(readFileSync(FACE_DETECTOR)));
    expect(fromBytes.inputs).toEqual(fromPath.inputs);
    expect(fromBytes.metadata).toEqual(fromPath.metadata);
    expect(fromPath.metadata.opset).toBeGreaterThan(6);
  });

  test("takes inputs from its own memory, from ordinary, shared and offset views", async () => {
    await using session = await createInferenceSession(doublingNetwork());
    const own = session.allocateInput(3);
    const shared = new Float32Array(new SharedArrayBuffer(12));
    const offset = new Float32Array(new ArrayBuffer(40), 4, 3);
    for (const data of [own, shared, offset, new Float32Array(3)]) {
      data.set([1, 2, 3]);
      const { y } = await session.run({ x: tensor("float32", [1, 3], data) });
      expect(y).toEqual({ type: "float32", dims: [1, 3], data: Float32Array.of(2, 4, 6) });
    }
  });

  test("copies inputs that are not its own memory when run is called", async () => {
    await using session = await createInferenceSession(doublingNetwork());
    const data = Float32Array.of(1, 2, 3);
    const running = session.run({ x: tensor("float32", [1, 3], data) });
    structuredClone(data.buffer, { transfer: [data.buffer] });
    expect((await running)["y"]!.data).toEqual(Float32Array.of(2, 4, 6));
  });

  test("follows symbolic dimensions, also down to nothing", async () => {
    await using session = await createInferenceSession(doublingNetwork());
    expect((await session.run(row(1, 2, 3, 4, 5, 6)))["y"]).toEqual({
      type: "float32",
      dims: [2, 3],
      data: Float32Array.of(2, 4, 6, 8, 10, 12),
    });
    expect((await session.run(row()))["y"]).toEqual({ type: "float32", dims: [0, 3], data: new Float32Array() });
  });

  const values: readonly (readonly [ElementType, TensorData])[] = [
    ["float32", Float32Array.of(1.5, -0, NaN)],
    ["float64", Float64Array.of(1e300, -2)],
    ["float16", Uint16Array.of(0x3c00, 0x7bff, 1)],
    ["bfloat16", Uint16Array.of(0x3f80, 0xff7f)],
    ["int8", Int8Array.of(-128, 127)],
    ["int16", Int16Array.of(-32768, 5)],
    ["int32", Int32Array.of(-(2 ** 31), 1)],
    ["int64", BigInt64Array.of(-(2n ** 63n), 2n ** 53n + 1n)],
    ["uint8", Uint8Array.of(0, 255)],
    ["uint16", Uint16Array.of(65535)],
    ["uint32", Uint32Array.of(2 ** 32 - 1)],
    ["uint64", BigUint64Array.of(2n ** 64n - 1n)],
    ["bool", Uint8Array.of(0, 1, 1)],
    ["string", ["", "a", "größer €"]],
  ];
  test.each(values)("carries %s there and back", async (type, data) => {
    await using session = await createInferenceSession(identityNetwork(type));
    expect(session.inputs[0]!.type).toBe(type);
    const { y } = await session.run({ x: tensor(type, [data.length], data) });
    expect(y).toEqual({ type, dims: [data.length], data });
  });

  test("returns scalars", async () => {
    const network = buildModel({
      inputs: [{ name: "x", type: "float32", dims: [] }],
      outputs: [{ name: "y", type: "float32", dims: [] }],
      nodes: [{ op: "Neg", inputs: ["x"], outputs: ["y"] }],
    });
    await using session = await createInferenceSession(network);
    expect((await session.run({ x: tensor("float32", [], Float32Array.of(2)) }))["y"]).toEqual({
      type: "float32",
      dims: [],
      data: Float32Array.of(-2),
    });
  });

  test("gives a passed-through input memory of its own", async () => {
    const port = { name: "x", type: "float32", dims: [4096] } as const;
    await using session = await createInferenceSession(
      buildModel({ inputs: [port], outputs: [port, { ...port, name: "y" }], nodes: [{ op: "Neg", inputs: ["x"], outputs: ["y"] }] }),
    );
    const data = session.allocateInput(4096).fill(3);
    const { x, y } = await session.run({ x: tensor("float32", [4096], data) });
    data.fill(9);
    expect((x!.data as Float32Array)[4095]).toBe(3);
    expect((y!.data as Float32Array)[4095]).toBe(-3);
  });

  test("feeds outputs to the next run in place", async () => {
    await using session = await createInferenceSession(doublingNetwork());
    const first = await session.run({ x: tensor("float32", [2000, 3], new Float32Array(6000).fill(1)) });
    const second = await session.run({ x: first["y"]! });
    expect((second["y"]!.data as Float32Array).every((value) => value === 4)).toBe(true);
  });

  test("computes only the outputs that are asked for", async () => {
    await using session = await createInferenceSession(
      buildModel({
        inputs: [{ name: "x", type: "float32", dims: ["n"] }],
        outputs: [
          { name: "negative", type: "float32", dims: ["n"] },
          { name: "twice", type: "float32", dims: ["n"] },
          { name: "list", sequenceOf: "float32" },
        ],
        nodes: [
          { op: "Neg", inputs: ["x"], outputs: ["negative"] },
          { op: "Add", inputs: ["x", "x"], outputs: ["twice"] },
          { op: "SequenceConstruct", inputs: ["x"], outputs: ["list"] },
        ],
      }),
    );
    const inputs = { x: tensor("float32", [1], Float32Array.of(2)) };
    expect(Object.keys(await session.run(inputs, { outputs: ["twice"] }))).toEqual(["twice"]);
    expect(session.outputs[2]).toEqual({ name: "list", kind: "sequence", type: null, dims: null });
    await expect(session.run(inputs)).rejects.toThrow(/Output "list" is a sequence/);
    await expect(session.run(inputs)).rejects.toBeInstanceOf(ModelRuntimeError);
    await expect(session.run(inputs, { outputs: ["tree"] })).rejects.toThrow(/no output "tree".*"negative", "twice"/);
  });

  test.each<readonly [string, Record<string, Tensor>, RegExp]>([
    ["a missing input", {}, /Input "x" is missing/],
    ["an unknown input", { z: tensor("float32", [1, 3], new Float32Array(3)) }, /no input "z"/],
    ["another type", { x: tensor("float64", [1, 3], new Float64Array(3)) }, /"x" expects float32 \[batch, 3\]; received type float64/],
    ["another rank", { x: tensor("float32", [3], new Float32Array(3)) }, /received shape \[3\]/],
    ["another size", { x: tensor("float32", [1, 4], new Float32Array(4)) }, /received shape \[1, 4\]/],
    ["too little data", { x: tensor("float32", [2, 3], new Float32Array(3)) }, /with 3 elements of data, not 6/],
    ["a wrong array", { x: tensor("float32", [1, 3], new Uint8Array(12)) }, /received data in Uint8Array, not in Float32Array/],
    ["sizes that are none", { x: tensor("float32", [-1, 3], new Float32Array(3)) }, /dims that are not sizes/],
  ])("refuses %s with a message that names the port", async (_what, inputs, message) => {
    await using session = await createInferenceSession(doublingNetwork());
    const refused = session.run(inputs);
    await expect(refused).rejects.toThrow(message);
    await expect(refused).rejects.toBeInstanceOf(ModelInputError);
  });

  test("reports a failure inside the network and goes on", async () => {
    await using session = await createInferenceSession(
      buildModel({
        inputs: [
          { name: "a", type: "float32", dims: ["n"] },
          { name: "b", type: "float32", dims: ["m"] },
        ],
        outputs: [{ name: "y", type: "float32", dims: ["k"] }],
        nodes: [{ op: "Add", inputs: ["a", "b"], outputs: ["y"] }],
      }),
    );
    const run = (n: number, m: number): Promise<unknown> =>
      session.run({ a: tensor("float32", [n], new Float32Array(n)), b: tensor("float32", [m], new Float32Array(m)) });
    const failed = run(2, 3);
    await expect(failed).rejects.toBeInstanceOf(ModelRuntimeError);
    await expect(failed).rejects.toThrow(/Add/);
    await run(3, 3);
    expect(session.statistics()).toMatchObject({ completed: 1, failed: 1 });
  });

  test("gives every concurrent run its own answer", async () => {
    await using session = await createInferenceSession(doublingNetwork(), { lanes: 2 });
    const answers = await Promise.all(Array.from({ length: 200 }, (_, i) => session.run(row(i, i + 1, i + 2))));
    expect(answers.map(({ y }) => [...(y!.data as Float32Array)])).toEqual(answers.map((_, i) => [2 * i, 2 * i + 2, 2 * i + 4]));
    expect(session.statistics()).toMatchObject({ completed: 200, failed: 0, waiting: 0, running: 0 });
  });

  test("bounds its queue", async () => {
    await using session = await createInferenceSession(countingNetwork(), { queueLimit: 2 });
    const stop = new AbortController();
    const accepted = Array.from({ length: 3 }, () => session.run(steps(ENDLESS), { signal: stop.signal }));
    const refused = session.run(steps(LONG));
    await expect(refused).rejects.toBeInstanceOf(QueueFullError);
    await expect(refused).rejects.toMatchObject({ limit: 2 });
    stop.abort();
    expect((await Promise.allSettled(accepted)).map(({ status }) => status)).toEqual(["rejected", "rejected", "rejected"]);
  });

  test("leaves the event loop free while it computes", async () => {
    await using session = await createInferenceSession(countingNetwork());
    const running = session.run(steps(LONG));
    await untilRunning(session);
    let turns = 0;
    let settled = false;
    void running.finally(() => (settled = true));
    while (!(settled as boolean)) {
      await new Promise((resolve) => setImmediate(resolve));
      turns += 1;
    }
    // A run on this thread would let the loop turn once.
    expect(turns).toBeGreaterThan(20);
    expect((await running)["end"]!.data[0]).toBe(LONG);
  });

  test("closes once, after what runs", async () => {
    const session = await createInferenceSession(countingNetwork());
    const running = [session.run(steps(LONG)), session.run(steps(LONG))];
    const order: string[] = [];
    const closed = session.close().then(() => order.push("closed"));
    for (const run of running) void run.then(() => order.push("ran"));
    expect(session.closed).toBe(true);
    const refused = session.run(steps(LONG));
    await expect(refused).rejects.toBeInstanceOf(ModelDisposedError);
    await closed;
    expect(order).toEqual(["ran", "ran", "closed"]);
    await session.close();
    expect(session.statistics()).toMatchObject({ completed: 2 });
  });

  test("returns outputs that stay readable after it is closed", async () => {
    let outputs: Readonly<Record<string, Tensor>>;
    {
      await using session = await createInferenceSession(doublingNetwork());
      outputs = await session.run({ x: tensor("float32", [2000, 3], new Float32Array(6000).fill(1)) });
    }
    expect((outputs["y"]!.data as Float32Array).every((value) => value === 2)).toBe(true);
  });
});

describe("creating a session", () => {
  test.each([
    ["random bytes", new Uint8Array(1000).map((_, i) => (i * 197) % 251)],
    ["nothing", new Uint8Array()],
    ["a truncated model", doublingNetwork().subarray(0, 60)],
    [
      "an unknown operator",
      buildModel({
        inputs: [],
        outputs: [{ name: "y", type: "float32", dims: [1] }],
        nodes: [{ op: "Nonsense", inputs: [], outputs: ["y"] }],
      }),
    ],
  ])("refuses %s as a damaged package", async (_what, model) => {
    const refused = createInferenceSession(model);
    await expect(refused).rejects.toBeInstanceOf(CorruptedModelPackageError);
    await expect(refused).rejects.toMatchObject({ kind: "engine" });
  });

  test("names a file that is not there", async () => {
    const refused = createInferenceSession("/nowhere/model.onnx");
    await expect(refused).rejects.toBeInstanceOf(CorruptedModelPackageError);
    await expect(refused).rejects.toMatchObject({ path: "/nowhere/model.onnx" });
  });

  test("refuses a provider that cannot be had, unless another follows", async () => {
    const refused = createInferenceSession(doublingNetwork(), { executionProviders: ["qnn"] });
    await expect(refused).rejects.toBeInstanceOf(EnvironmentConfigurationError);
    await expect(refused).rejects.toThrow(/QNN/);
    await using session = await createInferenceSession(doublingNetwork(), { executionProviders: ["qnn", "cpu"] });
    expect(session.executionProviders).toEqual(["cpu"]);
  });

  test("refuses impossible options", async () => {
    for (const options of [
      { lanes: 0 },
      { intraOpThreads: 1.5 },
      { queueLimit: -1 },
      { executionProviders: [] },
      { graphOptimization: "most" as "all" },
    ]) {
      await expect(createInferenceSession(doublingNetwork(), options)).rejects.toBeInstanceOf(InvalidOptionError);
    }
  });

  test("stops when its signal aborts", async () => {
    const reason = new Error("not wanted any more");
    await expect(createInferenceSession(doublingNetwork(), { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    const stop = new AbortController();
    const creation = createInferenceSession(countingNetwork(), { signal: stop.signal });
    stop.abort(reason);
    await expect(creation).rejects.toBe(reason);
  });

  test("a report names the library", () => {
    expect(onnxRuntimeInfo()).toMatchObject({
      available: true,
      engine: "onnxruntime",
      availableProviders: expect.arrayContaining(["cpu"]) as unknown,
    });
  });
});

test("these tests ran with the addon", () => {
  expect(loadAddon()).not.toBeNull();
});
