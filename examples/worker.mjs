/** A model in a worker thread; results change their owner instead of being copied. Run: npm run build && node examples/worker.mjs */
import { Worker, isMainThread, parentPort } from "node:worker_threads";
import { AutoModel, fromTransferable, toTransferable } from "inference-models";

if (isMainThread) {
  const worker = new Worker(new URL(import.meta.url));
  worker.once("message", (data) => {
    const result = fromTransferable(data);
    console.log(`${result.kind} for a picture of ${result.image.width}x${result.image.height}: ${result.length}`);
  });
} else {
  const model = await AutoModel.fromPretrained("mediapipe/face-detector");
  const { data, transferList } = toTransferable(await model.predict("assets/images/astronaut.jpg"));
  parentPort.postMessage(data, transferList);
  await model.close();
}
