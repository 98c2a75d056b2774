/** A worker that is terminated while it builds, and a process that ends over a build. */
import { join } from "node:path";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";

import { buildTensorRtEngine } from "../../../src/index.js";
import { buildModel } from "../../support/onnx-graphs.js";

const fakes = isMainThread ? process.argv[2]! : (workerData as string);
process.env["INFERENCE_MODELS_CUDA_LIBRARY_PATH"] = join(fakes, "cuda");
process.env["INFERENCE_MODELS_TENSORRT_LIBRARY_PATH"] = join(fakes, "trt10");

const model = buildModel({
  inputs: [{ name: "x", type: "float32", dims: [1] }],
  outputs: [{ name: "y", type: "float32", dims: [1] }],
  nodes: [{ op: "Slow", inputs: ["x"], outputs: ["y"] }],
});

/** Resolves when the builder has begun. */
function start(): Promise<void> {
  return new Promise((resolve, reject) => {
    buildTensorRtEngine(model, { onProgress: () => resolve() }).catch(reject);
  });
}

if (isMainThread) {
  const script = `import("tsx/esm/api").then(({ register }) => { register(); return import(${JSON.stringify(import.meta.url)}); })`;
  const worker = new Worker(script, { eval: true, workerData: fakes });
  await new Promise((resolve) => worker.once("message", resolve));
  await worker.terminate();
  process.stdout.write("terminated, ");
  await start();
  process.stdout.write("leaving");
  process.exit(0);
} else {
  await start();
  parentPort!.postMessage("building");
}
