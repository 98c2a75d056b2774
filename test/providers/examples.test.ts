/** The programs of examples/ and of docs/providers.md. */
import { createHash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

import { runChild } from "../support/child.js";
import { startServer, text } from "../support/local-server.js";
import { temporaryFolder } from "./support.js";

const folder = temporaryFolder();
const example = (name: string): URL => new URL(`../../examples/${name}`, import.meta.url);

const DESCRIPTION = {
  architecture: "yolov8",
  task: "object-detection",
  opset: 17,
  files: [{ name: "weights.onnx", md5: createHash("md5").update("weights").digest("hex") }],
};

describe("the example of a folder", () => {
  it("describes a model of it, and knows no others", async () => {
    const model = join(folder(), "bolts");
    mkdirSync(model);
    writeFileSync(
      join(model, "model_config.json"),
      JSON.stringify({ model_architecture: "yolov8", task_type: "object-detection", backend_type: "onnx" }),
    );
    writeFileSync(join(model, "weights.onnx"), "weights");
    const found = await runChild(example("provider-from-folder.ts"), [folder(), "bolts"]);
    expect(found.stdout).toBe("bolts: yolov8 for object-detection\n  onnx: weights.onnx\n");
    const missing = await runChild(example("provider-from-folder.ts"), [folder(), "../bolts"]);
    expect(missing.code).toBe(1);
    expect(missing.stderr).toContain('has no model "../bolts"');
  });
});

describe("the example of a bucket", () => {
  it("describes a model of it, and asks Roboflow about others", async () => {
    await using server = await startServer((response, request) => {
      const known = request.url.pathname === "/bolts/3/model.json";
      text(known ? JSON.stringify(DESCRIPTION) : "{}", {}, known ? 200 : 404)(response, request);
    });
    const environment = { ROBOFLOW_API_HOST: server.origin };
    const found = await runChild(example("provider-from-bucket.ts"), [server.origin, "bolts/3"], [], environment);
    expect(found.stdout).toBe(`bolts/3: yolov8\n  weights.onnx from ${server.origin}/bolts/3/weights.onnx\n`);
    const missing = await runChild(example("provider-from-bucket.ts"), [server.origin, "nuts"], [], environment);
    expect(missing.code).toBe(1);
    expect(missing.stderr).toMatch(/bucket: The bucket has no model "nuts"\. roboflow: The Roboflow API knows no model "nuts"/);
  });
});
