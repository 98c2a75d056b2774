import { describe, expect, it } from "vitest";

import { ModelInputError } from "../../../src/errors.js";
import { cpuDecoder, createDecoder, referenceDecoder, type DecodeSettings, type DenseHead } from "../../../src/models/decoding/index.js";
import { loadAddon } from "../../../src/native/index.js";

const addon = loadAddon();
const decoders = addon === null ? [referenceDecoder] : [referenceDecoder, cpuDecoder(addon)];

const SETTINGS: DecodeSettings = { thresholds: Float32Array.of(0.4), iouThreshold: 0.5, classAgnostic: false, maxDetections: 300 };

/** Of two candidates. */
const PRIORS = { data: new Float32Array(8), offset: 0, candidateStride: 4, attributeStride: 1, inputSize: { width: 64, height: 48 } };

/** Rows `x1, y1, x2, y2, objectness, class scores...`. */
function head(rows: readonly (readonly number[])[], objectnessUse: DenseHead["objectnessUse"] = "none"): DenseHead {
  const columns = rows[0]?.length ?? 6;
  const data = Float32Array.from(rows.flat());
  const matrix = (offset: number) => ({ data, offset, candidateStride: columns, attributeStride: 1 });
  return {
    candidates: rows.length,
    classes: columns - 5,
    boxes: matrix(0),
    boxFormat: "xyxy",
    scores: matrix(5),
    objectness: matrix(4),
    objectnessUse,
  };
}

it("prefers the addon", () => {
  expect(createDecoder().name).toBe(addon === null ? "reference" : "cpu");
});

