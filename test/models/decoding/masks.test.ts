import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { bilinearTaps } from "../../../src/models/decoding/bilinear.js";
import { cpuDecoder, referenceDecoder, type MaskHead, type MaskTarget } from "../../../src/models/decoding/index.js";
import { loadAddon } from "../../../src/native/index.js";
import { createMasks } from "../../../src/results/index.js";
import { maskCase } from "./mask-cases.js";

const addon = loadAddon();
if (addon === null) process.stderr.write("skipped: the addon is not available\n");

const decoders = [["reference", referenceDecoder], ...(addon === null ? [] : [["cpu", cpuDecoder(addon)] as const])] as const;

const NO_TRIM = { left: 0, top: 0, right: 0, bottom: 0 };

function plane(width: number, height: number, data: readonly number[]): MaskHead {
  const planes = { data: Float32Array.from(data), offset: 0, candidateStride: 1, attributeStride: width * height };
  return { width, height, channels: 1, planes, coefficients: null, sigmoid: false };
}

function onto(width: number, height: number, more: Partial<MaskTarget> = {}): MaskTarget {
  return { trim: NO_TRIM, resize: { width, height }, left: 0, top: 0, picture: { width, height }, threshold: 0, ...more };
}

const ONE = { indices: Int32Array.of(0), boxes: null, boxScale: 1 } as const;

describe.each(decoders)("masks of the %s decoder", (_, decoder) => {
  const pixels = async (...args: Parameters<typeof decoder.decodeMasks>): Promise<number[][]> => {
    const { picture } = args[2];
    const masks = createMasks({ format: "rle", ...picture, ...(await decoder.decodeMasks(...args)) });
    return Array.from(masks, (mask) => [...mask.toDense()]);
  };

  it("keep what is above the threshold where nothing is resized", async () => {
    expect(await pixels(plane(2, 2, [1, 0, -1, 0.5]), ONE, onto(2, 2))).toEqual([[1, 0, 0, 1]]);
    expect(await pixels(plane(2, 2, [1, 0, -1, 0.5]), ONE, onto(2, 2, { threshold: 0.5 }))).toEqual([[1, 0, 0, 0]]);
  });

  it("weigh prototypes, with channels first or last", async () => {
    const coefficients = { data: Float32Array.of(1, -1, -1, 1), offset: 0, candidateStride: 2, attributeStride: 1, candidates: 2 };
    const both = { indices: Int32Array.of(0, 1), boxes: null, boxScale: 1 };
    const wanted = [
      [1, 0],
      [0, 1],
    ];
    const first = { ...plane(2, 1, [3, 1, 2, 2]), channels: 2, coefficients };
    expect(await pixels(first, both, onto(2, 1))).toEqual(wanted);
    const last = { ...first, planes: { data: Float32Array.of(3, 2, 1, 2), offset: 0, candidateStride: 2, attributeStride: 1 } };
    expect(await pixels(last, both, onto(2, 1))).toEqual(wanted);
  });

  it("cut to boxes before enlarging: cells outside are 0 and pull the border in", async () => {
    const head = plane(4, 1, [1, 1, 1, 1]);
    const boxed = { indices: Int32Array.of(0), boxes: Float32Array.of(4, 0, 12, 4), boxScale: 0.25 };
    expect(await pixels(head, boxed, onto(8, 1, { threshold: 0.5 }))).toEqual([[0, 0, 1, 1, 1, 1, 0, 0]]);
    // Above 0 everything counts that the cells reach at all: one pixel more on both sides.
    expect(await pixels(head, boxed, onto(8, 1))).toEqual([[0, 1, 1, 1, 1, 1, 1, 0]]);
  });

  it("round box corners half to even", async () => {
    const head = plane(4, 1, [1, 1, 1, 1]);
    const boxed = { indices: Int32Array.of(0), boxes: Float32Array.of(0.5, 0, 2.5, 1), boxScale: 1 };
    expect(await pixels(head, boxed, onto(4, 1))).toEqual([[1, 1, 0, 0]]);
  });

  it("have no pixels where a box has none, lies outside, or is not a number", async () => {
    const head = plane(2, 2, [1, 1, 1, 1]);
    const boxes = Float32Array.of(1, 1, 1, 2, 5, 5, 9, 9, Number.NaN, 0, 2, 2, 2, 2, 0, 0);
    const selection = { indices: new Int32Array(4), boxes, boxScale: 1 };
    expect(await pixels(head, selection, onto(2, 2))).toEqual(Array.from({ length: 4 }, () => [0, 0, 0, 0]));
  });

  it("lose padding, gain what a crop left out, and go where the crop was", async () => {
    const head = plane(4, 2, [9, 1, 1, 9, 9, 1, -1, 9]);
    const trimmed = onto(2, 2, { trim: { left: 1, top: 0, right: 1, bottom: 0 } });
    expect(await pixels(head, ONE, trimmed)).toEqual([[1, 1, 1, 0]]);
    const extended = onto(4, 1, { trim: { left: -1, top: 0, right: -1, bottom: 0 } });
    expect(await pixels(plane(2, 1, [1, 1]), ONE, extended)).toEqual([[0, 1, 1, 0]]);
    const pasted = { ...trimmed, left: 1, top: 1, picture: { width: 4, height: 3 } };
    expect(await pixels(head, ONE, pasted)).toEqual([[0, 0, 0, 0, 0, 1, 1, 0, 0, 1, 0, 0]]);
  });

  it("average where they shrink", async () => {
    // 8 cells to 2 pixels: plain interpolation would see only the middle cells of each half.
    const head = plane(8, 1, [9, -1, -1, -1, -1, -1, -1, -1]);
    expect(await pixels(head, ONE, onto(2, 1))).toEqual([[1, 0]]);
  });

  it("are everything the resized plane covers below a negative threshold, and nothing beyond", async () => {
    const target = onto(2, 1, { threshold: -0.5, left: 1, picture: { width: 4, height: 1 } });
    expect(await pixels(plane(2, 1, [0, 0]), ONE, target)).toEqual([[0, 1, 1, 0]]);
  });

  it("are none at all for an empty selection", async () => {
    expect(await pixels(plane(1, 1, [1]), { ...ONE, indices: new Int32Array(0) }, onto(5, 5))).toEqual([]);
  });

  const bad: readonly (readonly [string, object, object, object])[] = [
    ["a plane beyond the array", { width: 3 }, {}, {}],
    ["an index beyond the planes", {}, { indices: Int32Array.of(1) }, {}],
    ["a negative index", {}, { indices: Int32Array.of(-1) }, {}],
    ["boxes of another number", {}, { boxes: new Float32Array(3) }, {}],
    ["a picture without pixels", {}, {}, { picture: { width: 0, height: 5 } }],
    ["an immense picture", {}, {}, { picture: { width: 2 ** 20, height: 2 ** 20 } }],
    ["a threshold that is no number", {}, {}, { threshold: Number.NaN }],
    ["an immense trim", {}, {}, { trim: { ...NO_TRIM, left: -(2 ** 31) } }],
  ];
  it.each(bad)("refuse %s", async (_name, head, selection, target) => {
    const call = decoder.decodeMasks({ ...plane(2, 2, [1, 1, 1, 1]), ...head }, { ...ONE, ...selection }, { ...onto(2, 2), ...target });
    await expect(call).rejects.toThrow(/Expected|does not fit/);
  });
});

