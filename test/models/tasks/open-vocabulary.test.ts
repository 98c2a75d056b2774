import { describe, expect, it } from "vitest";

import {
  AutoModel,
  CorruptedModelPackageError,
  InvalidOptionError,
  ModelInputError,
  ModelRuntimeError,
  type Detections,
  type OpenVocabularyDetectionModel,
} from "../../../src/index.js";
import { owlNetwork, owlPackage } from "../../support/owlv2-package.js";
import { blankPicture } from "../../support/packages.js";

async function load(weights?: Uint8Array, settings?: object, options = {}): Promise<OpenVocabularyDetectionModel> {
  return (await AutoModel.fromPretrained(await owlPackage(weights, settings), options)) as OpenVocabularyDetectionModel;
}

const picture = blankPicture(200, 100);
const found = (detections: Detections) => Array.from(detections, ({ className, box: { x1, y1, x2, y2 } }) => [className, x1, y1, x2, y2]);
const sigmoid = (logit: number): number => 1 / (1 + Math.exp(-logit));

describe("open-vocabulary detection", () => {
  it.each(["auto", "reference"] as const)("finds what it is told, executor %s", async (executor) => {
    await using model = await load(undefined, undefined, { executor });
    const detections = await model.predict(picture, { classes: ["dog", "cat"] });
    // Of the square of 200 that the picture became; the second cat overlaps the first, the faint dog is not sure enough.
    expect(found(detections)).toEqual([
      ["cat", 25, 25, 75, 75],
      ["dog", 25, 28, 75, 78],
    ]);
    expect(Array.from(detections.classId)).toEqual([1, 0]);
    expect(detections.confidence[0]).toBeCloseTo(sigmoid(6), 6);
    expect(detections.classNames).toEqual(["dog", "cat"]);
    expect(detections.xyxy).toBeInstanceOf(Int32Array);
  });

  it("finds nothing of what is not there", async () => {
    await using model = await load();
    expect(await model.predict(picture, { classes: ["bird"] })).toMatchObject({ length: 0, classNames: ["bird"] });
  });

  it("answers pictures of a list each with classes of its call", async () => {
    await using model = await load();
    const [cats, dogs] = await Promise.all([
      model.predict([picture, blankPicture(50, 100)], { classes: ["cat"] }),
      model.predict([picture], { classes: ["dog"] }),
    ]);
    expect(cats.map((one) => found(one))).toEqual([[["cat", 25, 25, 75, 75]], [["cat", 12, 12, 37, 37]]]);
    expect(dogs.map((one) => found(one))).toEqual([[["dog", 25, 28, 75, 78]]]);
  });

  it("honours thresholds, suppression and limits", async () => {
    await using model = await load();
    const classes = ["cat", "dog"];
    // 0.5 is not above 0.5; just below it the faint dog appears, which reaches beyond the picture and the square.
    expect((await model.predict(picture, { classes, confidence: 0.5 })).length).toBe(2);
    const faint = await model.predict(picture, { classes, confidence: 0.49 });
    expect(found(faint).at(-1)).toEqual(["dog", 125, 125, 175, 225]);
    expect(found(await model.predict(picture, { classes, classAgnosticNms: true }))).toEqual([["cat", 25, 25, 75, 75]]);
    expect((await model.predict(picture, { classes, iouThreshold: 1 })).length).toBe(3);
    expect((await model.predict(picture, { classes, maxDetections: 1 })).length).toBe(1);
    expect((await model.predict(picture, { classes, confidence: 0.997 })).length).toBe(1);
  });

  it("truncates boxes, unless they are wanted as they are", async () => {
    await using model = await load();
    const small = blankPicture(33, 20);
    expect(found(await model.predict(small, { classes: ["cat"] }))).toEqual([["cat", 4, 4, 12, 12]]);
    const { xyxy } = await model.predict(small, { classes: ["cat"], rounding: "none" });
    [4.125, 4.125, 12.375, 12.375].forEach((edge, index) => expect(xyxy[index]).toBeCloseTo(edge, 6));
  });

  it("uses recommended thresholds of the classes asked for", async () => {
    const recommendedParameters = { confidence: 0.9, perClassConfidence: { cat: 0.999 } };
    await using model = await load(undefined, undefined, { recommendedParameters });
    expect(found(await model.predict(picture, { classes: ["cat", "dog"], confidence: "best" })).map(([name]) => name)).toEqual(["dog"]);
  });

  it("wants to know what to look for", async () => {
    await using model = await load();
    for (const options of [undefined, {}, { classes: [] }, { classes: "cat" }, { classes: [1] }]) {
      await expect(model.predict(picture, options as never)).rejects.toThrow(InvalidOptionError);
    }
    const wordy = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen";
    await expect(model.predict(picture, { classes: ["cat", wordy] })).rejects.toThrow(/16/);
  });

  it("does not mind what becomes of the list meanwhile", async () => {
    await using model = await load();
    const classes = ["dog", "cat"];
    const prediction = model.predict(picture, { classes });
    classes.length = 0;
    expect(found(await prediction)).toHaveLength(2);
  });

  it("goes through its stages one by one", async () => {
    await using model = await load();
    const options = { classes: ["cat"] };
    const prepared = await model.stages.preprocess([picture], options);
    expect(prepared.tensors[0]?.dims).toEqual([1, 3, 16, 16]);
    const [result] = await model.stages.postprocess(await model.stages.forward(prepared, options), prepared, options);
    expect(found(result as Detections)).toEqual([["cat", 25, 25, 75, 75]]);
    await model.warmup();
    expect(model.statistics().completed).toBe(2);
  });
});

describe("networks of OWLv2", () => {
  it.each([
    ["tokens of 32 bits", { type: "int32" as const }],
    ["no mask", { withMask: false }],
    ["a fixed length", { length: 16 }],
    ["a fixed batch", { batch: 1 }],
    ["three places for classes", { classes: 3, withMask: false }],
  ])("may have %s", async (_name, ports) => {
    await using model = await load(owlNetwork(ports));
    expect(found(await model.predict([picture, picture], { classes: ["dog", "cat"] }).then(([, second]) => second as Detections))).toEqual([
      ["cat", 25, 25, 75, 75],
      ["dog", 25, 28, 75, 78],
    ]);
  });

  it("have to return a box for every cell", async () => {
    await using model = await load(owlNetwork({ boxes: 3 }));
    await expect(model.predict(picture, { classes: ["cat"] })).rejects.toThrow(ModelRuntimeError);
  });

  it("cannot look for more classes than they were exported for", async () => {
    await using model = await load(owlNetwork({ classes: 2 }));
    await expect(model.predict(picture, { classes: ["a", "b", "c"] })).rejects.toThrow(ModelInputError);
  });

  it.each([
    ["another batch", owlNetwork({ batch: 2 }), {}],
    ["an output of another name", owlNetwork({ logits: "scores" }), {}],
    ["tokens that are no integers", owlNetwork({ type: "float32" }), {}],
    ["no size", owlNetwork(), { size: { shortest_edge: 16 } }],
    ["a size that is not square", owlNetwork(), { size: { height: 16, width: 17 } }],
    ["a size beyond reason", owlNetwork(), { size: { height: 1_000_000, width: 1_000_000 } }],
    ["a size of nothing", owlNetwork(), { size: { height: 0, width: 0 } }],
    ["deviations of 0", owlNetwork(), { image_std: [0, 1, 1] }],
  ])("are refused with %s", async (_name, weights, settings) => {
    await expect(load(weights, settings)).rejects.toThrow(CorruptedModelPackageError);
  });
});
