import { describe, expect, it } from "vitest";

import {
  AutoModel,
  CorruptedModelPackageError,
  InvalidOptionError,
  ModelDisposedError,
  ModelInputError,
  ModelRuntimeError,
  type EmbeddingModel,
} from "../../../src/index.js";
import { clipPackage, textualTower, visualTower } from "../../support/clip-package.js";
import { blankPicture } from "../../support/packages.js";

async function load(towers: Parameters<typeof clipPackage>[0] = {}, options = {}): Promise<EmbeddingModel> {
  return (await AutoModel.fromPretrained(await clipPackage(towers), options)) as EmbeddingModel;
}

const MEAN = [0.48145466, 0.4578275, 0.40821073];
const STD = [0.26862954, 0.26130258, 0.27577711];
const normalized = (levels: readonly number[]): number[] =>
  levels.map((level, channel) => (level / 255 - (MEAN[channel] ?? 0)) / (STD[channel] ?? 1));

/** Red 10, green 20, blue 30. */
const coloured = (width: number, height: number, [red, green, blue]: readonly [number, number, number]) =>
  ({
    data: Uint8Array.from({ length: width * height * 3 }, (_, index) => [red, green, blue][index % 3] ?? 0),
    width,
    height,
    channels: 3,
    colorFormat: "rgb",
  }) as const;

const START = 49406;
const END = 49407;
const CAT = 2368;
const [A, PHOTO] = [320, 1125];

describe("embeddings of pictures", () => {
  it.each(["auto", "reference"] as const)("are what the network gives for the prepared picture, executor %s", async (executor) => {
    await using model = await load({}, { executor });
    const embeddings = await model.embedImages([coloured(30, 20, [10, 20, 30]), coloured(8, 8, [200, 0, 255])]);
    expect(embeddings).toMatchObject({ kind: "embeddings", length: 2, dimensions: 3 });
    normalized([10, 20, 30]).forEach((value, index) => expect(embeddings.at(0)?.[index]).toBeCloseTo(value, 5));
    normalized([200, 0, 255]).forEach((value, index) => expect(embeddings.at(-1)?.[index]).toBeCloseTo(value, 5));
  });

  it("see the middle of the picture", async () => {
    await using model = await load();
    const { data, ...rest } = coloured(24, 8, [0, 0, 0]);
    for (let y = 0; y < 8; y++) data.fill(255, (y * 24 + 8) * 3, (y * 24 + 16) * 3);
    const { vector } = await model.predict({ data, ...rest });
    normalized([255, 255, 255]).forEach((value, index) => expect(vector[index]).toBeCloseTo(value, 5));
  });

  it("come one by one from predict, with what served them", async () => {
    await using model = await load();
    const result = await model.predict(blankPicture(8, 8));
    expect(result).toMatchObject({ kind: "embedding", dimensions: 3, servedBy: { architecture: "clip" } });
    expect(result.timings?.totalMs).toBeGreaterThan(0);
    expect((await model.embedImages(blankPicture(8, 8))).values).toEqual(result.vector);
  });

  it("run 32 at a time, or as many as a fixed network takes", async () => {
    const pictures = Array.from({ length: 33 }, (_, index) => blankPicture(8, 8, index));
    await using model = await load();
    await using fixed = await load({ visual: visualTower(4) });
    const expected = await model.embedImages(pictures);
    expect(model.statistics().completed).toBe(2);
    expect((await fixed.embedImages(pictures)).values).toEqual(expected.values);
    expect(fixed.statistics().completed).toBe(9);
    expect(expected.at(32)).not.toEqual(expected.at(31));
  });

  it("are an empty matrix for an empty list", async () => {
    await using model = await load();
    expect(await model.embedImages([])).toMatchObject({ length: 0, dimensions: 3 });
    expect(await model.embedText([])).toMatchObject({ length: 0, dimensions: 3 });
  });
});

