import { expect, test } from "vitest";

import { runChild } from "../support/child.js";

test("without the addon, onnxruntime-node does the same, one run at a time, and says so", async () => {
  const { code, stdout } = await runChild(new URL("./children/fallback.ts", import.meta.url), [], [], { INFERENCE_MODELS_NATIVE: "off" });
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toEqual({
    engine: ["onnxruntime-node", "onnxruntime-node", true],
    inputs: [{ name: "x", kind: "tensor", type: "float32", dims: ["batch", 3] }],
    metadata: {
      producer: "tests",
      graphName: "",
      domain: "",
      description: "",
      version: 7,
      opset: 17,
      custom: { names: "a,b", __proto__key: "kept" },
    },
    answers: [
      [2, 4, 6],
      [8, 10, 12],
      [20, 22, 24],
    ],
    aborted: "stopped",
    refused: "QUEUE_FULL",
    closed: "MODEL_DISPOSED",
    half: [1, 0x7bff],
    wrong: "MODEL_INPUT",
    damaged: "CORRUPTED_MODEL_PACKAGE",
    provider: "ENVIRONMENT_CONFIGURATION",
    passedOver: ["cpu"],
    statistics: { waiting: 0, running: 0, completed: 3, failed: 0, cancelled: 1, lanes: 1, queueLimit: 3, refused: 1 },
    warnings: 1,
  });
}, 60_000);
