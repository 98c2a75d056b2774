import { existsSync, readFileSync } from "node:fs";
import { mkdir, mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { AutoModel, InferenceModelsError, type AutoModelOptions, type ObjectDetectionModel } from "../../src/index.js";
import { packageRoot } from "../../src/package-root.js";
import { blankPicture, constantNetwork, inferenceConfig, writePackage, YOLO_HEAD, type PackageFiles } from "../support/packages.js";

async function loadDetector(files: PackageFiles = {}, options: AutoModelOptions = {}): Promise<ObjectDetectionModel> {
  const model = await AutoModel.fromPretrained(await writePackage(files), options);
  if (model.task !== "object-detection") throw new Error(`unexpected task ${model.task}`);
  return model;
}

async function failure(promise: Promise<unknown>): Promise<InferenceModelsError> {
  const outcome: unknown = await promise.then(
    () => new Error("expected a rejection"),
    (error: unknown) => error,
  );
  if (!InferenceModelsError.is(outcome)) throw outcome;
  return outcome;
}

/** Every error of loading has a code, a page that exists, and a section of its own on it. */
function expectHelpPage(error: InferenceModelsError): void {
  const [, page = "", anchor = ""] = /docs\/errors\/([a-z-]+)\.md#([a-z]+)$/.exec(error.helpUrl) ?? [];
  const path = join(packageRoot, "docs", "errors", `${page}.md`);
  expect(existsSync(path)).toBe(true);
  expect(readFileSync(path, "utf8").toLowerCase()).toContain(`## ${anchor}`);
}

describe.each(["auto", "reference"] as const)("a detector from a folder, executor %s", (executor) => {
  it("returns boxes in pixels of the original picture, best first", async () => {
    await using model = await loadDetector({}, { executor });
    const detections = await model.predict(blankPicture(640, 320));
    expect([...detections.xyxy]).toEqual([80, 40, 240, 120, 440, 220, 520, 260]);
    expect([...detections.classId]).toEqual([1, 0]);
    expect([...detections].map(({ className }) => className)).toEqual(["dog", "cat"]);
    expect(detections.confidence[0]).toBeCloseTo(0.9, 6);
    expect(detections.image).toMatchObject({ width: 640, height: 320 });
  });

  it("says what served a result and how long each stage took", async () => {
    await using model = await loadDetector({}, { executor });
    const { servedBy, timings } = await model.predict(blankPicture(32, 32));
    expect(servedBy).toMatchObject({ architecture: "yolov8", backend: "onnx", preprocessExecutor: model.info.preprocessExecutor });
    expect(Object.values(timings ?? {}).every((value) => value >= 0)).toBe(true);
    expect(timings?.totalMs).toBeGreaterThanOrEqual(timings?.inferenceMs ?? Infinity);
  });

  it("keeps the order of a list, cut to the network's batch", async () => {
    await using model = await loadDetector({}, { executor });
    const pictures = Array.from({ length: 7 }, (_, index) => blankPicture(64 * (index + 1), 64));
    const results = await model.predict(pictures);
    expect(results.map(({ image }) => image.width)).toEqual([64, 128, 192, 256, 320, 384, 448]);
    expect(results.map(({ xyxy }) => xyxy[0])).toEqual([8, 16, 24, 32, 40, 48, 56]);
    expect(await model.predict([])).toEqual([]);
  });

  it("pads batches for a network with a fixed batch of three, and honours the limit of a dynamic one", async () => {
    const size = { width: 64, height: 64 };
    await using fixed = await loadDetector({ weights: constantNetwork([YOLO_HEAD], size, 3) }, { executor });
    expect(fixed.info.batchSize).toEqual({ minimum: 3, maximum: 3 });
    const four = await fixed.predict([1, 2, 3, 4].map((factor) => blankPicture(64 * factor, 64)));
    expect(four.map(({ xyxy }) => xyxy[2])).toEqual([24, 48, 72, 96]);

    const forwardPass = { max_dynamic_batch_size: 2 };
    await using dynamic = await loadDetector(
      { weights: constantNetwork([YOLO_HEAD], size, "batch"), inferenceConfig: inferenceConfig({ forwardPass }) },
      { executor },
    );
    expect(dynamic.info.batchSize).toEqual({ minimum: 1, maximum: 2 });
    expect(await dynamic.predict([1, 2, 3].map(() => blankPicture(64, 64)))).toHaveLength(3);
  });
});

describe("options of a call", () => {
  it("applies thresholds, limits and sub-pixel boxes", async () => {
    await using model = await loadDetector();
    const picture = blankPicture(100, 100);
    expect((await model.predict(picture, { confidence: 0.7 })).length).toBe(1);
    expect((await model.predict(picture, { maxDetections: 1 })).length).toBe(1);
    expect((await model.predict(picture, { confidence: 1 })).length).toBe(0);
    const { xyxy } = await model.predict(picture, { rounding: "none" });
    expect(xyxy).toBeInstanceOf(Float32Array);
    expect([...xyxy.subarray(0, 4)]).toEqual([12.5, 12.5, 37.5, 37.5]);
  });

  it("takes recommended thresholds for confidence best", async () => {
    const recommendedParameters = { confidence: 0.95, perClassConfidence: { cat: 0.5 } };
    await using model = await loadDetector({}, { recommendedParameters });
    expect([...(await model.predict(blankPicture(64, 64), { confidence: "best" })).classId]).toEqual([0]);
  });

  it.each([
    [{ conf: 0.3 }, /Did you mean "confidence"/],
    [{ iou_threshold: 0.3 }, /Did you mean "iouThreshold"/],
    [{ confidence: Number.NaN }, /confidence/],
    [{ confidence: "bset" }, /confidence/],
    [{ iouThreshold: 2 }, /iouThreshold/],
    [{ maxDetections: -1 }, /maxDetections/],
    [{ maxDetections: 1.5 }, /maxDetections/],
    [{ classAgnosticNms: "yes" }, /classAgnosticNms/],
    [{ preprocessing: { crop: false } }, /Unknown option "crop"/],
  ])("refuses %j", async (options, message) => {
    await using model = await loadDetector();
    const error = await failure(model.predict(blankPicture(8, 8), options as never));
    expect(error.code).toBe("INVALID_OPTION");
    expect(error.message).toMatch(message);
  });

  it("refuses options that the network cannot honour when asked to be strict", async () => {
    const weights = constantNetwork([{ name: "output0", dims: [1, 1, 6], data: Float32Array.from([1, 2, 3, 4, 0.9, 1]) }], {
      width: 64,
      height: 64,
    });
    const fused = { weights, inferenceConfig: inferenceConfig({ postProcessing: { type: "nms", fused: true } }) };
    await using strict = await loadDetector(fused, { strictOptions: true });
    expect((await failure(strict.predict(blankPicture(8, 8), { iouThreshold: 0.5 }))).code).toBe("INVALID_OPTION");
    await using lenient = await loadDetector(fused);
    expect((await lenient.predict(blankPicture(64, 64), { iouThreshold: 0.5 })).length).toBe(1);
  });
});

describe("packages that cannot be loaded", () => {
  const size = { width: 64, height: 64 };
  const cases: readonly (readonly [string, PackageFiles, string, RegExp])[] = [
    [
      "an unknown architecture",
      { modelConfig: { model_architecture: "yolov88", task_type: "object-detection", backend_type: "onnx" } },
      "MODEL_IMPLEMENTATION_NOT_FOUND",
      /Did you mean "yolov8"/,
    ],
    [
      "an impossible size",
      { inferenceConfig: inferenceConfig({ networkInput: { training_input_size: { width: 0, height: 64 } } }) },
      "CORRUPTED_MODEL_PACKAGE",
      /training_input_size/,
    ],
    [
      "a normalisation that divides by zero",
      { inferenceConfig: inferenceConfig({ networkInput: { normalization: [[0, 0, 0], [1, 0, 1]] } }) }, // prettier-ignore
      "CORRUPTED_MODEL_PACKAGE",
      /normalization/,
    ],
    [
      "an unknown task",
      { modelConfig: { model_architecture: "yolov8", task_type: "poetry", backend_type: "onnx" } },
      "MODEL_IMPLEMENTATION_NOT_FOUND",
      /object-detection/,
    ],
    [
      "a package with code of its own",
      { modelConfig: { model_module: "model.py", model_class: "Model" } },
      "CORRUPTED_MODEL_PACKAGE",
      /Python.*\.mjs/,
    ],
    ["a missing configuration", { inferenceConfig: null }, "CORRUPTED_MODEL_PACKAGE", /inference_config\.json/],
    ["missing class names", { classNames: null }, "CORRUPTED_MODEL_PACKAGE", /class_names\.txt/],
    ["missing weights", { weights: null }, "CORRUPTED_MODEL_PACKAGE", /weights\.onnx/],
    ["JSON that is none", { inferenceConfig: "{" }, "CORRUPTED_MODEL_PACKAGE", /JSON/],
    [
      "a configuration without network input",
      { inferenceConfig: { post_processing: { type: "nms", fused: false } } },
      "CORRUPTED_MODEL_PACKAGE",
      /network_input/,
    ],
    [
      "no declared post-processing",
      { inferenceConfig: inferenceConfig({ postProcessing: null }) },
      "CORRUPTED_MODEL_PACKAGE",
      /post_processing/,
    ],
    [
      "another number of classes than the network",
      { classNames: ["cat", "dog", "cow"] },
      "CORRUPTED_MODEL_PACKAGE",
      /2 classes .* lists 3/,
    ],
    [
      "another input size than the network",
      { weights: constantNetwork([YOLO_HEAD], { width: 32, height: 64 }) },
      "CORRUPTED_MODEL_PACKAGE",
      /\[1, 3, 64, 32\]/,
    ],
    [
      "an output of another rank",
      { weights: constantNetwork([{ ...YOLO_HEAD, dims: [1, 1, 6, 2] }], size) },
      "CORRUPTED_MODEL_PACKAGE",
      /output0/,
    ],
    ["weights that are no network", { weights: Uint8Array.from([1, 2, 3, 4]) }, "CORRUPTED_MODEL_PACKAGE", /weights\.onnx/],
  ];

  it.each(cases)("%s", async (_, files, code, message) => {
    const error = await failure(loadDetector(files));
    expect(error.code).toBe(code);
    expect(`${error.message} ${String((error as { path?: string }).path)}`).toMatch(message);
    expectHelpPage(error);
  });

  it("knows paths from ids", async () => {
    for (const path of ["./no/such/folder", "../no-such-folder", "/no/such", "~/no-such-model", "file:///no/such", "C:\\models"]) {
      const error = await failure(AutoModel.fromPretrained(path));
      expect([path, error.code]).toEqual([path, "INVALID_PARAMETER"]);
    }
    expect((await failure(AutoModel.fromPath("yolov8n-640"))).message).toContain("model_config.json");
    expect((await failure(AutoModel.fromPretrained(""))).code).toBe("INVALID_PARAMETER");
    expect((await failure(AutoModel.fromPretrained("a\0b"))).code).toBe("INVALID_PARAMETER");
  });

  it("says that a folder hides a model of the same name", async () => {
    const directory = await mkdtemp(join(tmpdir(), "shadow-"));
    const before = process.cwd();
    await mkdir(join(directory, "coco", "40"), { recursive: true });
    try {
      process.chdir(directory);
      expect((await failure(AutoModel.fromPretrained("coco/40"))).message).toMatch(/model_config\.json.*same name/s);
    } finally {
      process.chdir(before);
    }
  });

  it.each([{ executer: "auto" }, { executor: "gpu" }, { executor: "cuda" }, { lanes: 0 }, { intraOpThreads: -1 }, { queueLimit: 1.5 }])(
    "load option %j",
    async (options) => {
      expect((await failure(AutoModel.fromPretrained("mediapipe/face-detector", options as never))).code).toBe("INVALID_OPTION");
    },
  );
});

describe("lifetime", () => {
  it("closes once, after the predictions in progress, and refuses later ones", async () => {
    const model = await loadDetector();
    const pending = model.predict(blankPicture(300, 300));
    const closing = model.close();
    expect(model.closed).toBe(true);
    expect((await pending).length).toBe(2);
    await closing;
    await model.close();
    const error = await failure(model.predict(blankPicture(8, 8)));
    expect(error.code).toBe("MODEL_DISPOSED");
  });

  it("aborts before and during a prediction with the signal's own reason", async () => {
    await using model = await loadDetector();
    const reason = new Error("enough");
    await expect(model.predict(blankPicture(8, 8), { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    const controller = new AbortController();
    const pending = model.predict(blankPicture(2000, 2000), { signal: controller.signal });
    controller.abort(reason);
    await expect(pending).rejects.toBe(reason);
    expect((await model.predict(blankPicture(64, 64))).length).toBe(2);
    await expect(AutoModel.fromPretrained("mediapipe/face-detector", { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });

  it("refuses pixels that were transferred away before their turn came, and goes on", async () => {
    await using model = await loadDetector();
    const pictures = [1, 2, 3, 4].map(() => blankPicture(64, 64));
    const outcomes = pictures.map((picture) => model.predict(picture));
    for (const { data } of pictures) structuredClone(data.buffer, { transfer: [data.buffer] });
    for (const outcome of outcomes) expect((await failure(outcome)).code).toBe("MODEL_INPUT");
    expect((await model.predict(blankPicture(64, 64))).length).toBe(2);
  });

  it("serves many predictions at once with the same answers", async () => {
    await using model = await loadDetector({}, { lanes: 2 });
    const results = await Promise.all(Array.from({ length: 60 }, (_, index) => model.predict(blankPicture(64 + index, 64))));
    results.forEach(({ image, length }, index) => {
      expect(image.width).toBe(64 + index);
      expect(length).toBe(2);
    });
    expect(model.statistics()).toMatchObject({ activePredictions: 0, waitingPredictions: 0, running: 0, waiting: 0 });
  });

  it("refuses what goes beyond the queue", async () => {
    await using model = await loadDetector({}, { queueLimit: 1 });
    const outcomes = await Promise.allSettled(Array.from({ length: 6 }, () => model.predict(blankPicture(64, 64))));
    const refused = outcomes.filter((outcome) => outcome.status === "rejected").map(({ reason }) => (reason as InferenceModelsError).code);
    expect(refused).toEqual(["QUEUE_FULL", "QUEUE_FULL", "QUEUE_FULL"]);
  });

  it("streams in order, no faster than results are taken", async () => {
    await using model = await loadDetector();
    let taken = 0;
    let drawn = 0;
    function* pictures() {
      for (let index = 0; index < 12; index++) {
        drawn++;
        yield blankPicture(64 + index, 64);
      }
    }
    for await (const { image } of model.stream(pictures(), { concurrency: 3 })) {
      expect(image.width).toBe(64 + taken++);
      expect(drawn - taken).toBeLessThanOrEqual(3);
    }
    expect(taken).toBe(12);
  });

  it("tells which picture of a list is the bad one", async () => {
    await using model = await loadDetector();
    const directory = await writePackage();
    const path = join(directory, "broken.jpg");
    await writeFile(path, Uint8Array.from([0xff, 0xd8, 0xff, 0xe0, 0, 0]));
    const error = await failure(model.predict([blankPicture(8, 8), path]));
    expect(error).toMatchObject({ code: "IMAGE_DECODING", index: 1 });
    expectHelpPage(error);
  });
});
