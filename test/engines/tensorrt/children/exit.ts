/** A worker that is terminated and one that ends with runs in progress, an engine that is dropped, and a process that ends over it all. */
import { join } from "node:path";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";

import { TensorRtEngine, type Tensor } from "../../../../src/engines/index.js";
import { fakePlan } from "../../../support/nvidia-fakes.js";

const fakes = isMainThread ? process.argv[2]! : (workerData as string);
process.env["INFERENCE_MODELS_CUDA_LIBRARY_PATH"] = join(fakes, "cuda");
process.env["INFERENCE_MODELS_TENSORRT_LIBRARY_PATH"] = join(fakes, "trt10");

const plan = fakePlan([10, 15, 1, 1], ["in x 0 2 1 60000", "out y 0 2 1 60000"]);
const input: Readonly<Record<string, Tensor>> = { x: { type: "float32", dims: [1, 60000], data: new Float32Array(60000) } };

async function start(): Promise<TensorRtEngine> {
  const engine = await TensorRtEngine.load(plan);
  for (let i = 0; i < 20; i += 1) engine.run(input).catch(() => undefined);
  return engine;
}

if (isMainThread) {
  const script = `import("tsx/esm/api").then(({ register }) => { register(); return import(${JSON.stringify(import.meta.url)}); })`;
  const worker = new Worker(script, { eval: true, workerData: fakes });
  await new Promise((resolve) => worker.once("message", resolve));
  await worker.terminate();
  process.stdout.write("terminated, ");
  await start();
  process.stdout.write("dropped, ");
  await start();
  process.stdout.write("leaving");
} else {
  await start();
  parentPort!.postMessage("running");
}
