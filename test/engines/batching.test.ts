import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { planBatches } from "../../src/engines/index.js";
import { InvalidParameterError } from "../../src/errors.js";

describe("planBatches", () => {
  test.each([
    [5, {}, [[0, 5, 0]]],
    [5, { min: 8 }, [[0, 5, 0]]],
    [3, { min: 2, max: 4 }, [[0, 3, 0]]],
    [1, { min: 2, max: 4 }, [[0, 1, 1]]],
    [
      9,
      { min: 2, max: 4 },
      [
        [0, 4, 0],
        [4, 4, 0],
        [8, 1, 1],
      ],
    ],
    [
      3,
      { min: 1, max: 1 },
      [
        [0, 1, 0],
        [1, 1, 0],
        [2, 1, 0],
      ],
    ],
    [
      2,
      { min: 2, max: 1 },
      [
        [0, 1, 1],
        [1, 1, 1],
      ],
    ],
    [0, { max: 4 }, []],
  ])("%i items with %o", (batchSize, limits, expected) => {
    expect(planBatches(batchSize, limits)).toEqual(expected.map(([start, count, padding]) => ({ start, count, padding })));
  });

  test("takes every item once, in order, within the limits", () => {
    fc.assert(
      fc.property(fc.nat(200), fc.integer({ min: 1, max: 20 }), fc.nat(20), (batchSize, min, extra) => {
        const max = min + extra;
        const chunks = planBatches(batchSize, { min, max });
        expect(chunks.flatMap(({ start, count }) => Array.from({ length: count }, (_, i) => start + i))).toEqual(
          Array.from({ length: batchSize }, (_, i) => i),
        );
        for (const { count, padding } of chunks) {
          expect(count + padding).toBeGreaterThanOrEqual(min);
          expect(count + padding).toBeLessThanOrEqual(max);
        }
      }),
    );
  });

  test("refuses what is no count", () => {
    for (const call of [
      () => planBatches(-1),
      () => planBatches(1.5),
      () => planBatches(1, { min: 0, max: 2 }),
      () => planBatches(1, { max: 0 }),
    ]) {
      expect(call).toThrow(InvalidParameterError);
    }
  });
});
