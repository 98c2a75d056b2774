import { afterEach, describe, expect, it } from "vitest";

import { withProviderDefaults } from "../../src/auto/execution-providers.js";
import { AutoModel } from "../../src/index.js";
import { setLogger } from "../../src/logger.js";
import { writePackage } from "../support/packages.js";

const on = (device: string, defaultOnnxTrtOptions = true) => ({ device, directory: "/package", defaultOnnxTrtOptions });

describe("execution providers", () => {
  it("get the index of the device, where they have devices", () => {
    expect(withProviderDefaults(["CUDAExecutionProvider", "cpu"], on("cuda:1"))).toEqual([
      { name: "CUDAExecutionProvider", options: { device_id: 1 } },
      "cpu",
    ]);
    expect(withProviderDefaults(["cuda", "CoreMLExecutionProvider"], on("cuda"))).toEqual(["cuda", "CoreMLExecutionProvider"]);
    expect(withProviderDefaults(["cpu"], on("cpu"))).toEqual(["cpu"]);
  });

  it("get a place for TensorRT's engines unless that is off", () => {
    expect(withProviderDefaults(["tensorrt"], on("cuda:2"))).toEqual([
      {
        name: "tensorrt",
        options: { trt_engine_cache_enable: true, trt_engine_cache_path: "/package", trt_fp16_enable: true, device_id: 2 },
      },
    ]);
    expect(withProviderDefaults(["tensorrt"], on("cuda", false))).toEqual(["tensorrt"]);
  });

  it("keep options of the caller's own", () => {
    const own = { name: "tensorrt", options: { trt_max_workspace_size: 1 } };
    expect(withProviderDefaults([own], on("cuda:1"))).toEqual([own]);
  });
});

describe("a GPU that was asked for", () => {
  const warnings: string[] = [];
  afterEach(() => {
    setLogger(null);
    warnings.length = 0;
  });

  it.each([
    ["by its name", { device: "cuda:0" }, true],
    ["among providers", { device: "cuda:0", onnxExecutionProviders: ["cuda", "cpu"] }, true],
    ["by nobody", { device: "cpu" }, false],
    ["by nobody who names providers", { device: "cuda:0", onnxExecutionProviders: ["cpu"] }, false],
  ])("%s", async (_how, options, warned) => {
    const ignore = (): void => undefined;
    setLogger({ debug: ignore, info: ignore, warn: (message) => warnings.push(message), error: ignore });
    await using model = await AutoModel.fromPretrained(await writePackage({}), options);
    // The build of ONNX Runtime that comes with onnxruntime-node has no provider for GPUs here.
    expect(model.info.device).toBe("cpu");
    expect(warnings.filter((text) => text.includes("cuda:0")).length).toBe(warned ? 1 : 0);
  });
});
