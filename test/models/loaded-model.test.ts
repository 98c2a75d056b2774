import { afterEach, describe, expect, it, vi } from "vitest";

import { createInferenceSession } from "../../src/engines/index.js";
import { createPreprocessExecutor } from "../../src/imaging/index.js";
import { referenceDecoder } from "../../src/models/index.js";
import type { Decoder } from "../../src/models/decoding/index.js";
import { AutoModel, InferenceModelsError } from "../../src/index.js";
import { LoadedObjectDetectionModel } from "../../src/models/tasks/object-detection.js";
import { family } from "../../src/models/families/yolov8.js";
import { parseInferenceConfig, parseModelConfig } from "../../src/packages/index.js";
import { blankPicture, constantNetwork, inferenceConfig, writePackage, YOLO_HEAD } from "../support/packages.js";

const WAIT = 60;
/** Timers may fire a little early. */
const ALMOST = WAIT - 5;

/** Decodes as the reference does, after a while: what takes long can be told apart from what is merely measured. */
const slowDecoder: Decoder = {
  ...referenceDecoder,
  async decodeDense(head, settings) {
    await new Promise((resolve) => setTimeout(resolve, WAIT));
    return referenceDecoder.decodeDense(head, settings);
  },
};

async function modelWith(decoder: Decoder): Promise<LoadedObjectDetectionModel> {
  const session = await createInferenceSession(constantNetwork([YOLO_HEAD], { width: 64, height: 64 }));
  const preprocess = createPreprocessExecutor();
  const contents = {
    directory: "/package",
    modelConfig: parseModelConfig("{}", { path: "model_config.json" }),
    inferenceConfig: parseInferenceConfig(
      JSON.stringify(inferenceConfig()),
      { allowed: ["stretch"], substitutions: {}, maximumInputSize: null },
      { path: "inference_config.json" },
    ),
    classNames: ["cat", "dog"],
    texts: {},
  };
  return new LoadedObjectDetectionModel({
    family,
    description: family.describe(contents, session),
    session,
    otherSessions: [],
    preprocess,
    decoder,
    decodesOnDevice: false,
    info: {
      id: "package",
      packageId: "package",
      origin: { kind: "custom" },
      architecture: "yolov8",
      task: "object-detection",
      variant: null,
      backend: "onnx",
      engine: session.engine,
      engineVersion: session.engineVersion,
      executionProviders: session.executionProviders,
      device: "cpu",
      preprocessExecutor: preprocess.name,
      decodeExecutor: decoder.name,
      inputSize: { width: 64, height: 64 },
      batchSize: { minimum: 1, maximum: 1 },
    },
    recommended: null,
    strictOptions: false,
    queueLimit: 10,
    maximumPixels: 1e6,
  });
}

describe("timings", () => {
  it("count decoding as post-processing, and all stages in the total", async () => {
    await using model = await modelWith(slowDecoder);
    const { timings } = await model.predict(blankPicture(64, 64));
    expect(timings?.postprocessMs).toBeGreaterThanOrEqual(ALMOST);
    const { decodeImageMs = 0, preprocessMs = 0, inferenceMs = 0, postprocessMs = 0, totalMs = 0 } = timings ?? {};
    expect(totalMs).toBeGreaterThanOrEqual(decodeImageMs + preprocessMs + inferenceMs + postprocessMs - 0.001);
  });

  it("include the time that a prediction waited for its place in the total", async () => {
    await using model = await modelWith(slowDecoder);
    // Two places: the third waits for one of the first two.
    const results = await Promise.all([1, 2, 3].map(() => model.predict(blankPicture(64, 64))));
    expect(results[2]?.timings?.totalMs).toBeGreaterThanOrEqual(2 * ALMOST);
  });
});

describe("settings of a loaded model", () => {
  afterEach(() => {
    vi.unstubAllEnvs();
  });

  it("stay what they were when it was loaded", async () => {
    await using model = await AutoModel.fromPretrained(await writePackage());
    vi.stubEnv("INFERENCE_MODELS_YOLO_ULTRALYTICS_DEFAULT_CONFIDENCE", "0.95");
    expect(await model.predict(blankPicture(64, 64))).toHaveLength(2);
    vi.stubEnv("INFERENCE_MODELS_YOLO_ULTRALYTICS_DEFAULT_CONFIDENCE", "much");
    expect(await model.predict(blankPicture(64, 64))).toHaveLength(2);
  });

  it("are refused when the package is loaded, not at the first prediction", async () => {
    vi.stubEnv("INFERENCE_MODELS_YOLO_ULTRALYTICS_DEFAULT_CONFIDENCE", "much");
    const error: unknown = await AutoModel.fromPretrained(await writePackage()).catch((failure: unknown) => failure);
    expect(InferenceModelsError.is(error) && error.code).toBe("INVALID_ENV_VARIABLE");
  });
});

describe("an image size that a package cannot give", () => {
  it("is an error with strictOptions, as any option that cannot be honoured", async () => {
    await using strict = await AutoModel.fromPretrained(await writePackage(), { strictOptions: true });
    const error: unknown = await strict.predict(blankPicture(64, 64), { imageSize: 128 }).catch((failure: unknown) => failure);
    expect(InferenceModelsError.is(error) && error.code).toBe("INVALID_OPTION");
    await using lenient = await AutoModel.fromPretrained(await writePackage());
    expect(await lenient.predict(blankPicture(64, 64), { imageSize: 128 })).toHaveLength(2);
  });
});
