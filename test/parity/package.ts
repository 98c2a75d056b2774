/** One fixture package, loaded through the public interface, and its cases. */
import { readFileSync } from "node:fs";
import { join } from "node:path";

import sharp from "sharp";

import {
  AutoModel,
  ModelImplementationNotFoundError,
  type AnyModel,
  type ImageInput,
  type ObjectDetectionModel,
  type Prepared,
} from "../../src/index.js";
import { NotCovered } from "../conformance/adapter.js";
import type { Verdict } from "../conformance/judge.js";
import { toLoadOptions, toOptions } from "./arguments.js";
import { compareDetections, compareGeometry, compareInput, scaled, tolerancesFor, type InputSettings } from "./compare.js";
import type { ExpectedCase, ExpectedPackage } from "./expected.js";

/** `auto` takes the addon where there is one. */
export type Executor = "auto" | "reference";

export interface OpenedPackage extends AsyncDisposable {
  judge(test: ExpectedCase): Promise<Verdict>;
}

/** The reference read files with OpenCV; what it was given as RGB arrays are raw pixels here. */
async function picture(directory: string, name: string, colour: "bgr" | "rgb"): Promise<ImageInput> {
  const path = join(directory, "images", name);
  if (colour === "bgr") return path;
  const { data, info } = await sharp(path).removeAlpha().toColourspace("srgb").raw().toBuffer({ resolveWithObject: true });
  return { data, width: info.width, height: info.height, channels: info.channels as 3, colorFormat: "rgb" };
}

/** One array of all pictures: a batch that the network takes in parts, the last part padded, is one in the fixtures. */
function joinBatches({ tensors, geometry }: Prepared): { readonly data: Float32Array; readonly dims: readonly number[] } {
  const [, ...dims] = tensors[0]?.dims ?? [];
  const elements = geometry.length * dims.reduce((product, dim) => product * dim, 1);
  const data = new Float32Array(elements);
  let filled = 0;
  for (const tensor of tensors) {
    const part = (tensor.data as Float32Array).subarray(0, elements - filled);
    data.set(part, filled);
    filled += part.length;
  }
  return { data, dims: [geometry.length, ...dims] };
}

async function load(folder: string, executor: Executor, init: ExpectedCase["init"]): Promise<AnyModel> {
  try {
    return await AutoModel.fromPretrained(folder, { executor, ...toLoadOptions(init) });
  } catch (error) {
    if (error instanceof ModelImplementationNotFoundError) throw new NotCovered("this architecture and task are not offered");
    throw error;
  }
}

function requireDetector(model: AnyModel): ObjectDetectionModel {
  if (model.task !== "object-detection") throw new NotCovered(`predictions of ${model.task} are not compared`);
  return model;
}

/** Models are loaded on first use, one for each set of load arguments, and live until the package is disposed of. */
export function openPackage(directory: string, name: string, expected: ExpectedPackage, executor: Executor): OpenedPackage {
  const folder = join(directory, "packages", name);
  const models = new Map<string, Promise<AnyModel>>();

  const modelFor = async (init: ExpectedCase["init"]): Promise<ObjectDetectionModel> => {
    const key = JSON.stringify(init);
    const model = models.get(key) ?? load(folder, executor, init);
    models.set(key, model);
    return requireDetector(await model);
  };

  /** The stages one by one, without rounding, and the whole prediction with it; the first difference or null. */
  const check = async (test: ExpectedCase): Promise<string | null> => {
    const stage = expected.stages.find(({ id }) => id === test.stage);
    if (stage === undefined) throw new Error(`stage ${test.stage} is missing`);
    const options = toOptions(test.kwargs);
    const model = await modelFor(test.init);
    if (model.classNames.join() !== expected.class_names.join())
      return `class names ${expected.class_names.join()} expected, got ${model.classNames.join()}`;
    const pictures = await Promise.all(test.images.map((image) => picture(directory, image, test.input.colour)));
    const settings = JSON.parse(readFileSync(join(folder, "inference_config.json"), "utf8")) as InputSettings;
    const tolerances = tolerancesFor(settings, options.preprocessing?.contrast === false);

    const prepared = await model.stages.preprocess(pictures, options);
    const difference =
      compareInput(stage.pre_process, joinBatches(prepared), tolerances) ?? compareGeometry(stage.pre_process_metadata, prepared.geometry);
    if (difference !== null) return difference;
    const exact = await model.stages.postprocess(await model.stages.forward(prepared), prepared, { ...options, rounding: "none" });
    const rounded = await model.predict(pictures, options);
    if (exact.length !== test.predictions.length || rounded.length !== test.predictions.length)
      return `${test.predictions.length} results expected, got ${exact.length} and ${rounded.length}`;

    for (const [index, prediction] of test.predictions.entries()) {
      const found = compareDetections(
        prediction,
        exact[index]!,
        rounded[index]!,
        scaled(tolerances, prepared.geometry[index]!),
        test.threshold_margin ?? null,
      );
      if (found !== null) return `picture ${index}: ${found}`;
    }
    return null;
  };

  return {
    async judge(test) {
      try {
        const difference = await check(test);
        return difference === null ? { kind: "passed" } : { kind: "failed", difference };
      } catch (error) {
        if (error instanceof NotCovered) return { kind: "not-covered", reason: error.message };
        return { kind: "failed", difference: error instanceof Error ? `unexpected ${error.name}: ${error.message}` : String(error) };
      }
    },
    async [Symbol.asyncDispose]() {
      for (const model of await Promise.allSettled(models.values())) if (model.status === "fulfilled") await model.value.close();
    },
  };
}
