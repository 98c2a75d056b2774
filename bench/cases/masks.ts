import { join } from "node:path";

import { AutoModel } from "../../src/index.js";
import { createInferenceSession } from "../../src/engines/index.js";
import { runChild } from "../child.js";
import { perfFixture, pixels } from "../fixtures.js";
import { alternate, ratio, type Case } from "../measure.js";

/** The network has learnt nothing; a little below its usual threshold it covers nearly all of each box, and has borders to find. */
const OPTIONS = { maxDetections: 10, maskThreshold: 0.48 } as const;

/** All that a prediction adds to a network with masks. */
export const segmentation: Case = {
  name: "predict YOLOv8n-seg 640, 10 instances, 1280x720 picture in memory",
  async run(quick) {
    const directory = perfFixture("yolov8n-seg-640-busy");
    const picture = await pixels(perfFixture("photo_1280x720.png"), "bgr");
    await using model = await AutoModel.fromPretrained(directory);
    if (model.task !== "instance-segmentation") throw new Error("the fixture is of another task");
    const segmenter = model;
    await using session = await createInferenceSession(join(directory, "weights.onnx"));
    const data = session.allocateInput(3 * 640 * 640).fill(0.5);
    const feed = { [session.inputs[0]?.name ?? ""]: { type: "float32", dims: [1, 3, 640, 640], data } } as const;
    const measurements = await alternate(
      [
        ["bare ONNX Runtime run", () => session.run(feed)],
        ["predict", () => segmenter.predict(picture, OPTIONS)],
        ["predict, dense masks", () => segmenter.predict(picture, { ...OPTIONS, maskFormat: "dense" })],
      ],
      quick ? 10 : 40,
    );
    return {
      measurements,
      claims: [
        { text: "predict / bare run", value: ratio(measurements, "predict", "bare ONNX Runtime run"), comparison: "<=", bound: 1.1 },
      ],
    };
  },
};

/** Peak resident memory that many masks of a large picture add. */
export const maskMemory: Case = {
  name: "memory of 300 masks of a 4000x3000 picture (MB, not ms)",
  async run() {
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
        measurement("peak above the level before", peakMegabytes),
        measurement("ms for all masks, once", milliseconds),
      ],
      claims: [{ text: "peak, MB", value: peakMegabytes, comparison: "<=", bound: 300 }],
    };
  },
};
