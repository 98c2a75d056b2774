import { readFileSync, writeFileSync } from "node:fs";

import { AutoModel } from "../../src/index.js";
import { constantNetwork, inferenceConfig, writePackage } from "../../test/support/packages.js";

const INSTANCES = 300;
const INPUT = 640;
const CELLS = 160;
const PROTOTYPES = 32;
const [WIDTH, HEIGHT] = [4000, 3000];

/** So many boxes of a quarter of the picture each, in a grid, none of which suppresses another. */
function head(): Float32Array {
  const rows = 4 + 1 + PROTOTYPES;
  const data = new Float32Array(rows * INSTANCES);
  for (let instance = 0; instance < INSTANCES; instance++) {
    const values = [160 + 16 * (instance % 20), 160 + 20 * Math.floor(instance / 20), INPUT / 2, INPUT / 2, 0.9, 1, instance / INSTANCES];
    values.forEach((value, row) => (data[row * INSTANCES + instance] = value));
  }
  return data;
}

/** Waves: every mask has borders within its box. */
function prototypes(): Float32Array {
  const data = new Float32Array(PROTOTYPES * CELLS * CELLS);
  for (let cell = 0; cell < CELLS * CELLS; cell++) {
    data[cell] = 4 * Math.sin((cell % CELLS) / 9) * Math.cos(cell / CELLS / 7);
    data[CELLS * CELLS + cell] = 2 * Math.cos(((cell % CELLS) + cell / CELLS) / 13);
  }
  return data;
}

const folder = await writePackage({
  modelConfig: { model_architecture: "yolov8", task_type: "instance-segmentation", backend_type: "onnx" },
  inferenceConfig: inferenceConfig({ networkInput: { training_input_size: { width: INPUT, height: INPUT } } }),
  classNames: ["wave"],
  weights: constantNetwork(
    [
      { name: "output0", dims: [1, 4 + 1 + PROTOTYPES, INSTANCES], data: head() },
      { name: "output1", dims: [1, PROTOTYPES, CELLS, CELLS], data: prototypes() },
    ],
    { width: INPUT, height: INPUT },
  ),
});
await using model = await AutoModel.fromPretrained(folder);
if (model.task !== "instance-segmentation") throw new Error("the package is of another task");
const picture = { data: new Uint8Array(WIDTH * HEIGHT * 3), width: WIDTH, height: HEIGHT, channels: 3, colorFormat: "rgb" } as const;
// Everything but the masks: no detection is this sure.
await model.predict(picture, { confidence: 1 });
globalThis.gc?.();
/** Linux only: what memory is in use, and its peak since it was last forgotten. */
const kilobytes = (name: "VmRSS" | "VmHWM"): number =>
  Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(readFileSync("/proc/self/status", "utf8"))?.[1] ?? NaN);
writeFileSync("/proc/self/clear_refs", "5"); // forgets the peak
const before = kilobytes("VmRSS");
const { masks, length, timings } = await model.predict(picture, { iouThreshold: 1 });
if (masks.format !== "rle") throw new Error("masks are runs by default");
process.stdout.write(
  JSON.stringify({
    instances: length,
    maskedPixels: Array.from(masks, ({ area }) => area).reduce((sum, area) => sum + area, 0),
    resultMegabytes: (masks.runs.byteLength + masks.offsets.byteLength) / 1e6,
    peakMegabytes: ((kilobytes("VmHWM") - before) * 1024) / 1e6,
    milliseconds: timings?.postprocessMs ?? NaN,
  }),
);
