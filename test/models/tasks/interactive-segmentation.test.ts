import { describe, expect, it } from "vitest";

import {
  AutoModel,
  CorruptedModelPackageError,
  EmbeddingCache,
  fromTransferable,
  InvalidOptionError,
  MaskCache,
  ModelInputError,
  toTransferable,
} from "../../../src/index.js";
import type { InteractiveSegmentationModel, RawPixels, SegmentationPrompt } from "../../../src/index.js";
import { annotate } from "../../../src/results/drawing/index.js";
import { MASK_SIDE, samPackage } from "../../support/sam-package.js";

/** White on the left, black on the right. */
function halves(width: number, height: number): RawPixels {
  const data = Uint8Array.from({ length: width * height }, (_, index) => (index % width < width / 2 ? 255 : 0));
  return { data, width, height, channels: 1, colorFormat: "rgb" };
}

const load = async (architecture: "sam" | "sam2", executor: "auto" | "reference" = "auto") =>
  (await AutoModel.fromPretrained(await samPackage(architecture), { executor })) as InteractiveSegmentationModel;

const click: SegmentationPrompt = { points: [[32, 96]], labels: [1] };

describe.each(["auto", "reference"] as const)("segmentation by prompts, executor %s", (executor) => {
  it.each(["sam", "sam2"] as const)("of %s gives three masks of the picture, or one", async (architecture) => {
    await using model = await load(architecture, executor);
    const result = await model.predict(halves(128, 128), { prompts: click });
    expect(result).toMatchObject({ kind: "prompted-masks", prompts: 1, masksPerPrompt: 3, logitsWidth: MASK_SIDE });
    const [left, right] = result;
    expect([left?.mask.area, right?.mask.area]).toEqual([64 * 128, 64 * 128]);
    expect(left?.mask.bounds).toEqual({ left: 0, top: 0, right: 64, bottom: 128 });
    expect(right?.mask.bounds).toEqual({ left: 64, top: 0, right: 128, bottom: 128 });
    const one = await model.predict(halves(128, 128), { prompts: click, multimaskOutput: false, maskFormat: "dense" });
    expect([one.length, one.masks.format]).toEqual([1, "dense"]);
    expect(one.timings?.totalMs).toBeGreaterThan(0);
  });
});

describe("prompts", () => {
  it("of SAM lie in the picture's corner of the network, boxes last, a point of no meaning where there is no box", async () => {
    await using model = await load("sam");
    const { scores } = await model.predict(halves(128, 64), { prompts: [click, { box: [0, 0, 128, 64] }, {}] });
    // Scores are the means of x and y over points, and whether there is a mask.
    expect([...scores]).toEqual([8, 24, 0, 32, 16, 0, 0, 0, 0]);
  });

  it("of SAM 2 are stretched with the picture", async () => {
    await using model = await load("sam2");
    const { scores } = await model.predict(halves(128, 64), {
      prompts: [{ points: [[32, 48]], labels: [0] }, { box: [0, 0, 128, 64] }, {}],
    });
    expect([...scores]).toEqual([16, 48, 0, 32, 32, 0, 0, 0, 0]);
  });

  it("refine earlier masks", async () => {
    await using model = await load("sam2");
    const data = new Float32Array(MASK_SIDE * MASK_SIDE).fill(100);
    const prompts = { ...click, mask: { data, width: MASK_SIDE, height: MASK_SIDE } };
    const result = await model.predict(halves(128, 128), { prompts });
    expect(result.at(0)?.mask.area).toBe(128 * 128);
    expect(Math.max(...result.logits)).toBe(32);
    expect(result.scores[2]).toBe(1);
  });

  it.each<[string, unknown]>([
    ["points without labels", { points: [[1, 2]] }],
    ["labels without points", { labels: [1] }],
    [
      "more points than labels",
      {
        points: [
          [1, 2],
          [3, 4],
        ],
        labels: [1],
      },
    ],
    ["labels of another kind", { points: [[1, 2]], labels: [2] }],
    ["a box of three numbers", { box: [1, 2, 3] }],
    ["a mask of another size", { mask: { data: new Float32Array(4), width: 2, height: 2 } }],
    ["names that are unknown", { boxes: [] }],
  ])("refuse %s", async (_, prompts) => {
    await using model = await load("sam");
    await expect(model.predict(halves(8, 8), { prompts: prompts as SegmentationPrompt })).rejects.toThrow(ModelInputError);
  });
});

describe("embeddings", () => {
  it.each(["sam", "sam2"] as const)("of %s give the same masks as their pictures", async (architecture) => {
    await using model = await load(architecture);
    const pictures = [halves(128, 128), halves(60, 90)];
    const embeddings = await model.embedImages(pictures);
    const prompts = [[click], [{ box: [0, 0, 30, 90] }]] as const;
    const [fromPictures, fromEmbeddings] = [
      await model.segmentImages({ images: pictures, prompts }),
      await model.segmentImages({ embeddings, prompts }),
    ];
    expect(fromEmbeddings.map(({ scores, masks }) => [scores, masks])).toEqual(fromPictures.map(({ scores, masks }) => [scores, masks]));
  });

  it("are kept by pixels and shape, the oldest going first", async () => {
    await using model = await load("sam");
    const cache = new EmbeddingCache({ limit: 2 });
    const runs = (): number => model.statistics().completed;
    await model.embedImages([halves(8, 4), halves(8, 4)].slice(0, 1), { cache });
    const before = runs();
    await model.embedImages(halves(8, 4), { cache });
    expect([cache.size, runs()]).toEqual([1, before]);
    for (const picture of [halves(4, 8), halves(6, 6)]) await model.embedImages(picture, { cache });
    expect(cache.size).toBe(2);
    await model.embedImages(halves(8, 4), { cache });
    expect(runs()).toBe(before + 3);
    expect(() => new EmbeddingCache({ limit: 0 })).toThrow(/limit/);
  });

  it("of another model are refused, and so are lists of prompts for other pictures", async () => {
    await using model = await load("sam");
    await using other = await load("sam2");
    const embeddings = await other.embedImages(halves(8, 8));
    await expect(model.segmentImages({ embeddings })).rejects.toThrow(ModelInputError);
    await expect(model.segmentImages({ images: halves(8, 8), prompts: [[click], [click]] })).rejects.toThrow(/2 lists of prompts for 1/);
    await expect(model.segmentImages({} as never)).rejects.toThrow(ModelInputError);
  });
});

