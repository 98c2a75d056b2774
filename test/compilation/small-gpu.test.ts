/** A GPU that could never hold the engine. The stand-in for the driver reads its size once per process, so this file is one. */
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";

import { readBuildHistory } from "../../src/compilation/build-history.js";
import { OutOfDeviceMemoryError } from "../../src/errors.js";
import { buildTensorRtEngine, estimateTensorRtBuild } from "../../src/index.js";
import { loadAddon } from "../../src/native/index.js";
import { nvidiaFakes } from "../support/nvidia-fakes.js";
import { buildModel } from "../support/onnx-graphs.js";

const fakes = loadAddon() === null ? null : nvidiaFakes();
const MEMORY = 1_000_000;

/** 600 x 500 floats, 1.2 MB, or half of that. */
const model = buildModel({
  inputs: [{ name: "x", type: "float32", dims: [1, 600] }],
  outputs: [{ name: "y", type: "float32", dims: [1, 500] }],
  nodes: [{ op: "MatMul", inputs: ["x", "w"], outputs: ["y"] }],
  initializers: [{ name: "w", dims: [600, 500], data: new Float32Array(300_000) }],
});

describe.skipIf(fakes === null)("a GPU whose memory is less than the weights", () => {
  const scratch = mkdtempSync(join(tmpdir(), "inference-models-"));
  process.env["INFERENCE_HOME"] = join(scratch, "home");
  process.env["FAKE_CUDA_MEMORY"] = String(MEMORY);
  process.env["INFERENCE_MODELS_CUDA_LIBRARY_PATH"] = join(fakes!, "cuda");
  process.env["INFERENCE_MODELS_TENSORRT_LIBRARY_PATH"] = join(fakes!, "trt10");
  afterAll(() => rmSync(scratch, { recursive: true, force: true }));

  it("is told beforehand, with the numbers, and nothing begins", async () => {
    expect(await estimateTensorRtBuild(model)).toMatchObject({
      leastEngineBytes: 1_200_000,
      gpu: { totalBytes: MEMORY, freeBytes: MEMORY },
      weightsFit: "never",
    });
    const called: string[] = [];
    const failure: unknown = await buildTensorRtEngine(model, {
      outputPath: join(scratch, "engine.plan"),
      onEstimate: () => called.push("estimate"),
      onProgress: () => called.push("progress"),
    }).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(OutOfDeviceMemoryError);
    expect(failure).toMatchObject({
      requestedBytes: 1_200_000,
      freeBytes: MEMORY,
      message: expect.stringMatching(/take 1\.14 MB, and Stand-in GPU 0 has 0\.95 MB.*fp16/) as string,
    });
    expect(called).toEqual([]);
    expect(existsSync(join(scratch, "engine.plan"))).toBe(false);
    expect(await readBuildHistory()).toEqual([]);
  });

  it("takes what fits, and builds for other GPUs", async () => {
    expect(await estimateTensorRtBuild(model, { fp16: true })).toMatchObject({ leastEngineBytes: 600_000, weightsFit: "now" });
    expect((await buildTensorRtEngine(model, { fp16: true })).report.layers).toBe(1);
    expect((await buildTensorRtEngine(model, { hardwareCompatible: true })).report.layers).toBe(1);
  });
});
