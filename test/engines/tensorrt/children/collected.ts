/** Engines and tensors that nobody closed are collected while the device stands still. Needs --expose-gc and FAKE_CUDA_HOLD. */
import { rmSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

import { TensorRtEngine, type Tensor } from "../../../../src/engines/index.js";
import { fakePlan } from "../../../support/nvidia-fakes.js";

const hold = process.env["FAKE_CUDA_HOLD"]!;
const plan = fakePlan([10, 15, 1, 1], ["in x 0 2 1 9000", "out y 0 2 1 9000"]);
const input: Readonly<Record<string, Tensor>> = { x: { type: "float32", dims: [1, 9000], data: new Float32Array(9000) } };

async function leaveBehind(): Promise<void> {
  const engine = await TensorRtEngine.load(plan);
  await engine.run(input);
  await engine.runOnDevice(input); // so is its tensor
  engine.run(input).catch(() => undefined); // and what this run holds
}

async function collectHeld(): Promise<void> {
  writeFileSync(hold, "");
  for (let round = 0; round < 5; round += 1) {
    globalThis.gc!();
    await sleep(10);
  }
}

async function besideAnother(): Promise<void> {
  await using stays = await TensorRtEngine.load(plan, { cudaGraphs: false });
  await stays.run(input);
  const before = stays.memory();
  await leaveBehind();
  await sleep(20);
  await collectHeld();
  const running = stays.run(input);
  process.stdout.write("collected, ");
  rmSync(hold);
  await running;
  while (stays.memory().device > before.device || stays.memory().pinned > before.pinned) {
    globalThis.gc!();
    await sleep(10);
  }
  process.stdout.write("given back, ");
}

await besideAnother();
// Now nobody else uses the device, and its threads end, too.
await leaveBehind();
await sleep(20);
await collectHeld();
process.stdout.write("collected");
rmSync(hold);
await sleep(20);
globalThis.gc!();
