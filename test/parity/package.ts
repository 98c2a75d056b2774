/** One fixture package, loaded through the public interface, and its cases. */
import { readFileSync } from "node:fs";
import { join } from "node:path";

import sharp from "sharp";

import {
  AutoModel,
  ModelImplementationNotFoundError,
  type AnyModel,
  type Classification,
  type DetectionOptions,
  type Geometry,
  type ImageInput,
  type ImageOptions,
  type InstanceDetections,
  type MultiLabelClassification,
  type Prepared,
  type SemanticSegmentation,
  type TaskType,
  type VisionModel,
  type KeyPointOptions,
  type SegmentationOptions,
} from "../../src/index.js";
import { NotCovered } from "../conformance/adapter.js";
import type { Verdict } from "../conformance/judge.js";
import { toLoadOptions, toOptions } from "./arguments.js";
import { compareKeyPoints, compareMasks } from "./compare-instances.js";
import { compareSegmentation } from "./compare-maps.js";
import { compareClassification, compareMultiLabel } from "./compare-labels.js";
import { compareDetections, compareGeometry, compareInput, scaled, tolerancesFor, type InputSettings, type Tolerances } from "./compare.js";
import type { ExpectedCase, ExpectedInstances, ExpectedPackage } from "./expected.js";

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

/** One result against its prediction; the first difference or null. */
type Compare = (index: number, tolerances: Tolerances) => string | null;

interface Predicted {
  readonly counts: readonly number[];
  readonly prepared: Prepared;
  readonly compare: Compare;
}

/** What is compared of a model whose results do not depend on options that only one of the two ways has. */
interface TwiceModel<Result> {
  readonly stages: VisionModel<TaskType, ImageOptions, Result>["stages"];
  predict(images: readonly ImageInput[], options?: ImageOptions): Promise<Result[]>;
}

/** The stages one by one, then the whole prediction: both have to answer alike. */
async function predictTwice<Result>(
  model: TwiceModel<Result>,
  pictures: readonly ImageInput[],
  options: ImageOptions,
  compare: (index: number, result: Result, tolerances: Tolerances) => string | null,
): Promise<Predicted> {
  const prepared = await model.stages.preprocess(pictures, options);
  const staged = await model.stages.postprocess(await model.stages.forward(prepared), prepared, options);
  const whole = await model.predict(pictures, options);
  return {
    counts: [staged.length, whole.length],
    prepared,
    compare: (index, tolerances) => compare(index, staged[index]!, tolerances) ?? compare(index, whole[index]!, tolerances),
  };
}

/** Where a crop starts in the picture's corner, the reference forgets it: its masks have the crop's size, and runs of that size. */
function compareMasksUnlessForgotten(
  expected: ExpectedInstances,
  actual: InstanceDetections,
  tolerances: Tolerances,
  { staticCropOffset: { offsetX, offsetY, cropWidth, cropHeight }, originalSize: { width, height } }: Geometry,
): string | null {
  if (offsetX === 0 && offsetY === 0 && (cropWidth !== width || cropHeight !== height))
    throw new NotCovered("masks of a crop that starts in the corner do not have the picture's size in the reference");
  return compareMasks(expected, actual, tolerances);
}