describe("masks of earlier prompts", () => {
  const more: SegmentationPrompt = { points: [[32, 96], [64, 64]], labels: [1, 1] }; // prettier-ignore
  const most: SegmentationPrompt = { ...more, box: [0, 0, 100, 100] };
  const other: SegmentationPrompt = { points: [[1, 1], [64, 64]], labels: [1, 1] }; // prettier-ignore

  /** Whether each prompt started from a mask, which is what third scores say. */
  async function refined(prompts: readonly SegmentationPrompt[], maskCache: MaskCache, architecture: "sam" | "sam2" = "sam2") {
    await using model = await load(architecture);
    const [embedding] = await model.embedImages(halves(128, 128));
    const results = [];
    for (const prompt of prompts) {
      const [result] = await model.segmentImages({ embeddings: embedding!, prompts: prompt, maskCache });
      results.push(result?.scores[2]);
    }
    return results;
  }

  it.each(["sam", "sam2"] as const)("of %s are refined by prompts that say more", async (architecture) => {
    const cache = new MaskCache({ limit: 4 });
    expect(await refined([{}, click, click, more, most, other], cache, architecture)).toEqual([0, 0, 0, 1, 1, 0]);
  });

  it("count in one call, and give the same as masks that are handed in", async () => {
    await using model = await load("sam2");
    const [embedding] = await model.embedImages(halves(128, 128));
    const maskCache = new MaskCache({ limit: 4 });
    const [both] = await model.segmentImages({ embeddings: embedding!, prompts: [click, more], maskCache });
    const [first] = await model.segmentImages({ embeddings: embedding!, prompts: click });
    const [second] = await model.segmentImages({ embeddings: embedding!, prompts: { ...more, mask: first!.best()!.logits } });
    expect([...both!.logits.subarray(both!.logits.length / 2)]).toEqual([...second!.logits]);
  });

  it("are of their picture alone", async () => {
    await using model = await load("sam2");
    const [cache, maskCache] = [new EmbeddingCache({ limit: 2 }), new MaskCache({ limit: 4 })];
    const ask = async (picture: RawPixels, prompts: SegmentationPrompt) =>
      (await model.predict(picture, { prompts, cache, maskCache })).scores[2];
    expect(await ask(halves(128, 128), click)).toBe(0);
    expect(await ask(halves(64, 64), more)).toBe(0);
    expect(await ask(halves(128, 128), more)).toBe(1);
    maskCache.clear();
    expect(await ask(halves(128, 128), more)).toBe(0);
  });

  it("make room for newer ones", async () => {
    expect(await refined([click, { points: [[1, 1]], labels: [1] }, more], new MaskCache({ limit: 1 }))).toEqual([0, 0, 0]);
    expect(() => new MaskCache({ limit: 0 })).toThrow(/limit/);
  });

  it("that lack one part go before those that lack more, whatever is newer", () => {
    const cache = new MaskCache({ limit: 8 });
    const picture = {};
    const mask = (value: number) => ({ width: 1, height: 1, data: Float32Array.of(value) });
    cache.keep(picture, more, mask(2));
    cache.keep(picture, click, mask(1));
    expect(cache.find(picture, most)?.data[0]).toBe(2);
    expect(cache.find(picture, { ...most, points: [...more.points!, [5, 5]], labels: [1, 1, 0] })?.data[0]).toBe(2);
    expect(cache.find(picture, { ...most, points: [...click.points!, [5, 5]], labels: [1, 0] })?.data[0]).toBe(1);
    expect(cache.find(picture, { ...more, labels: [0, 1] })).toBeUndefined();
  });

  it("have to be kept by a cache", async () => {
    await using model = await load("sam2");
    await expect(model.predict(halves(8, 8), { prompts: click, maskCache: new Map() as never })).rejects.toThrow(InvalidOptionError);
  });
});

it("packages whose networks are another family's are refused", async () => {
  await expect(AutoModel.fromPretrained(await samPackage("sam", "sam2"))).rejects.toThrow(CorruptedModelPackageError);
});

it("prompted masks travel between threads and are drawn", async () => {
  await using model = await load("sam");
  const picture = halves(64, 64);
  const result = await model.predict(picture, { prompts: click });
  const { data } = await annotate(picture, result);
  expect(data.some((value) => value !== 0 && value !== 255)).toBe(true);
  const json = JSON.stringify(result);
  const { data: sent, transferList } = toTransferable(result);
  expect(JSON.stringify(fromTransferable(structuredClone(sent, { transfer: transferList })))).toBe(json);
});
