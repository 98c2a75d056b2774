/** Thousands of runs and dozens of sessions; prints what is left. Needs --expose-gc. */
import { createInferenceSession } from "../../../src/engines/index.js";
import { loadAddon } from "../../../src/native/index.js";
import { doublingNetwork, tensor } from "../networks.js";

const addon = loadAddon()!;
const ROWS = 2000; // outputs large enough to be handed out without a copy

async function collect(): Promise<void> {
  for (let i = 0; i < 3; i += 1) {
    globalThis.gc!();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

async function runs(count: number): Promise<void> {
  const session = await createInferenceSession(doublingNetwork());
  for (let i = 0; i < count; i += 1) {
    const data = session.allocateInput(ROWS * 3).fill(i);
    const { y } = await session.run({ x: tensor("float32", [ROWS, 3], data) });
    if (y?.data[0] !== 2 * i) throw new Error("wrong answer");
  }
  // Not closed: dropped.
}

/** What a service does in a while: one session that is used a lot, and many that are not. */
async function batch(): Promise<void> {
  await runs(2000);
  for (let i = 0; i < 20; i += 1) await runs(1);
  await collect();
}

/** The least that is resident after any of some batches: what single ones leave behind until later is no growth. */
async function leastResident(batches: number): Promise<number> {
  let least = Infinity;
  for (let i = 0; i < batches; i += 1) {
    await batch();
    least = Math.min(least, process.memoryUsage.rss());
  }
  return least;
}

// Caches of allocators and of the engine fill up first, in steps: after five to nine batches nothing is added any more.
for (let i = 0; i < 10; i += 1) await batch();
const early = await leastResident(3);
const late = await leastResident(3);
process.stdout.write(JSON.stringify({ inUse: addon.memoryInUse(), grownMegabytes: (late - early) / 2 ** 20 }));
