import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ModelInputError } from "../../src/errors.js";
import { compileSmoothPlan, cpuExecutor, referenceExecutor, resolvePreprocess } from "../../src/imaging/index.js";
import type { PixelImage, PreprocessExecutor, SmoothPlan } from "../../src/imaging/index.js";
import { loadAddon } from "../../src/native/index.js";

const addon = loadAddon();
if (addon === null) process.stderr.write("skipped: the addon is not available\n");
const plan = (mode: SmoothPlan["mode"], width: number, height = width) =>
  compileSmoothPlan({ mode, width, height, mean: [0, 0, 0], std: [1, 1, 1] });

async function run(executor: PreprocessExecutor, smooth: SmoothPlan, picture: PixelImage): Promise<Float32Array> {
  const { steps } = resolvePreprocess(smooth, picture);
  const target = new Float32Array(3 * steps.output.width * steps.output.height).fill(9);
  await executor.run(picture, steps, target);
  return target;
}

const pictureOf = (width: number, height: number, data: readonly number[], channels: 1 | 3 = 1): PixelImage => ({
  data: Uint8Array.from(data),
  width,
  height,
  channels,
  colorFormat: "rgb",
  borrowed: true,
});

describe.each([["reference", referenceExecutor] as const, ...(addon === null ? [] : [["cpu", cpuExecutor(addon)] as const])])(
  "smooth resizing, executor %s",
  (_, executor) => {
    it("does not round when it stretches", async () => {
      const [a, b] = await run(executor, plan("stretch", 2, 1), pictureOf(3, 1, [0, 100, 255]));
      // Weights 1 - 1/6, 1 - 5/6 of a triangle of radius 1.5: 2/3 and 1/3 of the first two, then the last two.
      expect(a).toBeCloseTo(((0 * 5) / 6 + (100 * 3) / 6) / (8 / 6) / 255, 1);
      expect((a! * 255) % 1).not.toBe(0);
      expect(b).toBeGreaterThan(a!);
    });

    it("rounds to 8 bits when it takes the middle of the picture, and cuts off what overshoots", async () => {
      const values = await run(
        executor,
        plan("shorter-side", 8),
        pictureOf(4, 4, [0, 0, 255, 255, 0, 0, 255, 255, 0, 0, 255, 255, 0, 0, 255, 255]),
      );
      for (const value of values) expect(value * 255).toBeCloseTo(Math.round(value * 255), 3);
      expect(Math.min(...values)).toBe(0);
      expect(Math.max(...values)).toBe(1);
    });

    it("keeps a picture of the network's size as it is", async () => {
      const data = Array.from({ length: 16 }, (__, index) => index * 15);
      const values = await run(executor, plan("shorter-side", 4), pictureOf(4, 4, data));
      expect([...values.subarray(0, 16)].map((value) => Math.round(value * 255))).toEqual(data);
    });
  },
);

describe("the middle of a picture", () => {
  it.each([
    [40, 20, 10, { width: 20, height: 10, left: -5, top: 0 }],
    [20, 41, 10, { width: 10, height: 20, left: 0, top: -5 }],
    [23, 10, 10, { width: 23, height: 10, left: -6, top: 0 }],
    [25, 10, 10, { width: 25, height: 10, left: -8, top: 0 }],
  ])("of %d x %d for %d", (width, height, side, expected) => {
    const [step] = resolvePreprocess(plan("shorter-side", side), { width, height, colorFormat: "rgb" }).steps.geometry;
    expect(step).toMatchObject({ width: expected.width, height: expected.height, canvas: { left: expected.left, top: expected.top } });
  });

  it("cannot be taken from a thread", () => {
    expect(() => resolvePreprocess(plan("shorter-side", 224), { width: 1, height: 60_000, colorFormat: "rgb" })).toThrow(ModelInputError);
  });
});

