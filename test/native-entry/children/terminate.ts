/** Workers that are terminated while they call the addon: its calls cannot throw there any more, and nothing else may come of it. */
import { Worker } from "node:worker_threads";

import { addonReport, loadAddon } from "../../../src/native/index.js";

const WORKERS = 100;
// Without a loader of TypeScript, which takes longer than all the rest. Three bytes are no engine.
const CALLS = `
  const { parentPort, workerData } = require("node:worker_threads");
  const addon = require(workerData);
  parentPort.postMessage("calling");
  for (;;) {
    addon.createCancelToken().cancel();
    try { addon.readTensorRtPlanVersion(new Uint8Array(3)); } catch {}
  }`;

loadAddon();
for (let i = 0; i < WORKERS; i += 1) {
  const worker = new Worker(CALLS, { eval: true, workerData: addonReport().path });
  await new Promise((resolve) => worker.once("message", resolve));
  // At another moment of its loop each time.
  await new Promise((resolve) => setTimeout(resolve, i % 5));
  await worker.terminate();
}
process.stdout.write(`${WORKERS} terminated`);
