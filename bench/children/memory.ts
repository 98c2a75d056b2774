import { join } from "node:path";

import { AutoModel } from "../../src/index.js";
import { packageRoot } from "../../src/package-root.js";
import { pixels } from "../fixtures.js";

const predictions = Number(process.argv[2] ?? "10000");
const SAMPLES = 10;
await using model = await AutoModel.fromPretrained("mediapipe/face-detector");
const picture = await pixels(join(packageRoot, "assets", "images", "astronaut.jpg"));
const megabytes: number[] = [];
const sample = (): void => {
  globalThis.gc?.();
  megabytes.push(Math.round(process.memoryUsage.rss() / 1e5) / 10);
};
sample();
for (let index = 1; index <= predictions; index++) {
  await model.predict(picture);
  if (index % (predictions / SAMPLES) === 0) sample();
}
process.stdout.write(JSON.stringify({ megabytes, predictions }));
