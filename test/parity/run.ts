/**
 * Loads real packages through the public interface and compares with what the reference answered.
 *
 *     npm run -s parity -- --dir DIR [--filter TEXT] [--all]
 *
 * DIR holds packages/, images/ and expected/. Every case runs with the fastest executors of this machine and with the
 * reference ones. Ends with `N passed, N failed`; exit code 1 when something failed or nothing ran.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";

import sharp from "sharp";

import {
  AutoModel,
  ModelImplementationNotFoundError,
  type DetectionOptions,
  type ImageInput,
  type ObjectDetectionModel,
} from "../../src/index.js";
import { setLogger } from "../../src/logger.js";
import { compareGeometry, compareInput, comparePredictions, CONTRAST, EXACT, scaled, type Tolerances } from "./compare.js";
import type { ExpectedCase, ExpectedPackage, ExpectedStage } from "./expected.js";

const EXECUTORS = ["auto", "reference"] as const;

class NotCovered extends Error {}

/** The reference took files through OpenCV; cases that gave it RGB arrays get raw pixels here. */
async function picture(directory: string, name: string, colour: "bgr" | "rgb"): Promise<ImageInput> {
  const path = join(directory, "images", name);
  if (colour === "bgr") return path;
  const { data, info } = await sharp(path).removeAlpha().toColourspace("srgb").raw().toBuffer({ resolveWithObject: true });
  return { data, width: info.width, height: info.height, channels: info.channels as 3, colorFormat: "rgb" };
}

/** Arguments of the reference's call as options of ours. */
function toOptions(kwargs: Readonly<Record<string, unknown>>): DetectionOptions {
  const options: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(kwargs)) {
    switch (name) {
      case "confidence":
        if (typeof value !== "number" && value !== "best" && value !== "default")
          throw new NotCovered(`confidence ${JSON.stringify(value)} is refused here`);
        options["confidence"] = value;
        break;
      case "iou_threshold":
        options["iouThreshold"] = value;
        break;
      case "max_detections":
        options["maxDetections"] = value;
        break;
      case "class_agnostic_nms":
        options["classAgnosticNms"] = value;
        break;
      case "image_size":
        options["imageSize"] = value;
        break;
      case "input_color_format":
        break; // part of the picture here
      case "pre_processing_overrides": {
        const overrides = value as Readonly<Record<string, boolean>>;
        options["preprocessing"] = {
          staticCrop: overrides["disable_static_crop"] !== true,
          grayscale: overrides["disable_grayscale"] !== true,
          contrast: overrides["disable_contrast_enhancement"] !== true,
        };
        break;
      }
      default:
        throw new NotCovered(`the argument ${name} has no counterpart`);
    }
  }
  return options;
}

async function load(
  directory: string,
  expected: ExpectedPackage,
  executor: (typeof EXECUTORS)[number],
  init: ExpectedCase["init"],
): Promise<ObjectDetectionModel> {
  const { recommended_parameters: recommended, ...rest } = init;
  const unknown = Object.keys(rest);
  if (unknown.length > 0) throw new NotCovered(`the load argument ${unknown[0]} has no counterpart`);
  const model = await AutoModel.fromPretrained(join(directory, "packages", expected.package), {
    executor,
    ...(recommended === undefined
      ? {}
      : { recommendedParameters: { confidence: recommended.confidence, perClassConfidence: recommended.per_class_confidence } }),
  }).catch((error: unknown) => {
    throw error instanceof ModelImplementationNotFoundError
      ? new NotCovered(`${expected.task_type} of this architecture is not offered`)
      : error;
  });
  if (model.task !== "object-detection") {
    await model.close();
    throw new NotCovered(`${model.task} is not compared here`);
  }
  return model;
}

