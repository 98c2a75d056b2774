/** Tensors that stay on the device, on the stand-ins: TensorRT's returns its input in every output. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";

import { DeviceTensor, TensorRtEngine, type Tensor, type TensorRtEngineOptions } from "../../../src/engines/index.js";
import { ModelDisposedError, ModelInputError } from "../../../src/errors.js";
import { loadAddon } from "../../../src/native/index.js";
import { fakePlan, nativeEngineOptions, nvidiaFakes } from "../../support/nvidia-fakes.js";

const addon = loadAddon();
const fakes = addon === null ? null : nvidiaFakes();

const ECHO = fakePlan(
  [10, 15, 1, 29],
  ["name echo", "scratch 4096", "in values 0 2 -1 3", "out first 0 2 -1 3", "out second 0 2 -1 3", "profile 0 values 2 1 3 2 3 2000 3"],
);
const BYTES = fakePlan([10, 15, 1, 29], ["name bytes", "in values 5 2 1 3", "out same 5 2 1 3"]);

const rows = (...values: readonly number[]): Readonly<Record<string, Tensor>> => ({
  values: { type: "float32", dims: [values.length / 3, 3], data: Float32Array.from(values) },
});

describe.skipIf(fakes === null)("tensors on the device", () => {
  const scratch = mkdtempSync(join(tmpdir(), "inference-models-"));
  /** The device stands still while this file is there. */
  const hold = join(scratch, "hold");
  const opened: AsyncDisposable[] = [];
  const keep = <T extends AsyncDisposable>(one: T): T => {
    opened.push(one);
    return one;
  };
  const load = async (plan: Uint8Array, options: TensorRtEngineOptions = {}): Promise<TensorRtEngine> =>
    keep(await TensorRtEngine.load(plan, options));

  async function runOnDevice(engine: TensorRtEngine, ...values: readonly number[]): Promise<DeviceTensor> {
    const { first } = await engine.runOnDevice(rows(...values), { outputs: ["first"] });
    return keep(first as DeviceTensor);
  }

  beforeAll(() => {
    process.env["INFERENCE_MODELS_CUDA_LIBRARY_PATH"] = join(fakes!, "cuda");
    process.env["INFERENCE_MODELS_TENSORRT_LIBRARY_PATH"] = join(fakes!, "trt10");
    process.env["FAKE_CUDA_HOLD"] = hold;
  });
  afterAll(() => rmSync(scratch, { recursive: true, force: true }));
  afterEach(async () => {
    for (const one of opened.splice(0).reverse()) await one[Symbol.asyncDispose]();
  });

  it("say what they are, and can be read", async () => {
    const engine = await load(ECHO);
    const tensor = await runOnDevice(engine, 1, 2, 3, 4, 5, 6);
    expect(tensor).toBeInstanceOf(DeviceTensor);
    expect([tensor.type, tensor.dims, tensor.device]).toEqual(["float32", [2, 3], 0]);
    expect(await tensor.read()).toEqual({ type: "float32", dims: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) });
    // Large ones come in memory of their own.
    const many = Array.from({ length: 6000 }, (_, i) => i);
    const { data } = await (await runOnDevice(engine, ...many)).read();
    expect(data).toEqual(Float32Array.from(many));
  });

  it("are inputs of further runs, of this engine and of others, through graphs", async () => {
    const [first, second] = [await load(ECHO), await load(ECHO, { contexts: 2 })];
    for (let round = 0; round < 5; round++) {
      const tensor = await runOnDevice(first, round, 2, 3);
      const again = keep((await second.runOnDevice({ values: tensor }, { outputs: ["second"] }))["second"] as DeviceTensor);
      const outputs = await Promise.all([first.run({ values: again }), second.run({ values: tensor })]);
      for (const { first: echo } of outputs) expect(echo?.data).toEqual(Float32Array.of(round, 2, 3));
    }
    expect(first.statistics().graphLaunches).toBeGreaterThan(0);
    expect(second.statistics().graphLaunches).toBeGreaterThan(0);
  });

  it("outlive their engine and give their memory back", async () => {
    const other = await load(ECHO);
    const before = other.memory().device;
    const engine = await TensorRtEngine.load(ECHO);
    const tensor = await runOnDevice(engine, 7, 8, 9);
    await engine.close();
    expect((await other.run({ values: tensor }))["first"]?.data).toEqual(Float32Array.of(7, 8, 9));
    await tensor.close();
    await tensor.close();
    expect(tensor.closed).toBe(true);
    const warm = other.memory().device;
    expect(warm - before).toBeLessThan(4096);
    await expect(tensor.read()).rejects.toThrow(ModelDisposedError);
    await expect(other.run({ values: tensor })).rejects.toThrow(ModelDisposedError);
  });

  it("may be closed while runs read them", async () => {
    const engine = await load(ECHO, { contexts: 2 });
    const tensor = await runOnDevice(engine, 1, 2, 3);
    const running = Array.from({ length: 20 }, () => engine.run({ values: tensor }, { outputs: ["first"] }));
    await tensor.close();
    for (const outputs of await Promise.all(running)) expect(outputs["first"]?.data).toEqual(Float32Array.of(1, 2, 3));
  });

  it("that come after an abort give their memory back", async () => {
    const engine = await load(ECHO, { contexts: 2 });
    await engine.run(rows(1, 2, 3));
    const before = engine.memory().device;
    writeFileSync(hold, "");
    const controller = new AbortController();
    const running = engine.runOnDevice(rows(1, 2, 3), { signal: controller.signal });
    await vi.waitFor(() => expect(engine.statistics().running).toBe(1));
    controller.abort(new Error("enough"));
    await expect(running).rejects.toThrow("enough");
    expect(engine.memory().device).toBeGreaterThan(before);
    rmSync(hold);
    await vi.waitFor(() => expect(engine.memory().device).toBe(before));
  });

  it("are refused where they do not fit, and engines go on", async () => {
    const [engine, bytes] = [await load(ECHO), await load(BYTES)];
    const tensor = await runOnDevice(engine, 1, 2, 3);
    await expect(bytes.run({ values: tensor })).rejects.toThrow(ModelInputError);
    await expect(engine.run({ valuez: tensor })).rejects.toThrow(ModelInputError);
    await expect(engine.runOnDevice(rows(1, 2, 3), { outputs: ["third"] })).rejects.toThrow(ModelInputError);
    expect((await engine.run({ values: tensor }))["second"]?.data).toEqual(Float32Array.of(1, 2, 3));
  });

  it("cannot be forged", async () => {
    const native = await addon!.loadTensorRtEngine(ECHO, nativeEngineOptions(fakes!), addon!.createCancelToken());
    const input = { name: "values", type: 1, dims: [1, 3], data: Float32Array.of(1, 2, 3) };
    const [kept] = await native.run([input], ["keep", "ignore"], null);
    const { resident } = kept as { readonly resident: object };
    for (const forged of [null, 1, "x", {}, native, addon!.createCancelToken(), { ...resident }, Object.create(resident)]) {
      await expect(async () => native.run([{ name: "values", resident: forged as never }], null, null)).rejects.toThrow();
    }
    expect(() => new (resident.constructor as new () => object)()).toThrow(TypeError);
    expect(await native.run([{ name: "values", resident: resident as never }], null, null)).toHaveLength(2);
    await native.close();
  });
});
