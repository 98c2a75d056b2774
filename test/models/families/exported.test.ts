/**
 * Networks that the exporters of the published ones made (see test/fixtures/exported/PROVENANCE.md), against what the Python libraries find with
 * them: processor, network and post-processing. CLIP's and Depth Anything's libraries resize in two steps of whole gray levels, which moves pixels by one;
 * for the others tolerances are those of float32.
 */
import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";

import {
  AutoModel,
  type DepthEstimationModel,
  type EmbeddingModel,
  type InteractiveSegmentationModel,
  type OpenVocabularyDetectionModel,
  type SegmentationPrompt,
} from "../../../src/index.js";
import { edgeSize } from "../../../src/imaging/edge-plans.js";
import { expectedOf, exportedPackage, exportedPicture } from "../../support/exported-packages.js";

const executors = ["auto", "reference"] as const;

/** Root of the mean squared difference. */
function deviation(found: ArrayLike<number>, expected: readonly number[]): number {
  expect(found.length).toBe(expected.length);
  return Math.sqrt(expected.reduce((sum, value, index) => sum + (value - found[index]!) ** 2, 0) / expected.length);
}

interface Boxes {
  readonly threshold: number;
  readonly scores: readonly number[];
  readonly labels: readonly number[];
  readonly boxes: readonly (readonly number[])[];
}

/** Rows in the order of our results. */
const surestFirst = ({ scores }: Boxes): readonly number[] => [...scores.keys()].sort((a, b) => scores[b]! - scores[a]!);