/** Results of a whole prediction, and of the stages one by one, ready to be compared picture by picture. */
async function predictBoth(
  model: AnyModel,
  pictures: readonly ImageInput[],
  options: SegmentationOptions & KeyPointOptions,
  test: ExpectedCase<never>,
): Promise<Predicted> {
  const margin = test.threshold_margin ?? null;
  switch (model.task) {
    case "object-detection": {
      const prepared = await model.stages.preprocess(pictures, options);
      const exact = await model.stages.postprocess(await model.stages.forward(prepared), prepared, { ...options, rounding: "none" });
      const rounded = await model.predict(pictures, options);
      const compare: Compare = (index, tolerances) =>
        compareDetections(test.predictions[index]!, exact[index]!, rounded[index]!, tolerances, margin);
      return { counts: [exact.length, rounded.length], prepared, compare };
    }
    case "classification":
      return await predictTwice<Classification>(model, pictures, options, (index, result, { confidence }) =>
        compareClassification(test.predictions[index]!, result, confidence),
      );
    case "multi-label-classification":
      return await predictTwice<MultiLabelClassification>(model, pictures, options, (index, result, { confidence }) =>
        compareMultiLabel(test.predictions[index]!, result, confidence, margin),
      );
    case "semantic-segmentation":
      return await predictTwice<SemanticSegmentation>(model, pictures, options, (index, result, { confidence }) =>
        compareSegmentation(test.predictions[index]!, result, confidence),
      );
    case "instance-segmentation": {
      const prepared = await model.stages.preprocess(pictures, options);
      const exact = await model.stages.postprocess(await model.stages.forward(prepared), prepared, { ...options, rounding: "none" });
      const rounded = await model.predict(pictures, options);
      const compare: Compare = (index, tolerances) =>
        compareDetections(test.predictions[index]!, exact[index]!, rounded[index]!, tolerances, margin) ??
        compareMasksUnlessForgotten(test.predictions[index]!, rounded[index]!, tolerances, prepared.geometry[index]!);
      return { counts: [exact.length, rounded.length], prepared, compare };
    }
    case "keypoint-detection": {
      const prepared = await model.stages.preprocess(pictures, options);
      const exact = await model.stages.postprocess(await model.stages.forward(prepared), prepared, { ...options, rounding: "none" });
      const rounded = await model.predict(pictures, options);
      const compare: Compare = (index, tolerances) =>
        compareDetections(test.predictions[index]!, exact[index]!.detections, rounded[index]!.detections, tolerances, margin) ??
        compareKeyPoints(test.predictions[index]!, exact[index]!, rounded[index]!, tolerances);
      return { counts: [exact.length, rounded.length], prepared, compare };
    }
    default:
      throw new NotCovered(`predictions of ${model.task} are not compared`);
  }
}

function classNamesOf(model: AnyModel): readonly string[] {
  return "classNames" in model ? model.classNames : [];
}

/** Models are loaded on first use, one for each set of load arguments, and live until the package is disposed of. */
export function openPackage(directory: string, name: string, expected: ExpectedPackage, executor: Executor): OpenedPackage {
  const folder = join(directory, "packages", name);
  const models = new Map<string, Promise<AnyModel>>();

  const modelFor = async (init: ExpectedCase["init"]): Promise<AnyModel> => {
    const key = JSON.stringify(init);
    const model = models.get(key) ?? load(folder, executor, init);
    models.set(key, model);
    return model;
  };

  /** The stages one by one, without rounding, and the whole prediction with it; the first difference or null. */
  const check = async (test: ExpectedCase): Promise<string | null> => {
    const stage = expected.stages.find(({ id }) => id === test.stage);
    if (stage === undefined) throw new Error(`stage ${test.stage} is missing`);
    const options = toOptions(test.kwargs);
    const model = await modelFor(test.init);
    const names = classNamesOf(model).join();
    if (names !== expected.class_names.join()) return `class names ${expected.class_names.join()} expected, got ${names}`;
    const pictures = await Promise.all(test.images.map((image) => picture(directory, image, test.input.colour)));
    const settings = JSON.parse(readFileSync(join(folder, "inference_config.json"), "utf8")) as InputSettings;
    const tolerances = tolerancesFor(settings, options.preprocessing?.contrast === false);

    const { counts, prepared, compare } = await predictBoth(model, pictures, options, test as unknown as ExpectedCase<never>);
    const difference =
      compareInput(stage.pre_process, joinBatches(prepared), tolerances) ??
      (stage.pre_process_metadata === undefined ? null : compareGeometry(stage.pre_process_metadata, prepared.geometry));
    if (difference !== null) return difference;
    if (counts.some((count) => count !== test.predictions.length))
      return `${test.predictions.length} results expected, got ${counts.join(" and ")}`;
    for (const index of test.predictions.keys()) {
      const found = compare(index, scaled(tolerances, prepared.geometry[index]!));
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
