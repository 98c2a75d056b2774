import { join } from "node:path";

import { createInferenceSession } from "../../src/engines/index.js";
import { cpuDecoder, referenceDecoder, type DenseHead } from "../../src/models/decoding/index.js";
import { readHead } from "../../src/models/families/head.js";
import { yolov8Layout } from "../../src/models/families/yolov8.js";
import { cpuExecutor, resolvePreprocess } from "../../src/imaging/index.js";
import { loadAddon } from "../../src/native/index.js";
import { LETTERBOX_640, perfFixture, pixels } from "../fixtures.js";
import { alternate, ratio, Unavailable, type Case } from "../measure.js";

const ANCHORS_OF_A_BUSY_PICTURE = 200;

/** Of the head's best class scores, the one that so many are above. */
function usualThreshold({ scores, candidates, classes }: DenseHead): number {
  const best = Float32Array.from({ length: candidates }, (_, candidate) => {
    let most = -Infinity;
    for (let index = 0; index < classes; index++) {
      const score = scores.data[scores.offset + candidate * scores.candidateStride + index * scores.attributeStride] ?? NaN;
      most = Math.max(most, score);
    }
    return most;
  }).sort();
  return best.at(-ANCHORS_OF_A_BUSY_PICTURE - 1) ?? NaN;
}

/** Boxes out of a real network's raw output. */
export const decoding: Case = {
  name: "decode and NMS of YOLOv8n's output, 640",
  async run(quick) {
    const addon = loadAddon();
    if (addon === null) throw new Unavailable("the addon is not available");
    await using session = await createInferenceSession(join(perfFixture("yolov8n-640-busy"), "weights.onnx"));
    const picture = await pixels(perfFixture("photo_1280x720.png"), "bgr");
    const data = session.allocateInput(3 * 640 * 640);
    await cpuExecutor(addon).run(
      { ...picture, data: picture.data as Uint8Array, borrowed: true },
      resolvePreprocess(LETTERBOX_640, picture).steps,
      data,
    );
    const feed = { [session.inputs[0]?.name ?? ""]: { type: "float32", dims: [1, 3, 640, 640], data } } as const;
    const outputs = await session.run(feed);
    const output = outputs[session.outputs[0]?.name ?? ""];
    if (output === undefined) throw new Error("the network has no output");
    const { kind, head } = readHead(yolov8Layout({ classNames: [], remapping: null, nmsFused: false }).head, [output], 0);
    if (kind !== "dense") throw new Error("a dense head was expected");
    const rules = { iouThreshold: 0.45, classAgnostic: false, maxDetections: 300 };
    // Every anchor of this network passes the first, as in no picture of a network that has learnt something; some two hundred the second.
    const worst = { ...rules, thresholds: Float32Array.of(0.25) };
    const usual = { ...rules, thresholds: Float32Array.of(usualThreshold(head)) };
    const native = cpuDecoder(addon);
    const measurements = await alternate(
      [
        ["network", () => session.run(feed)],
        ["native, 200 anchors pass", () => native.decodeDense(head, usual)],
        ["native, all anchors pass", () => native.decodeDense(head, worst)],
        ["reference, all anchors pass", () => referenceDecoder.decodeDense(head, worst)],
      ],
      quick ? 10 : 40,
    );
    return {
      measurements,
      claims: [
        {
          text: `decode of ${output.dims.join("x")} / network`,
          value: ratio(measurements, "native, 200 anchors pass", "network"),
          comparison: "<=",
          bound: 0.01,
        },
      ],
    };
  },
};
