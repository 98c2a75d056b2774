import { monitorEventLoopDelay } from "node:perf_hooks";

import { AutoModel } from "../../src/index.js";
import { pixels } from "../fixtures.js";

const [, , directory = "", photo = "", seconds = "5"] = process.argv;
await using model = await AutoModel.fromPretrained(directory);
const picture = await pixels(photo, "bgr");
await model.predict(picture);
const histogram = monitorEventLoopDelay({ resolution: 1 });
histogram.enable();
const end = performance.now() + Number(seconds) * 1000;
let predictions = 0;
while (performance.now() < end) {
  await model.predict(picture);
  predictions++;
  // Without the addon everything happens in microtasks; timers get their turn here.
  await new Promise((resolve) => setImmediate(resolve));
}
histogram.disable();
process.stdout.write(JSON.stringify({ p50: histogram.percentile(50) / 1e6, p99: histogram.percentile(99) / 1e6, predictions }));