describe.each(decoders)("the $name decoder", (decoder) => {
  it("compares thresholds in float32, strictly", async () => {
    // float32(0.4) is greater than the double 0.4, and equal to the threshold.
    const rows = await decoder.decodeDense(head([[0, 0, 1, 1, 0, Math.fround(0.4)]]), SETTINGS);
    expect(rows.scores.length).toBe(0);
  });

  it("puts the best first and equal scores in their order", async () => {
    const boxes = [0.5, 0.9, 0.5].map((score, i) => [10 * i, 0, 10 * i + 5, 5, 0, score]);
    expect([...(await decoder.decodeDense(head(boxes), SETTINGS)).indices]).toEqual([1, 0, 2]);
  });

  it("lets boxes of different classes overlap unless suppression ignores classes, and reports the class all the same", async () => {
    const both = head([
      [0, 0, 4, 4, 0, 0.9, 0],
      [0, 0, 4, 4, 0, 0, 0.8],
    ]);
    expect([...(await decoder.decodeDense(both, SETTINGS)).classIds]).toEqual([0, 1]);
    expect([...(await decoder.decodeDense(both, { ...SETTINGS, classAgnostic: true })).classIds]).toEqual([0]);
    expect([...(await decoder.decodeDense(both, { ...SETTINGS, classAgnostic: true, iouThreshold: null })).classIds]).toEqual([0, 1]);
  });

  it("truncates after suppression", async () => {
    const boxes = [
      [0, 0, 4, 4, 0, 0.9],
      [0, 0, 4, 4, 0, 0.8],
      [9, 9, 12, 12, 0, 0.7],
    ];
    expect([...(await decoder.decodeDense(head(boxes), { ...SETTINGS, maxDetections: 2 })).indices]).toEqual([0, 2]);
  });

  it("judges by objectness and reports the class score where objectness is a gate", async () => {
    const rows = await decoder.decodeDense(
      head(
        [
          [0, 0, 1, 1, 0.9, 0.1],
          [5, 5, 6, 6, 0.3, 0.9],
        ],
        "gate",
      ),
      SETTINGS,
    );
    expect([...rows.indices]).toEqual([0]);
    expect([...rows.scores]).toEqual([Math.fround(0.1)]);
  });

  it("multiplies the probabilities of object and class where objectness is a factor", async () => {
    const [score = 0] = (await decoder.decodeDense(head([[0, 0, 1, 1, 1, 2]], "product"), SETTINGS)).scores;
    expect(score).toBeCloseTo(0.7310586 * 0.8807971, 6);
  });

  it("finds scores just above a threshold close to 1", async () => {
    const logits = Float32Array.of(5.85, 5.7);
    const query = {
      boxes: new Float32Array(8),
      boxesOffset: 0,
      logits,
      logitsOffset: 0,
      queries: 2,
      classes: 1,
      classMapping: Int32Array.of(0),
    };
    const rows = await decoder.decodeQueries(query, { ...SETTINGS, thresholds: Float32Array.of(0.997) });
    expect([...rows.indices]).toEqual([0]);
  });

  it("never lets a class without a threshold pass", async () => {
    const rows = await decoder.decodeDense(head([[0, 0, 1, 1, 0, 0, 0, 1]]), { ...SETTINGS, thresholds: Float32Array.of(0.1, 0.1) });
    expect(rows.scores.length).toBe(0);
  });

  it("includes equality in rows only when asked", async () => {
    const rows = { data: Float32Array.of(1, 2, 3, 4, 0.4, 5), offset: 0, rows: 1, columns: 6 };
    const inclusive = await decoder.decodeRows({ ...rows, inclusive: true }, SETTINGS);
    expect(inclusive).toEqual({
      xyxy: Float32Array.of(1, 2, 3, 4),
      scores: Float32Array.of(0.4),
      classIds: Int32Array.of(5),
      indices: Int32Array.of(0),
    });
    expect((await decoder.decodeRows({ ...rows, inclusive: false }, SETTINGS)).scores.length).toBe(0);
  });

  it("moves and stretches priors", async () => {
    const offsets = head([
      [0, 0, 0, 0, 0, 0.9],
      [1, -2, 5, -5, 0, 0.8],
    ]);
    const data = Float32Array.of(0.5, 0.5, 0.25, 0.5, 0.25, 0.75, 0.5, 0.125);
    const priors = { data, offset: 0, candidateStride: 4, attributeStride: 1, inputSize: { width: 64, height: 32 } };
    const { xyxy } = await decoder.decodeDense({ ...offsets, boxFormat: "offsets", priors }, { ...SETTINGS, iouThreshold: null });
    expect([...xyxy.subarray(0, 4)]).toEqual([24, 8, 40, 24]);
    const [x1 = 0, y1 = 0, x2 = 0, y2 = 0] = xyxy.subarray(4);
    expect((x1 + x2) / 2).toBeCloseTo((0.25 + 0.1 * 1 * 0.5) * 64, 4);
    expect((y1 + y2) / 2).toBeCloseTo((0.75 + 0.1 * -2 * 0.125) * 32, 4);
    expect(x2 - x1).toBeCloseTo(0.5 * Math.E * 64, 4);
    expect(y2 - y1).toBeCloseTo((0.125 / Math.E) * 32, 4);
  });

  it("accepts heads without candidates", async () => {
    const empty = { ...head([]), classes: 3 };
    expect((await decoder.decodeDense(empty, SETTINGS)).xyxy.length).toBe(0);
  });

  it.each<readonly [string, Partial<DenseHead>]>([
    ["one candidate too many", { candidates: 3 }],
    ["one class too many", { classes: 3 }],
    ["no class", { classes: 0 }],
    ["half a candidate", { candidates: 1.5 }],
    ["a candidate count that is none", { candidates: Number.NaN }],
    ["repeating boxes", { boxes: { data: new Float32Array(99), offset: 0, candidateStride: 0, attributeStride: 1 } }],
    ["a negative offset", { boxes: { data: new Float32Array(99), offset: -1, candidateStride: 4, attributeStride: 1 } }],
    ["a stride beyond everything", { boxes: { data: new Float32Array(99), offset: 0, candidateStride: 2 ** 40, attributeStride: 1 } }],
    ["objectness that is missing", { objectness: null }],
    ["offsets without priors", { boxFormat: "offsets" }],
    ["too few priors", { boxFormat: "offsets", priors: { ...PRIORS, data: new Float32Array(7) } }],
    ["an input of no size", { boxFormat: "offsets", priors: { ...PRIORS, inputSize: { width: 64, height: 0 } } }],
  ])("refuses %s", async (_, change) => {
    const good = head(
      [
        [0, 0, 1, 1, 1, 1, 0],
        [0, 0, 1, 1, 1, 1, 0],
      ],
      "gate",
    );
    await expect(decoder.decodeDense(good, SETTINGS)).resolves.toBeDefined();
    await expect(decoder.decodeDense({ ...good, ...change }, SETTINGS)).rejects.toThrow(ModelInputError);
  });

  it("refuses suppression of arrays that do not belong together", async () => {
    await expect(decoder.nonMaximumSuppression(new Float32Array(8), new Float32Array(1), new Int32Array(1), 0.5)).rejects.toThrow(
      ModelInputError,
    );
    await expect(decoder.nonMaximumSuppression(new Float32Array(4), new Float32Array(1), new Int32Array(2), 0.5)).rejects.toThrow(
      ModelInputError,
    );
    await expect(decoder.nonMaximumSuppression(new Float32Array(4), new Float32Array(1), new Int32Array(1), Number.NaN)).rejects.toThrow(
      ModelInputError,
    );
  });
});
