import { describe, expect, it } from "vitest";
import { ModelInputError } from "../../../../src/errors.js";
import { ctcSymbols, decodeCtc } from "../../../../src/models/families/text/decode.js";
import { findTextRegions, smallestRectangle } from "../../../../src/models/families/text/regions.js";
import { parseTextDetectionSettings, parseTextRecognitionSettings } from "../../../../src/models/families/text/settings.js";

const SOURCE = { path: "inference.yml" };

describe("settings", () => {
  it("have defaults for everything a detector needs", () => {
    expect(parseTextDetectionSettings("Global: {}", SOURCE)).toEqual({
      limitSideLength: 736,
      limitType: "min",
      mean: [0.485, 0.456, 0.406],
      std: [0.229, 0.224, 0.225],
      scale: 1 / 255,
      colorFormat: "bgr",
      threshold: 0.3,
      boxThreshold: 0.6,
      unclipRatio: 1.5,
      maximumCandidates: 1000,
    });
  });

  it("take the first operation of a name, and fractions", () => {
    const text =
      "PreProcess:\n  transform_ops:\n    - NormalizeImage: {scale: 1./127.5}\n    - NormalizeImage: {scale: 3}\n    - DecodeImage: {img_mode: rgb}\n";
    expect(parseTextDetectionSettings(text, SOURCE)).toMatchObject({ scale: 1 / 127.5, colorFormat: "rgb" });
  });

  it.each([
    ["a list", "[]"],
    ["syntax", "a: [1"],
    ["a standard deviation of 0", "PreProcess: {transform_ops: [{NormalizeImage: {std: [1, 0, 1]}}]}"],
    ["a scale that is no number", "PreProcess: {transform_ops: [{NormalizeImage: {scale: 1/x}}]}"],
    ["a division by 0", "PreProcess: {transform_ops: [{NormalizeImage: {scale: 1/0}}]}"],
    ["a limit below 1", "PreProcess: {transform_ops: [{DetResizeForTest: {limit_side_len: 0}}]}"],
    ["a threshold that is no number", "PostProcess: {thresh: high}"],
  ])("of a detector refuse %s", (_, text) => {
    expect(() => parseTextDetectionSettings(text, SOURCE)).toThrow(ModelInputError);
  });

  it("of a recogniser need a shape and characters", () => {
    const shape = "PreProcess: {transform_ops: [{RecResizeImg: {image_shape: [3, 48, 320]}}]}";
    expect(parseTextRecognitionSettings(`${shape}\nPostProcess: {character_dict: [a, 1, "'"]}`, SOURCE)).toEqual({
      imageShape: [3, 48, 320],
      characters: ["a", "1", "'"],
    });
    expect(() => parseTextRecognitionSettings(shape, SOURCE)).toThrow(ModelInputError);
    expect(() => parseTextRecognitionSettings("PostProcess: {character_dict: [a]}", SOURCE)).toThrow(ModelInputError);
    expect(() => parseTextRecognitionSettings(`${shape}\nPostProcess: {character_dict: [[a]]}`, SOURCE)).toThrow(ModelInputError);
  });
});

describe("greedy CTC", () => {
  /** One row a step, with the greatest value at the symbol. */
  const steps = (...symbols: number[]): Float32Array =>
    Float32Array.from(symbols.flatMap((symbol) => [0, 1, 2, 3].map((s) => (s === symbol ? 0.5 : 0.1))));
  const read = (...symbols: number[]) => decodeCtc(steps(...symbols), 0, symbols.length, 4, ctcSymbols(["a", "b"]));

  it("drops blanks and repeats, but not repeats after a blank", () => {
    expect(read(1, 1, 0, 1, 2, 3, 0, 1)).toEqual({ text: "aab a", confidence: 0.5 });
  });
  it("reads nothing from blanks", () => {
    expect(read(0, 0)).toEqual({ text: "", confidence: 0 });
  });
  it("passes over symbols without a name", () => {
    expect(decodeCtc(steps(1, 3, 2), 0, 3, 4, ["", "a", "b"]).text).toBe("ab");
  });
});