describe.skipIf(addon === null)("the addon and the reference", () => {
  it("make the same masks of everything", async () => {
    const cpu = addon === null ? referenceDecoder : cpuDecoder(addon);
    await fc.assert(
      fc.asyncProperty(maskCase, async (args) => {
        expect(await cpu.decodeMasks(...args)).toEqual(await referenceDecoder.decodeMasks(...args));
      }),
      { numRuns: 1500 },
    );
  });

  it("make the same masks of smooth planes in a larger picture, in the addon's memory and in the caller's", async () => {
    const [width, height] = [40, 30];
    const owned = new Float32Array(addon?.allocate(width * height * 4) ?? new ArrayBuffer(width * height * 4));
    owned.forEach((_, cell) => (owned[cell] = Math.sin(cell * 0.11) + Math.cos(Math.floor(cell / width) * 0.4)));
    const target = onto(333, 517, {
      picture: { width: 400, height: 530 },
      left: 20,
      top: 5,
      trim: { left: 2, top: 0, right: 1, bottom: 3 },
    });
    const cpu = addon === null ? referenceDecoder : cpuDecoder(addon);
    for (const data of [owned, owned.slice()]) {
      const head = { ...plane(width, height, []), planes: { data, offset: 0, candidateStride: 1, attributeStride: width * height } };
      for (const threshold of [0, 0.5, -1]) {
        const found = await cpu.decodeMasks(head, ONE, { ...target, threshold });
        expect(found.runs.length).toBeGreaterThan(100);
        expect(found).toEqual(await referenceDecoder.decodeMasks(head, ONE, { ...target, threshold }));
      }
    }
  });
});

describe("weights of antialiased bilinear interpolation", () => {
  it("leave an axis of the same length alone", () => {
    expect(bilinearTaps(3, 3)).toEqual([0, 1, 2].map((begin) => ({ begin, weights: [1] })));
  });

  it("add up to 1, of inputs that exist", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 1, max: 300 }), (inputs, outputs) => {
        const taps = bilinearTaps(inputs, outputs);
        expect(taps).toHaveLength(outputs);
        for (const { begin, weights } of taps) {
          expect(begin).toBeGreaterThanOrEqual(0);
          expect(begin + weights.length).toBeLessThanOrEqual(inputs);
          expect(weights.reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(1, 5);
        }
      }),
    );
  });

  it("keep the rounding error of positions, which decides above a threshold of 0", () => {
    // Output 17 lies exactly on input 4; in float32 it lies a little to the right.
    const { begin, weights } = bilinearTaps(18, 70)[17] ?? { begin: -1, weights: [] };
    expect(begin).toBe(4);
    expect(weights[1]).toBeGreaterThan(0);
    expect(weights[1]).toBeLessThan(1e-5);
  });
});