describe("embeddings of texts", () => {
  it.each(["int32", "int64"] as const)("are what the network gives for the tokens, as %s", async (type) => {
    await using model = await load({ textual: textualTower({ type }) });
    expect(Array.from((await model.embedText("Cat")).values)).toEqual([START, CAT, END]);
    const two = await model.embedText(["a photo", ""]);
    expect(Array.from(two.values)).toEqual([START, A, PHOTO, START, END, 0]);
  });

  it("run 32 at a time, or as many as a fixed network takes", async () => {
    const texts = Array.from({ length: 33 }, (_, index) => (index % 2 === 0 ? "cat" : "a photo"));
    await using model = await load();
    await using fixed = await load({ textual: textualTower({ batch: 5 }) });
    const expected = await model.embedText(texts);
    expect(expected.length).toBe(33);
    expect(Array.from(expected.at(32) ?? [])).toEqual([START, CAT, END]);
    expect(model.statistics().completed).toBe(2);
    expect((await fixed.embedText(texts)).values).toEqual(expected.values);
    expect(fixed.statistics().completed).toBe(7);
  });

  it("wait for places instead of filling the queue", async () => {
    await using model = await load({ textual: textualTower({ batch: 1 }) }, { queueLimit: 0 });
    expect((await model.embedText(Array.from({ length: 20 }, () => "cat"))).length).toBe(20);
  });

  it("are refused when they are too long, with the place in the list", async () => {
    await using model = await load();
    await expect(model.embedText(["cat", "cat ".repeat(76)])).rejects.toMatchObject({ code: "MODEL_INPUT", index: 1 });
    expect(model.statistics().completed).toBe(0);
    await expect(model.embedText(5 as unknown as string)).rejects.toThrow(ModelInputError);
  });

  it("need a network with an embedding for each", async () => {
    await using model = await load({ textual: textualTower({ pooled: true }) });
    expect((await model.embedText("cat")).length).toBe(1);
    await expect(model.embedText(["cat", "dog"])).rejects.toThrow(ModelRuntimeError);
  });

  it("know their options, signals and the end of the model", async () => {
    const model = await load();
    await expect(model.embedText("cat", { imageSize: 8 } as object)).rejects.toThrow(InvalidOptionError);
    const reason = new Error("enough");
    await expect(model.embedText("cat", { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    await model.close();
    await expect(model.embedText("cat")).rejects.toThrow(ModelDisposedError);
    await expect(model.embedImages(blankPicture(8, 8))).rejects.toThrow(ModelDisposedError);
  });
});

describe("comparing", () => {
  it("takes pictures, texts, and embeddings that exist", async () => {
    await using model = await load();
    const pictures = [coloured(8, 8, [255, 0, 0]), coloured(8, 8, [0, 255, 0])];
    const embeddings = await model.embedImages(pictures);
    const matrix = await model.compare({ images: pictures }, embeddings);
    expect([matrix.rows, matrix.columns]).toEqual([2, 2]);
    expect(matrix.at(0, 0)).toBeCloseTo(1, 6);
    expect(matrix.at(0, 1)).toBe(matrix.at(1, 0));
    expect(matrix.at(0, 1)).toBeLessThan(0.5);
    expect(await model.compare({ images: pictures }, { text: "cat" })).toMatchObject({ rows: 2, columns: 1 });
    await expect(model.compare({} as never, embeddings)).rejects.toThrow(/for x/);
    await expect(model.compare(embeddings, "cat" as never)).rejects.toThrow(/for y/);
  });

  it("warms up both networks", async () => {
    await using model = await load();
    await model.warmup();
    expect(model.statistics().completed).toBe(2);
  });
});

describe("packages of CLIP", () => {
  it.each([
    ["no visual network", { visual: null }],
    ["no textual network", { textual: null }],
    ["a visual network of any size", { visual: visualTower("batch", "side") }],
    ["towers of two spaces", { textual: textualTower({ dimensions: 4 }) }],
    ["a textual network of another kind of tokens", { textual: textualTower({ type: "float32" }) }],
    ["a visual network where texts are due", { textual: visualTower() }],
    ["a textual network that is none", { textual: Buffer.from("no network") }],
  ])("are refused with %s", async (_name, towers) => {
    await expect(load(towers)).rejects.toThrow(CorruptedModelPackageError);
  });
});
