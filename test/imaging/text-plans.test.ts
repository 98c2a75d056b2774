import { describe, expect, it } from "vitest";
import { cpuExecutor, referenceExecutor, resolvePreprocess, sideLimitSize, textLineWidth } from "../../src/imaging/index.js";
import { loadAddon } from "../../src/native/index.js";

describe("the network size of a text detector", () => {
  it.each([
    ["max", 640, 480, { width: 640, height: 480 }],
    ["max", 1920, 1080, { width: 960, height: 544 }],
    ["min", 640, 480, { width: 1280, height: 960 }],
    ["min", 2000, 1500, { width: 1984, height: 1504 }],
    ["other", 100, 50, { width: 960, height: 480 }],
    ["max", 5, 5, { width: 32, height: 32 }],
  ])("%s of %d x %d", (limitType, width, height, expected) => {
    expect(sideLimitSize({ width, height }, 960, limitType)).toEqual(expected);
  });
});

describe("lines of text", () => {
  it("share the width of the widest, within limits", () => {
    expect(textLineWidth([{ width: 100, height: 20 }], 48, 320)).toBe(320);
    expect(textLineWidth([{ width: 400, height: 20 }], 48, 320)).toBe(960);
    expect(textLineWidth([{ width: 90_000, height: 20 }], 48, 320)).toBe(3200);
  });

  const addon = loadAddon();
  it.each([["reference", referenceExecutor] as const, ...(addon === null ? [] : [["cpu", cpuExecutor(addon)] as const])])(
    "are filled up with 0, executor %s",
    async (_, executor) => {
      const picture = {
        data: new Uint8Array(10 * 20 * 3).fill(255),
        width: 20,
        height: 10,
        channels: 3,
        colorFormat: "rgb",
        borrowed: true,
      } as const;
      const { steps } = resolvePreprocess({ kind: "text-line", defaultSize: { width: 64, height: 16 }, colorFormat: "bgr" }, picture);
      const target = new Float32Array(3 * 64 * 16).fill(9);
      await executor.run(picture, steps, target);
      expect([target[0], target[31], target[32], target[63], target.at(-1)]).toEqual([1, 1, 0, 0, 0]);
    },
  );
});
