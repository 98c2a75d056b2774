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

const side = fc.integer({ min: 1, max: 12 });
describe.skipIf(addon === null)("the addon and the reference", () => {
  it("prepare the same floats, to the bit", () =>
    fc.assert(
      fc.asyncProperty(
        fc.record({
          width: side,
          height: side,
          to: side,
          mode: fc.constantFrom("stretch" as const, "shorter-side" as const),
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
