import { readFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { AUTO_MODEL_OPTIONS } from "../../src/auto/options.js";
import { AutoModel, InvalidOptionError, ModelPackageRestrictedError } from "../../src/index.js";
import { packageRoot } from "../../src/package-root.js";
import { constantNetwork, inferenceConfig, writePackage, YOLO_HEAD } from "../support/packages.js";

describe("options of fromPretrained", () => {
  it("stand in the documentation, each once", () => {
    const page = readFileSync(join(packageRoot, "docs", "loading.md"), "utf8");
    const [, table = ""] = /## Options\n\n([^]*?)\n\n/.exec(page) ?? [];
    const named = [...table.matchAll(/`(\w+)`/g)].map(([, name]) => name);
    expect(named.sort()).toEqual([...AUTO_MODEL_OPTIONS].sort());
  });

  it("limit the input of the network: as large is allowed, larger is refused", async () => {
    await (await AutoModel.fromPretrained("mediapipe/face-detector", { maximumInputSize: 128 })).close();
    const directory = await writePackage({
      modelConfig: { model_architecture: "yolov8", task_type: "object-detection", backend_type: "onnx" },
      inferenceConfig: inferenceConfig({ networkInput: { training_input_size: { width: 64, height: 32 } } }),
      weights: constantNetwork([YOLO_HEAD], { width: 64, height: 32 }),
    });
    for (const maximumInputSize of [64, [64, 32]] as const) await (await AutoModel.fromPretrained(directory, { maximumInputSize })).close();
    for (const maximumInputSize of [63, [32, 64]] as const) {
      await expect(AutoModel.fromPretrained(directory, { maximumInputSize })).rejects.toThrow(ModelPackageRestrictedError);
    }
    await expect(AutoModel.fromPretrained(directory, { maximumInputSize: [64] as never })).rejects.toThrow(InvalidOptionError);
  });

  it("are refused with the nearest name when they do not exist", async () => {
    const loading = AutoModel.fromPretrained("mediapipe/face-detector", { bakend: "onnx" } as never);
    await expect(loading).rejects.toThrow(InvalidOptionError);
    await expect(loading).rejects.toThrow(/backend/);
  });
});
