/** Three workers run sessions; two of them end in the middle of a run, and this thread goes on. */
import { Worker, isMainThread, parentPort, workerData } from "node:worker_threads";

import { createInferenceSession, type InferenceSession } from "../../../src/engines/index.js";
import { countingNetwork, doublingNetwork, ENDLESS, row, steps, untilRunning } from "../networks.js";

// Workers do not inherit the TypeScript loader of the main thread.
const TYPESCRIPT_WORKER = `import("tsx/esm/api").then(({ register }) => { register(); return import(${JSON.stringify(import.meta.url)}); })`;

async function check(session: InferenceSession): Promise<void> {
  const { y } = await session.run(row(1, 2, 3));
  if (y?.data[2] !== 6) throw new Error("wrong answer");
}

if (isMainThread) {
  const mine = await createInferenceSession(doublingNetwork());
  const workers = ["finish", "be-terminated", "exit"].map((end) => {
    const worker = new Worker(TYPESCRIPT_WORKER, { eval: true, workerData: end });
    const running = new Promise((resolve) => worker.once("message", resolve));
    const ended = new Promise((resolve) => worker.once("exit", resolve));
    return { worker, running, ended };
  });
  await Promise.all(workers.map(({ running }) => running));
  await workers[1]!.worker.terminate();
  for (const { worker } of workers) worker.postMessage("go on");
  const codes = await Promise.all(workers.map(({ ended }) => ended));
  for (let i = 0; i < 50; i += 1) await check(mine);
  process.stdout.write(codes.join(","));
} else {
  const session = await createInferenceSession(doublingNetwork());
  await check(session);
  const busy = await createInferenceSession(countingNetwork());
  const stop = new AbortController();
  const run = busy.run(steps(ENDLESS), { signal: stop.signal }).catch(() => undefined);
  await untilRunning(busy);
  const told = new Promise((resolve) => parentPort!.once("message", resolve));
  parentPort!.postMessage("running");
  await told;
  if (workerData === "exit") process.exit(3);
  stop.abort();
  await run;
  await check(session);
}
