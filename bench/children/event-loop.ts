import { createRequire } from "node:module";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { join } from "node:path";

import type * as OnnxRuntimeNode from "onnxruntime-node";

import { AutoModel } from "../../src/index.js";
import { pixels } from "../fixtures.js";

const [, , directory = "", photo = "", seconds = "5", runtime = "addon"] = process.argv;

/** One prediction through this package, or the bare network through onnxruntime-node: less work, on the JavaScript thread. */
async function makePrediction(): Promise<() => Promise<unknown>> {
  if (runtime === "addon") {
    const model = await AutoModel.fromPretrained(directory);
    const picture = await pixels(photo, "bgr");
    return () => model.predict(picture);
  }
  const ort = createRequire(import.meta.url)("onnxruntime-node") as typeof OnnxRuntimeNode;
  const session = await ort.InferenceSession.create(join(directory, "weights.onnx"), { intraOpNumThreads: 1 });
  const tensor = new ort.Tensor("float32", new Float32Array(3 * 640 * 640).fill(0.5), [1, 3, 640, 640]);
  return () => session.run({ [session.inputNames[0] ?? ""]: tensor });
}

const predict = await makePrediction();
await predict();
const histogram = monitorEventLoopDelay({ resolution: 1 });
histogram.enable();
const end = performance.now() + Number(seconds) * 1000;
let predictions = 0;
while (performance.now() < end) {
  await predict();
  predictions++;
  // onnxruntime-node settles within microtasks; timers get their turn here.
  await new Promise((resolve) => setImmediate(resolve));
}
histogram.disable();
process.stdout.write(JSON.stringify({ p50: histogram.percentile(50) / 1e6, p99: histogram.percentile(99) / 1e6, predictions }), () =>
  process.exit(0),
);
