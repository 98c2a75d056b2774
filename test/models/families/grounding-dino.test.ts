import { describe, expect, it } from "vitest";

import {
  AutoModel,
  CorruptedModelPackageError,
  InvalidOptionError,
  ModelInputError,
  type Detections,
  type OpenVocabularyDetectionModel,
} from "../../../src/index.js";
import { captionOf } from "../../../src/models/families/caption.js";
import { bertTokenizerOfLines } from "../../../src/text/index.js";
import { dinoNetwork, dinoPackage, readVocabulary } from "../../support/grounding-dino-package.js";
import { blankPicture } from "../../support/packages.js";

const load = async (...parts: Parameters<typeof dinoPackage>): Promise<OpenVocabularyDetectionModel> =>
  (await AutoModel.fromPretrained(await dinoPackage(...parts))) as OpenVocabularyDetectionModel;

const found = (detections: Detections) => Array.from(detections, ({ className, box: { x1, y1, x2, y2 } }) => [className, x1, y1, x2, y2]);
const sigmoid = (logit: number): number => 1 / (1 + Math.exp(-logit));
const classes = ["Zebra", "remote control", "a cat."];
const picture = blankPicture(100, 50);

describe("Grounding DINO", () => {
  it("finds what classes name, each box by its surest word", async () => {
    await using model = await load();
    const detections = await model.predict(picture, { classes });
    expect(found(detections)).toEqual([
      ["a cat.", 0, 0, 50, 50],
      ["remote control", 50, 0, 100, 50],
    ]);
    expect(detections.confidence[0]).toBeCloseTo(sigmoid(2), 6);
    expect(detections.data).toEqual([{ phrase: "cat" }, { phrase: "control" }]);
    expect(detections.xyxy).toBeInstanceOf(Int32Array);
  });

  it("has thresholds for boxes and for words", async () => {
    await using model = await load();
    expect((await model.predict(picture, { classes, confidence: 0.8 })).length).toBe(1);
    const { data } = await model.predict(picture, { classes, textConfidence: 0.8 });
    expect(data).toEqual([{ phrase: "cat" }, { phrase: "" }]);
    await expect(model.predict(picture, { classes, textConfidence: 2 })).rejects.toThrow(InvalidOptionError);
  });

  it("sees pictures in their own shape, limited by both sides", async () => {
    await using model = await load();
    const shapes = [blankPicture(100, 50), blankPicture(300, 50), blankPicture(20, 40), blankPicture(32, 40), blankPicture(1, 5000)];
    const prepared = await model.stages.preprocess(shapes, { classes });
    expect(prepared.tensors.map(({ dims }) => dims.slice(2))).toEqual([
      [32, 64],
      [11, 64],
      [64, 32],
      [40, 32],
      [5000, 1],
    ]);
    const all = await model.predict(shapes, { classes: ["cat"] });
    expect(all.map((one) => found(one)[0])).toEqual([
      ["cat", 0, 0, 50, 50],
      ["cat", 0, 0, 150, 50],
      ["cat", 0, 0, 10, 40],
      ["cat", 0, 0, 16, 40],
      ["cat", 0, 0, 0, 5000],
    ]);
  });

  it("tells a network of fixed sides where the picture ends", async () => {
    await using model = await load(dinoNetwork({ batch: 1, sides: [32, 32] }));
    // The picture fills half of the square, so the box has half of its height.
    expect(found(await model.predict(picture, { classes: ["cat"] }))).toEqual([["cat", 0, 12, 50, 38]]);
    await using unmasked = await load(dinoNetwork({ batch: 1, sides: [32, 32], withMask: false }));
    // Fractions of the square then, which reaches beyond the picture.
    expect(found(await unmasked.predict(picture, { classes: ["cat"] }))).toEqual([["cat", 0, 0, 50, 100]]);
  });

  it.each([
    ["tokens of 32 bits", dinoNetwork({ type: "int32" })],
    ["captions of fixed length", dinoNetwork({ length: 20 })],
  ])("takes %s", async (_name, weights) => {
    await using model = await load(weights);
    expect((await model.predict(picture, { classes })).length).toBe(2);
  });

  it("reads tokenizer.json where there is no vocab.txt", async () => {
    const vocab = Object.fromEntries(
      (await readVocabulary())
        .trimEnd()
        .split("\n")
        .map((token, id) => [token, id]),
    );
    const json = JSON.stringify({ model: { type: "WordPiece", vocab }, normalizer: { type: "BertNormalizer", lowercase: true } });
    await using model = await load(undefined, {}, { "vocab.txt": null, "tokenizer.json": json });
    expect((await model.predict(picture, { classes })).length).toBe(2);
  });

  it("refuses classes without words, and more of them than fit", async () => {
    await using model = await load(dinoNetwork({ length: 8 }));
    await expect(model.predict(picture, { classes: ["cat", " . "] })).rejects.toThrow(ModelInputError);
    await expect(model.predict(picture, { classes: ["cat", "a red cat", "zebra"] })).rejects.toThrow(/10 tokens; this model reads 8/);
    const endless = "x".repeat(99).concat(" ").repeat(20_000);
    await expect(model.predict(picture, { classes: ["cat", endless] })).rejects.toThrow(expect.objectContaining({ index: 1 }) as Error);
  });

  it.each([
    ["another batch", dinoNetwork({ batch: 2 }), {}],
    ["one fixed side", dinoNetwork({ sides: [32, "width"] }), {}],
    ["an output of another name", dinoNetwork({ logits: "scores" }), {}],
    ["an input that nobody knows", dinoNetwork({ another: "position_ids" }), {}],
    ["tokens that are no integers", dinoNetwork({ type: "float32" }), {}],
    ["a size of another kind", dinoNetwork(), { size: { height: 32, width: 32 } }],
    ["deviations of 0", dinoNetwork(), { image_std: [0, 1, 1] }],
  ])("refuses networks with %s", async (_name, weights, settings) => {
    await expect(load(weights, settings)).rejects.toThrow(CorruptedModelPackageError);
  });

  it("refuses packages without a vocabulary", async () => {
    await expect(load(undefined, {}, { "vocab.txt": null })).rejects.toThrow(/vocab\.txt/);
  });
});

it("a caption has a place for every word", async () => {
  const tokenizer = bertTokenizerOfLines({ path: "vocab.txt", text: await readVocabulary() });
  const { ids, places } = captionOf(["a cat...", "St. Zebra"], tokenizer, 256);
  expect(tokenizer.decode(ids)).toMatch(/^\[CLS\] a cat\. .*\. zebra\. \[SEP\]$/);
  expect(places[0]).toEqual([1, 2]);
  // The stop inside the class separates for the network, so it is nobody's word.
  expect(places[1]!.map((place) => ids[place])).not.toContain(tokenizer.encode(".")[0]);
  expect(places[1]!.at(-1)).toBe(ids.length - 3);
});
