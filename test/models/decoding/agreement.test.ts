import fc from "fast-check";
import { describe, expect, it } from "vitest";

import {
  cpuDecoder,
  referenceDecoder,
  type DecodeSettings,
  type DenseHead,
  type DetectionRows,
  type LocatedPoints,
} from "../../../src/models/decoding/index.js";
import { loadAddon } from "../../../src/native/index.js";
import { denseCase, keyPointQueriesCase, keyPointsCase, queriesCase, rowsCase, suppressionCase } from "./heads.js";

const addon = loadAddon();
if (addon === null) process.stderr.write("skipped: the addon is not available\n");

/** Bits, except that all NaN are one: which NaN an operation gives is the processor's choice. */
const raw = (numbers: Float32Array): readonly number[] => [
  ...new Uint32Array(numbers.map((x) => (Number.isNaN(x) ? Number.NaN : x)).buffer),
];

function bits({ xyxy, scores, classIds, indices }: DetectionRows): object {
  return { xyxy: raw(xyxy), scores: raw(scores), classIds: [...classIds], indices: [...indices] };
}

function pointBits({ points, confidence, covariance }: LocatedPoints): object {
  return { points: raw(points), confidence: raw(confidence), covariance: raw(covariance) };
}

describe.skipIf(addon === null)("the addon and the reference", () => {
  const cpu = addon === null ? referenceDecoder : cpuDecoder(addon);
  const runs = { numRuns: 400 };

  it("decode dense heads to the same bits", () =>
    fc.assert(
      fc.asyncProperty(denseCase, async ([head, settings]) => {
        expect(bits(await cpu.decodeDense(head, settings))).toEqual(bits(await referenceDecoder.decodeDense(head, settings)));
      }),
      runs,
    ));

  it("filter rows to the same bits", () =>
    fc.assert(
      fc.asyncProperty(rowsCase, async ([head, settings]) => {
        expect(bits(await cpu.decodeRows(head, settings))).toEqual(bits(await referenceDecoder.decodeRows(head, settings)));
      }),
      runs,
    ));

  it("select queries to the same bits", () =>
    fc.assert(
      fc.asyncProperty(queriesCase, async ([head, settings]) => {
        expect(bits(await cpu.decodeQueries(head, settings))).toEqual(bits(await referenceDecoder.decodeQueries(head, settings)));
      }),
      runs,
    ));

  it("decode queries with key points to the same bits", () =>
    fc.assert(
      fc.asyncProperty(keyPointQueriesCase, async ([head, settings]) => {
        const [actual, expected] = [
          await cpu.decodeKeyPointQueries(head, settings),
          await referenceDecoder.decodeKeyPointQueries(head, settings),
        ];
        expect(bits(actual.rows)).toEqual(bits(expected.rows));
        expect(pointBits(actual.keyPoints)).toEqual(pointBits(expected.keyPoints));
      }),
      runs,
    ));

  it("gather the same key points", () =>
    fc.assert(
      fc.asyncProperty(keyPointsCase, async (args) => {
        expect(await cpu.gatherKeyPoints(...args)).toEqual(await referenceDecoder.gatherKeyPoints(...args));
      }),
      runs,
    ));

  it("suppress the same boxes", () =>
    fc.assert(
      fc.asyncProperty(suppressionCase, async (args) => {
        expect([...(await cpu.nonMaximumSuppression(...args))]).toEqual([...(await referenceDecoder.nonMaximumSuppression(...args))]);
      }),
      runs,
    ));

  // Large enough for several blocks and for another thread; memory of the addon is decoded in place, the caller's at once.
  it.each([
    ["the addon's memory", true],
    ["the caller's memory", false],
  ])("decode a large head in %s to the same bits", async (_, owned) => {
    const candidates = 2500;
    const classes = 12;
    const length = candidates * (4 + classes);
    const data = owned && addon !== null ? new Float32Array(addon.allocate(length * 4)) : new Float32Array(length);
    let state = 1;
    const random = (): number => (state = Math.imul(state, 48271) >>> 1) / 2 ** 31;
    for (let i = 0; i < length; i++) data[i] = i < 4 * candidates ? 200 * random() : random() ** 4;
    const matrix = (first: number) => ({ data, offset: first * candidates, candidateStride: 1, attributeStride: candidates });
    const head: DenseHead = {
      candidates,
      classes,
      boxes: matrix(0),
      boxFormat: "cxcywh",
      scores: matrix(4),
      objectness: null,
      objectnessUse: "none",
    };
    for (const threshold of [0, 0.5, 0.99]) {
      const settings: DecodeSettings = {
        thresholds: Float32Array.of(threshold),
        iouThreshold: 0.3,
        classAgnostic: false,
        maxDetections: null,
      };
      const found = await cpu.decodeDense(head, settings);
      expect(found.scores.length).toBeGreaterThan(0);
      expect(bits(found)).toEqual(bits(await referenceDecoder.decodeDense(head, settings)));
    }
  });
});
