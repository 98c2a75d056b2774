/** Worked examples for the plain executor: each is small enough to be checked by hand. */
import { describe, expect, it } from "vitest";

import { ModelInputError } from "../../src/errors.js";
import { referenceExecutor, type PixelImage, type PreprocessSteps } from "../../src/imaging/index.js";

/** Gray picture from its rows. */
function gray(rows: readonly (readonly number[])[]): PixelImage {
  const [first = []] = rows;
  return {
    data: Uint8Array.from(rows.flat()),
    width: first.length,
    height: rows.length,
    channels: 1,
    colorFormat: "rgb",
    borrowed: true,
  };
}

function stepsFor({ width, height }: PixelImage, change: Partial<PreprocessSteps>): PreprocessSteps {
  return {
    source: { width, height },
    crop: { left: 0, top: 0, width, height },
    grayscale: false,
    contrast: null,
    geometry: [],
    swapChannels: false,
    normalization: { divisor: null, factor: null, mean: null, std: null },
    output: { width, height },
    ...change,
  };
}

async function run(image: PixelImage, change: Partial<PreprocessSteps>): Promise<readonly number[]> {
  const steps = stepsFor(image, change);
  const target = new Float32Array(3 * steps.output.width * steps.output.height).fill(Number.NaN);
  await referenceExecutor.run(image, steps, target);
  return [...target];
}

/** The first plane of a picture after one resize. */
async function resized(image: PixelImage, filter: "linear" | "pillow", width: number, height: number): Promise<readonly number[]> {
  const canvas = { width, height, left: 0, top: 0, fill: 0 };
  const all = await run(image, { geometry: [{ kind: "resize", filter, width, height, canvas }], output: { width, height } });
  return all.slice(0, width * height);
}

describe("the reference executor", () => {
  it("interpolates as OpenCV does", async () => {
    expect(
      await resized(
        gray([
          [0, 100, 255],
          [10, 200, 30],
        ]),
        "linear",
        5,
        4,
      ),
    ).toEqual(
      [
        [0, 40, 100, 193, 255],
        [3, 51, 125, 169, 199],
        [8, 74, 175, 122, 86],
        [10, 86, 200, 98, 30],
      ].flat(),
    );
    expect(
      await resized(
        gray([
          [0, 100, 255, 30],
          [10, 200, 30, 7],
        ]),
        "linear",
        2,
        1,
      ),
    ).toEqual([78, 81]);
  });

  it("interpolates as Pillow does", async () => {
    const image = gray([
      [0, 100, 255, 30, 90],
      [10, 200, 30, 7, 250],
      [5, 5, 5, 200, 100],
    ]);
    expect(await resized(image, "pillow", 3, 2)).toEqual([61, 131, 95, 37, 54, 144]);
    expect(await resized(image, "linear", 3, 2)).toEqual([43, 199, 94, 22, 11, 142]);
  });

  it("weighs colours in the order the picture says", async () => {
    const bgr: PixelImage = { data: Uint8Array.of(10, 20, 30), width: 1, height: 1, channels: 3, colorFormat: "bgr", borrowed: true };
    expect(await run(bgr, { grayscale: true })).toEqual([22, 22, 22]);
    expect(await run({ ...bgr, colorFormat: "rgb" }, { grayscale: true })).toEqual([18, 18, 18]);
  });

  it("repeats gray, drops alpha, exchanges channels", async () => {
    expect(await run(gray([[7]]), {})).toEqual([7, 7, 7]);
    const rgba: PixelImage = { data: Uint8Array.of(1, 2, 3, 0), width: 1, height: 1, channels: 4, colorFormat: "rgb", borrowed: true };
    expect(await run(rgba, {})).toEqual([1, 2, 3]);
    expect(await run(rgba, { swapChannels: true })).toEqual([3, 2, 1]);
  });

  it("cuts off and fills what the canvas asks for", async () => {
    const image = gray([[1, 2, 3, 4]]);
    const resize = { kind: "resize", filter: "none", width: 4, height: 1 } as const;
    const output = { width: 2, height: 3 };
    const all = await run(image, { geometry: [{ ...resize, canvas: { ...output, left: -1, top: 1, fill: 9 } }], output });
    expect(all.slice(0, 6)).toEqual([9, 9, 2, 3, 9, 9]);
  });

  it("samples on a grid, black outside, half to even", async () => {
    const image = gray([[10, 21]]);
    const output = { width: 4, height: 1 };
    const sample = { kind: "sample", ...output, originX: -0.5, originY: 0, stepX: 0.5, stepY: 1 } as const;
    // -0.5 -> 5; 0 -> 10; 0.5 -> 15.5, rounded to 16; 1 -> 21
    expect((await run(image, { geometry: [sample], output })).slice(0, 4)).toEqual([5, 10, 16, 21]);
  });

  it("divides, multiplies and normalises in float32, in the network's order of channels", async () => {
    const image: PixelImage = { data: Uint8Array.of(51, 102, 204), width: 1, height: 1, channels: 3, colorFormat: "rgb", borrowed: true };
    const { fround } = Math;
    const expected = [204, 102, 51].map((value, channel) =>
      fround(fround(fround(fround(value / 255) * 2) - fround([0.1, 0.2, 0.3][channel] ?? 0)) / fround([0.5, 0.25, 0.125][channel] ?? 1)),
    );
    const normalization = { divisor: 255, factor: 2, mean: [0.1, 0.2, 0.3], std: [0.5, 0.25, 0.125] } as const;
    expect(await run(image, { swapChannels: true, normalization })).toEqual(expected);
  });

  it("stretches contrast between the 2nd and the 98th percentile, over all channels", async () => {
    // 101 values 0..100 in each channel: 303 values; percentiles 2 and 98 by hand are 2 and 98.
    const image = gray([Array.from({ length: 101 }, (_, value) => value)]);
    const plane = (await run(image, { contrast: "contrast-stretching" })).slice(0, 101);
    expect([plane[0], plane[2], plane[50], plane[98], plane[100]]).toEqual([0, 0, 127, 255, 255]);
    expect(await run(gray([[40, 40]]), { contrast: "contrast-stretching" })).toEqual(new Array(6).fill(40));
  });

  it("refuses pictures, pixels and targets that do not belong to the steps", async () => {
    const image = gray([[1, 2]]);
    const steps = stepsFor(image, {});
    const target = new Float32Array(6);
    await expect(referenceExecutor.run({ ...image, width: 1, height: 2 }, steps, target)).rejects.toThrow(ModelInputError);
    await expect(referenceExecutor.run({ ...image, data: new Uint8Array(1) }, steps, target)).rejects.toThrow(ModelInputError);
    await expect(referenceExecutor.run(image, steps, new Float32Array(5))).rejects.toThrow(ModelInputError);
  });
});