/** The two steps one after the other on the whole square, in double precision. */
function paddedSquare(levels: readonly number[], width: number, height: number, to: number): readonly number[] {
  const side = Math.max(width, height);
  const mirror = (position: number): number => {
    const back = position < 0 ? -position : position;
    return back >= side ? 2 * (side - 1) - back : back;
  };
  let square = Array.from({ length: side * side }, (_, index) => {
    const [x, y] = [index % side, Math.floor(index / side)];
    return x < width && y < height ? (levels[y * width + x] ?? 0) : 127.5;
  });
  const sigma = Math.max((side / to - 1) / 2, 0);
  if (sigma > 0) {
    const radius = Math.ceil(3 * sigma);
    const offsets = Array.from({ length: 2 * radius + 1 }, (_, index) => index - radius);
    const weights = offsets.map((offset) => Math.exp(-(offset ** 2) / (2 * sigma ** 2)));
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    const blur = (at: (index: number, offset: number) => number) =>
      square.map((_, index) => offsets.reduce((sum, offset, k) => sum + ((weights[k] ?? 0) / total) * at(index, offset), 0));
    square = blur((index, offset) => square[Math.floor(index / side) * side + mirror((index % side) + offset)] ?? 0);
    square = blur((index, offset) => square[mirror(Math.floor(index / side) + offset) * side + (index % side)] ?? 0);
  }
  const sample = (x: number, y: number): number => square[Math.min(y, side - 1) * side + Math.min(x, side - 1)] ?? 0;
  return Array.from({ length: to * to }, (_, index) => {
    const [x, y] = [index % to, Math.floor(index / to)].map((place) => Math.max(((place + 0.5) * side) / to - 0.5, 0)) as [number, number];
    const [left, top] = [Math.floor(x), Math.floor(y)];
    const [u, v] = [x - left, y - top];
    const upper = sample(left, top) * (1 - u) + sample(left + 1, top) * u;
    return upper * (1 - v) + (sample(left, top + 1) * (1 - u) + sample(left + 1, top + 1) * u) * v;
  });
}

describe.each([["reference", referenceExecutor] as const, ...(addon === null ? [] : [["cpu", cpuExecutor(addon)] as const])])(
  "a picture made square, executor %s",
  (_, executor) => {
    it.each([
      [12, 7, 5],
      [7, 12, 4],
      [9, 9, 3],
      [5, 3, 11],
      [6, 4, 6],
      [20, 1, 8],
      [40, 31, 9],
    ])("of %d x %d for %d", async (width, height, to) => {
      const levels = Array.from({ length: width * height }, (__, index) => (index * 97 + 13) % 256);
      const values = await run(executor, plan("padded-square", to), pictureOf(width, height, levels));
      const expected = paddedSquare(levels, width, height, to);
      expect(Math.max(...expected.map((level, index) => Math.abs(level - values[index]! * 255)))).toBeLessThan(1e-3);
    });
  },
);

it("knows the way back from a padded square", () => {
  const { geometry } = resolvePreprocess(plan("padded-square", 100), { width: 400, height: 300, colorFormat: "rgb" });
  expect(geometry).toMatchObject({ padLeft: 0, padTop: 0, padRight: 0, padBottom: 25, scaleWidth: 0.25, scaleHeight: 0.25 });
});

const side = fc.integer({ min: 1, max: 12 });
describe.skipIf(addon === null)("the addon and the reference", () => {
  it("prepare the same floats, to the bit", () =>
    fc.assert(
      fc.asyncProperty(
        fc.record({
          width: side,
          height: side,
          to: side,
          mode: fc.constantFrom("stretch" as const, "shorter-side" as const, "padded-square" as const),
          seed: fc.nat(),
        }),
        async ({ width, height, to, mode, seed }) => {
          const data = Array.from({ length: width * height * 3 }, (_, index) => ((index + 1) * 2654435761 + seed) % 251);
          const smooth = compileSmoothPlan({ mode, width: to, height: to, mean: [0.48, 0.45, 0.4], std: [0.26, 0.27, 0.28] });
          const picture: PixelImage = { ...pictureOf(width, height, data, 3), colorFormat: seed % 2 === 0 ? "rgb" : "bgr" };
          expect(await run(cpuExecutor(addon!), smooth, picture)).toEqual(await run(referenceExecutor, smooth, picture));
        },
      ),
      { numRuns: 300 },
    ));
});