describe("regions of text", () => {
  const settings = { threshold: 0.3, boxThreshold: 0.6, unclipRatio: 1.5, maximumCandidates: 1000 };
  /** Rectangles of probability 0.9 on a map of 0. */
  function mapWith(width: number, height: number, ...rectangles: readonly (readonly [number, number, number, number])[]) {
    const data = new Float32Array(width * height);
    for (const [left, top, right, bottom] of rectangles)
      for (let y = top; y < bottom; y++) data.fill(0.9, y * width + left, y * width + right);
    return { data, offset: 0, width, height };
  }

  it("are grown rectangles around what is likely text, the lowest first", () => {
    const map = mapWith(100, 60, [10, 5, 50, 15], [20, 30, 60, 40]);
    const found = findTextRegions(map, { width: 200, height: 120 }, settings);
    expect(found).toHaveLength(2);
    expect(found[0]!.score).toBeCloseTo(0.9, 5);
    const [topLeft, , bottomRight] = found[1]!.polygon;
    // 39 x 9 pixels between centres grow by 39 * 9 * 1.5 / 96 = 5.5 on every side, then to twice the size.
    expect(Math.abs(topLeft[0] - 2 * (10 - 5.5))).toBeLessThanOrEqual(2);
    expect(Math.abs(bottomRight[1] - 2 * (14 + 5.5))).toBeLessThanOrEqual(2);
    expect(found[0]!.polygon[0][1]).toBeGreaterThan(bottomRight[1]);
  });

  it("stay in the picture", () => {
    const [region] = findTextRegions(mapWith(40, 40, [0, 0, 40, 12]), { width: 40, height: 40 }, settings);
    expect(region!.polygon.flat().every((value) => value >= 0 && value <= 40)).toBe(true);
  });

  it("leave out what is small, or not likely enough", () => {
    expect(findTextRegions(mapWith(40, 40, [5, 5, 8, 8]), { width: 40, height: 40 }, settings)).toEqual([]);
    expect(findTextRegions(mapWith(40, 40, [5, 5, 30, 15]), { width: 40, height: 40 }, { ...settings, boxThreshold: 0.95 })).toEqual([]);
    expect(findTextRegions(mapWith(40, 40, [5, 5, 30, 15]), { width: 40, height: 40 }, { ...settings, maximumCandidates: 0 })).toEqual([]);
  });

  it("take holes for outlines, too, as contour followers do", () => {
    const map = mapWith(60, 60, [5, 5, 55, 55]);
    for (let y = 20; y < 40; y++) map.data.fill(0, y * 60 + 20, y * 60 + 40);
    const found = findTextRegions(map, { width: 60, height: 60 }, { ...settings, boxThreshold: 0 });
    expect(found).toHaveLength(2);
    // The hole starts below the region around it.
    expect(found[0]!.score).toBeLessThan(found[1]!.score);
  });

  it("survive a map of numbers that are none", () => {
    const map = { data: new Float32Array(100).fill(Number.NaN), offset: 0, width: 10, height: 10 };
    expect(findTextRegions(map, { width: 10, height: 10 }, settings)).toEqual([]);
  });
});

describe("the smallest rectangle", () => {
  it("turns with its points", () => {
    const diamond = [
      [10, 0],
      [20, 10],
      [10, 20],
      [0, 10],
    ] as const;
    const { corners, shorterSide } = smallestRectangle(diamond);
    expect(shorterSide).toBeCloseTo(Math.hypot(10, 10), 9);
    expect(corners.map(([x, y]) => [Math.round(x), Math.round(y)]).sort()).toEqual([...diamond].map(([x, y]) => [x, y]).sort());
  });
  it("of a line or a point has no width", () => {
    expect(smallestRectangle([[1, 1]]).shorterSide).toBe(0);
    expect(
      smallestRectangle([
        [0, 0],
        [5, 5],
        [9, 9],
      ]).shorterSide,
    ).toBeCloseTo(0, 9);
  });
});
