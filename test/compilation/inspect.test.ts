/** What is said of an engine, on the stand-ins; test/compilation/build.test.ts inspects engines that load. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { inspectEngine } from "../../src/index.js";
import { CorruptedModelPackageError, InvalidOptionError } from "../../src/errors.js";
import { loadAddon } from "../../src/native/index.js";
import { fakePlan, nvidiaFakes } from "../support/nvidia-fakes.js";

const fakes = loadAddon() === null ? null : nvidiaFakes();

describe.skipIf(fakes === null)("inspectEngine", () => {
  const scratch = mkdtempSync(join(tmpdir(), "inference-models-"));
  const path = join(scratch, "engine.plan");
  beforeAll(() => {
    process.env["INFERENCE_MODELS_CUDA_LIBRARY_PATH"] = join(fakes!, "cuda");
    process.env["INFERENCE_MODELS_TENSORRT_LIBRARY_PATH"] = join(fakes!, "trt10");
  });
  afterAll(() => rmSync(scratch, { recursive: true, force: true }));

  it("says why an engine cannot be loaded here, and what is known all the same", async () => {
    const plan = fakePlan([10, 99, 0, 3], ["in x 0 1 1", "out y 0 1 1"]);
    writeFileSync(path, plan);
    expect(await inspectEngine(path)).toMatchObject({
      path,
      bytes: plan.length,
      builtByVersion: "10.99.0.3",
      loaded: null,
      problem: { code: "TENSOR_RT", message: expect.stringMatching(/never loads in an older release/) },
    });
    writeFileSync(path, fakePlan([10, 15, 1, 1], ["in x 0 1 1", "out y 0 1 1"]));
    expect(await inspectEngine(path, { device: 9 })).toMatchObject({
      builtByVersion: "10.15.1.1",
      loaded: null,
      problem: { code: "CUDA" },
    });
    process.env["INFERENCE_MODELS_TENSORRT_LIBRARY_PATH"] = join(fakes!, "cuda");
    expect(await inspectEngine(path)).toMatchObject({ loaded: null, problem: { code: "MISSING_DEPENDENCY" } });
    process.env["INFERENCE_MODELS_TENSORRT_LIBRARY_PATH"] = join(fakes!, "trt10");
    expect((await inspectEngine(path)).problem).toBeNull();
  });

  it.each([
    ["an ONNX model", Uint8Array.of(8, 7, 18), /ONNX model/],
    ["an empty file", new Uint8Array(), /is empty/],
    ["half a header", fakePlan([10, 15, 1, 1], []).subarray(0, 20), /cut off/],
  ] as const)("refuses %s", async (_what, content, message) => {
    writeFileSync(path, content);
    await expect(inspectEngine(path)).rejects.toThrow(CorruptedModelPackageError);
    await expect(inspectEngine(path)).rejects.toThrow(message);
  });

  it("refuses what cannot be read, and unknown options", async () => {
    await expect(inspectEngine(join(scratch, "nothing"))).rejects.toThrow(/cannot be read/);
    await expect(inspectEngine(path, { gpu: 1 } as never)).rejects.toThrow(InvalidOptionError);
  });
});
