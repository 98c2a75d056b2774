import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { beforeAll, describe, expect, it } from "vitest";

import { resolveCheckpointKind } from "../../src/auto/checkpoint.js";
import {
  AutoModel,
  InvalidModelInitParameterError,
  MissingModelInitParameterError,
  UnsupportedCheckpointError,
  type AutoModelOptions,
} from "../../src/index.js";

describe("what a checkpoint is", () => {
  it.each([
    [{ modelType: "rfdetr-base" }, "object-detection"],
    [{ modelType: "rfdetr-seg-nano" }, "instance-segmentation"],
    [{ modelType: "rfdetr-seg-preview", taskType: "object-detection" }, "object-detection"],
    [{ modelType: "rfdetr-2xlarge", backend: "torch" }, "object-detection"],
    [{ modelType: "rfdetr-seg-xxlarge", backend: ["Torch"] }, "instance-segmentation"],
  ] as const)("%j is for %s", (options, task) => {
    expect(resolveCheckpointKind(options as AutoModelOptions)).toEqual({ modelType: options.modelType, architecture: "rfdetr", task });
  });

  it.each([
    [{ modelType: "rfdetr-bse" }, /Did you mean "rfdetr-base"/, "modelType"],
    [{ modelType: "rfdetr-seg-base" }, /no type of checkpoint/, "modelType"],
    [{ modelType: "rfdetr-base", taskType: "classification" }, /object-detection or instance-segmentation/, "taskType"],
    [{ modelType: "rfdetr-base", backend: "onnx" }, /"onnx"/, "backend"],
    [{ modelType: "rfdetr-base", backend: ["torch", "trt"] }, /"trt"/, "backend"],
  ] as const)("%j is refused", (options, message, parameter) => {
    const resolve = () => resolveCheckpointKind(options);
    expect(resolve).toThrow(InvalidModelInitParameterError);
    expect(resolve).toThrow(message);
    expect(resolve).toThrow(expect.objectContaining({ parameter }));
  });
});

describe("a file", () => {
  let folder = "";
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "checkpoint-"));
    for (const name of ["weights.pth", "weights.onnx"]) await writeFile(join(folder, name), "");
  });
  const load = (name: string, options: AutoModelOptions = {}): Promise<unknown> => AutoModel.fromPretrained(join(folder, name), options);

  it("that is a checkpoint needs its type, and cannot be loaded yet", async () => {
    await expect(load("weights.pth")).rejects.toThrow(MissingModelInitParameterError);
    await expect(load("weights.pth", { modelType: "rfdetr" })).rejects.toThrow(InvalidModelInitParameterError);
    const refusal = load("weights.pth", { modelType: "rfdetr-nano" });
    await expect(refusal).rejects.toThrow(UnsupportedCheckpointError);
    await expect(refusal).rejects.toThrow(/rfdetr-nano, object-detection.*export it to ONNX/);
  });

  it("that is a network is told to be given with its folder", async () => {
    await expect(load("weights.onnx")).rejects.toThrow(UnsupportedCheckpointError);
    await expect(load("weights.onnx")).rejects.toThrow(/Give the folder that holds it/);
  });
});
