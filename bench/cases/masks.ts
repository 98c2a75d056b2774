import { runChild } from "../child.js";
import { perfFixture } from "../fixtures.js";
import { Unavailable, type Case } from "../measure.js";
import { beside } from "./prediction.js";

/** The network has learnt nothing; a little below its usual threshold it covers nearly all of each box, and has borders to find. */
const OPTIONS = { maxDetections: 10, maskThreshold: 0.48 } as const;

/** All that a prediction adds to a network with masks. */
export const segmentation: Case = {
  name: "predict YOLOv8n-seg 640, 10 instances, 1280x720 picture in memory",
  run: async (quick) =>
    beside({
      directory: perfFixture("yolov8n-seg-640-busy"),
      side: 640,
      bound: 1.1,
      predictions: (model, picture) => {
        if (model.task !== "instance-segmentation") throw new Error("the fixture is of another task");
        return [
          ["predict", () => model.predict(picture, OPTIONS)],
          ["predict, dense masks", () => model.predict(picture, { ...OPTIONS, maskFormat: "dense" })],
        ];
      },
      quick,
    }),
};

/** Peak resident memory that many masks of a large picture add. */
export const maskMemory: Case = {
  name: "memory of 300 masks of a 4000x3000 picture (MB, not ms)",
  async run() {
    if (process.platform !== "linux") throw new Unavailable("peaks of memory are read from Linux's /proc");
    const { instances, maskedPixels, resultMegabytes, peakMegabytes, milliseconds } = await runChild<{
      readonly instances: number;
      readonly maskedPixels: number;
      readonly resultMegabytes: number;
      readonly peakMegabytes: number;
      readonly milliseconds: number;
    }>("mask-memory.ts", [], {});
    const measurement = (name: string, value: number) => ({ name, median: value, minimum: value, p90: value, rounds: 1 });
    return {
      measurements: [
        measurement("instances", instances),
        measurement("pixels in masks, millions", maskedPixels / 1e6),
        measurement("result", resultMegabytes),
        measurement("peak added by the prediction", peakMegabytes),
        measurement("ms for all masks, once", milliseconds),
      ],
      claims: [{ text: "peak, MB", value: peakMegabytes, comparison: "<=", bound: 300 }],
    };
  },
};
