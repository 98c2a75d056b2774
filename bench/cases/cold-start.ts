import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";

import { packageRoot } from "../../src/package-root.js";
import { summarize, Unavailable, type Case } from "../measure.js";

const SCRIPT = `
const { AutoModel } = await import("inference-models");
const model = await AutoModel.fromPretrained("mediapipe/face-detector");
const faces = await model.predict("assets/images/astronaut.jpg");
if (faces.length !== 1) throw new Error("no face");
process.exit(0);
`;

/** From starting a process to the first result, file decoding included. */
export const coldStart: Case = {
  name: "cold start: process start to first result on the embedded model",
  async run(quick) {
    if (!existsSync(join(packageRoot, "dist", "esm", "index.js"))) throw new Unavailable("dist is not built (npm run build)");
    const samples: number[] = [];
    for (let round = 0; round < (quick ? 5 : 15); round++) {
      const begin = performance.now();
      await promisify(execFile)(process.execPath, ["--input-type=module", "--eval", SCRIPT], { cwd: packageRoot });
      samples.push(performance.now() - begin);
    }
    const measurement = summarize("whole process", samples.slice(1));
    return {
      measurements: [measurement],
      claims: [{ text: "whole process, ms", value: measurement.median, comparison: "<=", bound: 500 }],
    };
  },
};