async function checkStage(
  model: ObjectDetectionModel,
  directory: string,
  stage: ExpectedStage,
  options: DetectionOptions,
  tolerances: Tolerances,
): Promise<string | null> {
  const pictures = await Promise.all(stage.images.map((name) => picture(directory, name, stage.colour)));
  const { tensors, geometry } = await model.stages.preprocess(pictures, options);
  const [first] = tensors;
  if (first === undefined) return "no network input";
  // A batch that the network takes in parts is one array in the fixtures.
  const all = new Float32Array(tensors.reduce((sum, { data }) => sum + data.length, 0));
  let filled = 0;
  for (const { data } of tensors) {
    all.set(data as Float32Array, filled);
    filled += data.length;
  }
  const elements = first.dims.slice(1).reduce((product, dim) => product * dim, 1);
  const data = all.subarray(0, stage.images.length * elements);
  return (
    compareInput(stage.pre_process, { data, dims: [stage.images.length, ...first.dims.slice(1)] }, tolerances) ??
    compareGeometry(stage.pre_process_metadata, geometry)
  );
}

async function checkCase(
  directory: string,
  expected: ExpectedPackage,
  test: ExpectedCase,
  executor: (typeof EXECUTORS)[number],
): Promise<string | null> {
  const options = toOptions(test.kwargs);
  await using model = await load(directory, expected, executor, test.init);
  if (model.classNames.join() !== expected.class_names.join()) return `class names are ${model.classNames.join()}`;
  const exactInput = !readFileSync(join(directory, "packages", expected.package, "inference_config.json"), "utf8").includes(
    "Adaptive Equalization",
  );
  const tolerances = exactInput ? EXACT : CONTRAST;
  const stage = expected.stages.find(({ id }) => id === test.stage);
  if (stage === undefined) throw new Error(`stage ${test.stage} is missing`);
  const difference = await checkStage(model, directory, stage, options, tolerances);
  if (difference !== null) return difference;
  const pictures = await Promise.all(test.images.map((name) => picture(directory, name, test.input.colour)));
  const { geometry } = await model.stages.preprocess(pictures, options);
  const exact = await model.predict(pictures, { ...options, rounding: "none" });
  const rounded = await model.predict(pictures, options);
  return comparePredictions(
    test,
    exact,
    rounded,
    geometry.map((one) => scaled(tolerances, one)),
  );
}

async function main(): Promise<number> {
  const { values } = parseArgs({ options: { dir: { type: "string" }, filter: { type: "string" }, all: { type: "boolean" } } });
  if (values.dir === undefined) {
    process.stderr.write("parity: name the folder of the fixtures: --dir DIR\n");
    return 2;
  }
  const directory = values.dir;
  const ignore = (): void => undefined;
  setLogger({ debug: ignore, info: ignore, warn: ignore, error: ignore });
  let passed = 0;
  let failed = 0;
  process.stdout.write("package [executors]  passed  failed  not-covered\n");
  const names = readdirSync(join(directory, "expected")).filter((name) => name.endsWith(".json"));
  for (const name of names.sort()) {
    const expected = JSON.parse(readFileSync(join(directory, "expected", name), "utf8")) as ExpectedPackage;
    if (!existsSync(join(directory, "packages", name.replace(/\.json$/, "")))) continue;
    if (values.filter !== undefined && !name.includes(values.filter)) continue;
    for (const executor of EXECUTORS) {
      const counts = { passed: 0, failed: 0, notCovered: 0 };
      const lines: string[] = [];
      for (const test of expected.cases) {
        try {
          const difference = await checkCase(directory, expected, test, executor);
          if (difference === null) counts.passed++;
          else {
            counts.failed++;
            lines.push(`${test.id}: ${difference}`);
          }
        } catch (error) {
          if (error instanceof NotCovered) counts.notCovered++;
          else {
            counts.failed++;
            lines.push(`${test.id}: ${error instanceof Error ? `${error.name}: ${error.message}` : String(error)}`);
          }
        }
      }
      process.stdout.write(`${expected.package} [${executor}]  ${counts.passed}  ${counts.failed}  ${counts.notCovered}\n`);
      for (const line of values.all === true ? lines : lines.slice(0, 5)) process.stdout.write(`    ${line}\n`);
      passed += counts.passed;
      failed += counts.failed;
    }
  }
  process.stdout.write(`${passed} passed, ${failed} failed\n`);
  return failed > 0 || passed === 0 ? 1 : 0;
}

process.exitCode = await main();
