/** How runs of several engines share a device, on stand-ins whose device can be made to stand still. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";

import { TensorRtEngine, type Tensor, type TensorRtEngineOptions } from "../../../src/engines/index.js";
import { QueueFullError } from "../../../src/errors.js";
import { loadAddon } from "../../../src/native/index.js";
import { runChild } from "../../support/child.js";
import { fakePlan, nativeEngineOptions, nvidiaFakes } from "../../support/nvidia-fakes.js";

const fakes = loadAddon() === null ? null : nvidiaFakes();
const PLAN = fakePlan([10, 15, 1, 29], ["in x 0 2 1 3", "out y 0 2 1 3"]);
const input: Readonly<Record<string, Tensor>> = { x: { type: "float32", dims: [1, 3], data: Float32Array.of(1, 2, 3) } };

describe.skipIf(fakes === null)("runs of several engines", () => {
  const scratch = mkdtempSync(join(tmpdir(), "inference-models-"));
  const hold = join(scratch, "hold");
  const holdStream = join(scratch, "hold-stream");
  const opened: TensorRtEngine[] = [];
  const holdDevice = (): void => writeFileSync(hold, "");
  // Of the run that begins next.
  const holdOneStream = (): void => writeFileSync(holdStream, "");
  const releaseDevice = (): void => [hold, holdStream].forEach((file) => rmSync(file, { force: true }));

  async function load(options: TensorRtEngineOptions): Promise<TensorRtEngine> {
    const engine = await TensorRtEngine.load(PLAN, options);
    opened.push(engine);
    return engine;
  }
  const submit = (engine: TensorRtEngine, count: number) => Array.from({ length: count }, () => engine.run(input));

  beforeAll(() => {
    process.env["INFERENCE_MODELS_CUDA_LIBRARY_PATH"] = join(fakes!, "cuda");
    process.env["INFERENCE_MODELS_TENSORRT_LIBRARY_PATH"] = join(fakes!, "trt10");
    process.env["FAKE_CUDA_HOLD"] = hold;
    process.env["FAKE_CUDA_HOLD_STREAM"] = holdStream;
  });
  afterEach(async () => {
    releaseDevice();
    await Promise.all(opened.splice(0).map((engine) => engine.close()));
  });
  afterAll(() => rmSync(scratch, { recursive: true, force: true }));

  it("are on the device at the same time, and a full engine holds no other one up", async () => {
    const [busy, other] = [await load({ contexts: 2 }), await load({ contexts: 1 })];
    holdDevice();
    const runs = [...submit(busy, 6), ...submit(other, 2)];
    await vi.waitFor(() => expect(other.statistics()).toMatchObject({ running: 1, waiting: 1 }));
    expect(busy.statistics()).toMatchObject({ running: 2, waiting: 4, completed: 0 });
    expect(busy.statistics().device).toMatchObject({ running: 3, waiting: 5, completed: 0 });
    releaseDevice();
    for (const { y } of await Promise.all(runs)) expect(y!.data).toEqual(Float32Array.of(1, 2, 3));
    expect(busy.statistics()).toMatchObject({ running: 0, waiting: 0, completed: 6 });
    expect(other.statistics()).toMatchObject({ running: 0, waiting: 0, completed: 2 });
    // At least those that could not begin; more where the device's thread was slower than this one.
    expect(busy.statistics().mostWaiting).toBeGreaterThanOrEqual(4);
    const { device } = other.statistics();
    expect(device).toMatchObject({ running: 0, waiting: 0, completed: 8, failed: 0, cancelled: 0, refused: 0 });
    expect(device.mostWaiting).toBeGreaterThanOrEqual(5);
    expect(device.longestWaitMs).toBe(Math.max(busy.statistics().longestWaitMs, other.statistics().longestWaitMs));
  });

  it("settle when they are done, while another engine still computes", async () => {
    const [slow, fast] = [await load({ contexts: 1 }), await load({ contexts: 2 })];
    holdOneStream();
    const [held] = submit(slow, 1);
    for (let round = 0; round < 3; round += 1) {
      for (const { y } of await Promise.all(submit(fast, 4))) expect(y!.data).toEqual(Float32Array.of(1, 2, 3));
    }
    expect(fast.statistics()).toMatchObject({ running: 0, waiting: 0, completed: 12, device: { running: 1 } });
    expect(slow.statistics()).toMatchObject({ running: 1, waiting: 0, completed: 0 });
    // Closing waits for the engine's own runs only.
    await fast.close();
    releaseDevice();
    expect((await held!)["y"]!.data).toEqual(Float32Array.of(1, 2, 3));
  });

  it("settle in their order within an engine", async () => {
    const engine = await load({ contexts: 2 });
    const order: number[] = [];
    holdOneStream();
    const runs = submit(engine, 4).map((run, index) => run.then(() => order.push(index)));
    await vi.waitFor(() => expect(engine.statistics()).toMatchObject({ running: 2, waiting: 2 }));
    releaseDevice();
    await Promise.all(runs);
    expect(order).toEqual([0, 1, 2, 3]);
  });

  it("are refused beyond their engine's limit, and counted", async () => {
    const [small, other] = [await load({ contexts: 1, queueLimit: 2 }), await load({ contexts: 1 })];
    holdDevice();
    const runs = [...submit(small, 3), ...submit(other, 1)];
    await vi.waitFor(() => expect(other.statistics().running).toBe(1));
    for (const run of submit(small, 2)) await expect(run).rejects.toThrow(QueueFullError);
    expect(small.statistics()).toMatchObject({ running: 1, waiting: 2, refused: 2, queueLimit: 2, lanes: 1 });
    expect(other.statistics()).toMatchObject({ refused: 0, queueLimit: 256, device: { refused: 2, running: 2, waiting: 2 } });
    releaseDevice();
    await Promise.all(runs);
    await small.run(input);
    expect(small.statistics()).toMatchObject({ completed: 4, failed: 0, refused: 2 });
  });

  it("leave the queue when they are aborted, which is counted", async () => {
    const engine = await load({ contexts: 1 });
    holdDevice();
    const first = engine.run(input);
    await vi.waitFor(() => expect(engine.statistics().running).toBe(1));
    const controller = new AbortController();
    const waiting = engine.run(input, { signal: controller.signal });
    controller.abort(new Error("enough"));
    await expect(waiting).rejects.toThrow("enough");
    expect(engine.statistics()).toMatchObject({ running: 1, waiting: 0, cancelled: 1 });
    const closing = engine.close();
    releaseDevice();
    await Promise.all([first, closing]);
    expect(engine.statistics()).toMatchObject({ running: 0, completed: 1, cancelled: 1 });
  });

  it("leave no trace when their input is wrong", async () => {
    const engine = await load({});
    await expect(engine.run({ x: { type: "float32", dims: [1, 4], data: new Float32Array(4) } })).rejects.toThrow();
    await expect(engine.run({})).rejects.toThrow();
    const { waiting, running, completed } = engine.statistics();
    expect({ waiting, running, completed }).toEqual({ waiting: 0, running: 0, completed: 0 });
  });

  it("are refused when reading their arguments closes the engine, which closing does not wait for", async () => {
    for (const name of ["x", 3]) {
      const native = await loadAddon()!.loadTensorRtEngine(PLAN, nativeEngineOptions(fakes!), null);
      let closing: Promise<void> | undefined;
      const tensor = {
        get name() {
          closing ??= native.close();
          // Time for the device's thread to look whether the engine can be closed.
          Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100);
          return name;
        },
        type: 1,
        dims: [1, 3],
        data: Float32Array.of(1, 2, 3),
      };
      await expect(async () => native.run([tensor as never], null, null)).rejects.toThrow(name === "x" ? "The engine is closed." : /name/);
      await closing;
      expect(native.statistics().runs).toMatchObject({ waiting: 0, running: 0, completed: 0, failed: 0, mostWaiting: 0 });
    }
  });

  it("and engines that nobody closed are collected without JavaScript's thread waiting for the device", async () => {
    const child = new URL("children/collected.ts", import.meta.url);
    const { stdout, stderr, code } = await runChild(child, [], ["--expose-gc"], { FAKE_CUDA_HOLD: join(scratch, "hold-child") });
    expect({ stdout, stderr, code }).toEqual({ stdout: "collected, given back, collected", stderr: "", code: 0 });
  }, 90_000);

  it("need nothing of libuv's pool", async () => {
    const child = new URL("children/busy-pool.ts", import.meta.url);
    const { stdout, stderr, code } = await runChild(child, [], [], { UV_THREADPOOL_SIZE: "1" });
    expect({ stdout, stderr, code }).toEqual({ stdout: "8 runs while the pool was stuck, then 1 file", stderr: "", code: 0 });
  });
});
