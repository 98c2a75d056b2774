import { join } from "node:path";

import { createInferenceSession } from "../../src/engines/index.js";
import { cpuDecoder, referenceDecoder } from "../../src/models/decoding/index.js";
import { yolov8Layout } from "../../src/models/families/yolov8.js";
import { cpuExecutor, resolvePreprocess } from "../../src/imaging/index.js";
import { loadAddon } from "../../src/native/index.js";
import { LETTERBOX_640, perfFixture, pixels } from "../fixtures.js";
import { alternate, ratio, Unavailable, type Case } from "../measure.js";

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
    const { kind, head } = yolov8Layout({ classNames: [], remapping: null, nmsFused: false }).read([output], 0);
    if (kind !== "dense") throw new Error("a dense head was expected");
    const settings = { thresholds: Float32Array.of(0.25), iouThreshold: 0.45, classAgnostic: false, maxDetections: 300 };
    const native = cpuDecoder(addon);
    const measurements = await alternate(
      [
        ["network", () => session.run(feed)],
        ["native decode + NMS", () => native.decodeDense(head, settings)],
        ["reference decode + NMS", () => referenceDecoder.decodeDense(head, settings)],
      ],
      quick ? 10 : 40,
    );
    return {
      measurements,
      claims: [
        {
          text: `decode of ${output.dims.join("x")} / network`,
          value: ratio(measurements, "native decode + NMS", "network"),
          comparison: "<=",
          bound: 0.01,
        },
      ],
    };
  },
};
