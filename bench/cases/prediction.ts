import { join } from "node:path";

import { AutoModel } from "../../src/index.js";
import { createInferenceSession } from "../../src/engines/index.js";
import { perfFixture, pixels } from "../fixtures.js";
import { alternate, ratio, type Case } from "../measure.js";

/** All that a prediction adds to the network. */
export const prediction: Case = {
  name: "predict YOLOv8n 640, 1280x720 picture in memory",
  async run(quick) {
    const directory = perfFixture("yolov8n-640-busy");
    const picture = await pixels(perfFixture("photo_1280x720.png"), "bgr");
    await using model = await AutoModel.fromPretrained(directory);
    await using session = await createInferenceSession(join(directory, "weights.onnx"));
    const data = session.allocateInput(3 * 640 * 640).fill(0.5);
    const feed = { [session.inputs[0]?.name ?? ""]: { type: "float32", dims: [1, 3, 640, 640], data } } as const;
    const measurements = await alternate(
      [
        ["bare ONNX Runtime run", () => session.run(feed)],
        ["predict", () => model.predict(picture)],
      ],
      quick ? 10 : 40,
    );
    return {
      measurements,
      claims: [
        { text: "predict / bare run", value: ratio(measurements, "predict", "bare ONNX Runtime run"), comparison: "<=", bound: 1.05 },
      ],
    };
  },
};
