/** Loads a model by its id again and again, in turn with the creation of its session alone: `warm-load.ts ID ROUNDS`. */
import { join } from "node:path";

import { createInferenceSession } from "../../src/engines/index.js";
import { AutoModel } from "../../src/index.js";
import { alternate } from "../measure.js";

const [id = "", rounds = "0"] = process.argv.slice(2);
const first = await AutoModel.fromPretrained(id);
const { origin } = first.info;
await first.close();
if (origin.kind !== "provider") throw new Error(`unexpected origin ${origin.kind}`);
const weights = join(origin.directory, "weights.onnx");
const measurements = await alternate(
  [
    [
      "load, remembered",
      async () => {
        await using model = await AutoModel.fromPretrained(id);
        if (model.info.origin.kind !== "provider" || model.info.origin.resolvedBy !== "remembered") throw new Error("asked again");
      },
    ],
    ["creation of its session alone", async () => (await createInferenceSession(weights)).close()],
  ],
  Number(rounds),
);
process.stdout.write(JSON.stringify(measurements));