describe.each(executors)("networks of the real exporters, executor %s", (executor) => {
  it("OWLv2 finds the boxes of Owlv2Processor", async () => {
    const expected = await expectedOf<Boxes & { readonly settings: object; readonly classes: string[] }>("owlv2");
    const folder = await exportedPackage(
      "owlv2",
      "open-vocabulary-object-detection",
      { "weights.onnx": "owlv2" },
      { "preprocessor_config.json": JSON.stringify(expected.settings) },
    );
    await using model = (await AutoModel.fromPretrained(folder, { executor })) as OpenVocabularyDetectionModel;
    const { classes, threshold: confidence } = expected;
    const found = await model.predict(await exportedPicture("landscape"), { classes, confidence, iouThreshold: 1, rounding: "none" });
    const order = surestFirst(expected);
    expect([...found.classId]).toEqual(order.map((row) => expected.labels[row]));
    order.forEach((row, index) => {
      expect(found.confidence[index]).toBeCloseTo(expected.scores[row]!, 4);
      expected.boxes[row]!.forEach((edge, k) => expect(found.xyxy[index * 4 + k]).toBeCloseTo(edge, 2));
    });
  });

  it("Grounding DINO finds the boxes of GroundingDinoProcessor", async () => {
    interface Case extends Boxes {
      readonly picture: string;
      readonly network: readonly [number, number];
      readonly phrases: readonly string[];
      readonly classScores: readonly (readonly number[])[];
    }
    const { settings, classes, cases } = await expectedOf<{ settings: object; classes: string[]; cases: readonly Case[] }>(
      "grounding-dino",
    );
    const vocabulary = await readFile(new URL("../../text/fixtures/bert-vocab.txt", import.meta.url), "utf8");
    const folder = await exportedPackage(
      "grounding-dino",
      "open-vocabulary-object-detection",
      { "weights.onnx": "grounding-dino" },
      { "preprocessor_config.json": JSON.stringify(settings), "vocab.txt": vocabulary },
    );
    await using model = (await AutoModel.fromPretrained(folder, { executor })) as OpenVocabularyDetectionModel;
    for (const expected of cases) {
      const picture = await exportedPicture(expected.picture);
      const prepared = await model.stages.preprocess([picture], { classes });
      expect(prepared.tensors[0]?.dims).toEqual([1, 3, ...expected.network]);
      const confidence = expected.threshold;
      const found = await model.predict(picture, { classes, confidence, iouThreshold: 1, rounding: "none" });
      const order = surestFirst(expected);
      expect(found.length).toBe(order.length);
      order.forEach((row, index) => {
        expect(found.confidence[index]).toBeCloseTo(expected.scores[row]!, 4);
        expect(found.classId[index]).toBe(expected.labels[row]);
        expect(found.data?.[index]).toEqual({ phrase: expected.phrases[row] });
        expected.boxes[row]!.forEach((edge, k) => expect(found.xyxy[index * 4 + k]).toBeCloseTo(edge, 2));
      });
    }
  });

  it("CLIP gives the embeddings of OpenAI's code", async () => {
    const expected = await expectedOf<{ texts: string[]; image: number[]; words: number[][]; cosines: number[] }>("clip");
    const folder = await exportedPackage("clip", "embedding", { "visual.onnx": "clip-visual", "textual.onnx": "clip-textual" });
    await using model = (await AutoModel.fromPretrained(folder, { executor })) as EmbeddingModel;
    const picture = await exportedPicture("landscape");
    const [images, words] = [await model.embedImages(picture), await model.embedText(expected.texts)];
    expect(deviation(images.values, expected.image)).toBeLessThan(0.01);
    expect(deviation(words.values, expected.words.flat())).toBeLessThan(1e-5);
    const similarity = await model.compare(images, words);
    expected.cosines.forEach((cosine, text) => expect(Math.abs((similarity.at(0, text) ?? Number.NaN) - cosine)).toBeLessThan(0.005));
  });

  it("Depth Anything V2 gives the maps of DPTImageProcessor", async () => {
    interface Case {
      readonly picture: string;
      readonly network: readonly [number, number];
      readonly size: readonly [number, number];
      readonly deviation: number;
      readonly mean: number;
      readonly rows: readonly (readonly number[])[];
    }
    const { cases } = await expectedOf<{ cases: readonly Case[] }>("depth-anything-v2");
    const config = {
      network_input: {
        training_input_size: { width: 70, height: 70 },
        dynamic_spatial_size_supported: true,
        dynamic_spatial_size_mode: { type: "pad-to-be-divisible", value: 14 },
        color_mode: "rgb",
        resize_mode: "stretch",
        input_channels: 3,
        scaling_factor: 255,
        normalization: [
          [0.485, 0.456, 0.406],
          [0.229, 0.224, 0.225],
        ],
      },
    };
    const folder = await exportedPackage(
      "depth-anything-v2",
      "depth-estimation",
      { "weights.onnx": "depth-anything-v2" },
      { "inference_config.json": JSON.stringify(config) },
    );
    await using model = (await AutoModel.fromPretrained(folder, { executor })) as DepthEstimationModel;
    for (const expected of cases) {
      const picture = await exportedPicture(expected.picture);
      const prepared = await model.stages.preprocess([picture]);
      expect(prepared.tensors[0]?.dims).toEqual([1, 3, ...expected.network]);
      const { values, width, height } = await model.predict(picture);
      expect([height, width]).toEqual(expected.size);
      const rows = [0, Math.trunc(height / 2), height - 1].flatMap((row) => [...values.subarray(row * width, (row + 1) * width)]);
      expect(deviation(rows, expected.rows.flat())).toBeLessThan(0.02 * expected.deviation);
      expect(Math.abs(values.reduce((sum, value) => sum + value, 0) / values.length - expected.mean)).toBeLessThan(
        0.01 * expected.deviation,
      );
    }
  });

  it.each(["sam", "sam2"] as const)("%s makes the masks of its predictor", async (architecture) => {
    interface Case {
      readonly picture: string;
      readonly prompt: { points?: [number, number][]; labels?: (0 | 1)[]; box?: [number, number, number, number]; refines?: number };
      readonly multimask: boolean;
      readonly scores: readonly number[];
      /** Pixels whose logit is less than a thousandth of the largest from the threshold. */
      readonly undecided: readonly number[];
      /** Pixels of each row that are inside. */
      readonly rows: readonly (readonly number[])[];
      readonly low: readonly { readonly mean: number; readonly deviation: number; readonly first: readonly number[] }[];
    }
    const { cases } = await expectedOf<{ cases: readonly Case[] }>(architecture);
    const folder = await exportedPackage(architecture, "interactive-instance-segmentation", {
      "encoder.onnx": `${architecture}-encoder`,
      "decoder.onnx": `${architecture}-decoder`,
    });
    await using model = (await AutoModel.fromPretrained(folder, { executor })) as InteractiveSegmentationModel;
    for (const expected of cases) {
      const picture = await exportedPicture(expected.picture);
      const { refines, ...prompt } = expected.prompt;
      const multimaskOutput = expected.multimask;
      let mask: SegmentationPrompt["mask"];
      if (refines !== undefined) mask = (await model.predict(picture, { prompts: prompt, multimaskOutput })).best()?.logits;
      const found = await model.predict(picture, { prompts: { ...prompt, ...(mask === undefined ? {} : { mask }) }, multimaskOutput });
      expect(deviation(found.scores, expected.scores)).toBeLessThan(1e-4);
      for (const [index, one] of Array.from(found).entries()) {
        const { low, rows, undecided } = expected;
        const dense = one.mask.toDense();
        const counts = rows[index]!.map((_, row) =>
          dense.subarray(row * picture.width, (row + 1) * picture.width).reduce((sum, inside) => sum + Number(inside !== 0), 0),
        );
        expect(one.mask.area).toBe(counts.reduce((sum, count) => sum + count, 0));
        // Of pixels next to the threshold one in ten may fall on the other side.
        const moved = counts.reduce((sum, count, row) => sum + Math.abs(count - rows[index]![row]!), 0);
        expect(moved).toBeLessThanOrEqual(undecided[index]! / 10);
        expect(deviation(one.logits.data.subarray(0, 8), low[index]!.first)).toBeLessThan(1e-3 * low[index]!.deviation);
      }
    }
  });
});

it("Grounding DINO's pictures get the sizes of GroundingDinoImageProcessor", async () => {
  const { sizes } = await expectedOf<{ sizes: readonly (readonly [number, number, number, number])[] }>("grounding-dino");
  expect(sizes.length).toBeGreaterThan(250);
  const found = sizes.map(([width, height]) => {
    const size = edgeSize({ width, height }, 800, 1333);
    return [width, height, size.width, size.height];
  });
  expect(found).toEqual(sizes);
});
