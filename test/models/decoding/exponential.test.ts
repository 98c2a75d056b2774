import { describe, expect, it } from "vitest";

import { exp, log } from "../../../src/models/decoding/exponential.js";

const { EPSILON, MAX_VALUE, MIN_VALUE, NaN: NOT_A_NUMBER } = Number;

describe("exponentials and logarithms", () => {
  it("are those of the platform, up to the rounding of either", () => {
    for (let i = -7400; i < 7090; i++) {
      const x = i / 10 + 0.0123;
      expect(Math.abs(exp(x) - Math.exp(x))).toBeLessThanOrEqual(2 * EPSILON * Math.exp(x) + MIN_VALUE);
      const y = Math.exp(x);
      expect(Math.abs(log(y) - Math.log(y))).toBeLessThanOrEqual(2 * EPSILON * Math.abs(Math.log(y)));
    }
  });

  it("know special values", () => {
    expect([NOT_A_NUMBER, Infinity, -Infinity, MAX_VALUE, -MAX_VALUE, 0, -0, MIN_VALUE].map(exp)).toEqual([
      NOT_A_NUMBER,
      Infinity,
      0,
      Infinity,
      0,
      1,
      1,
      1,
    ]);
    expect([709.782712893384, 709.782712893385, -745.1332191019411, -745.1332191019412].map(exp)).toEqual([
      expect.closeTo(MAX_VALUE, -300),
      Infinity,
      MIN_VALUE,
      0,
    ]);
    expect([NOT_A_NUMBER, Infinity, 0, -0, 1, -1, -MIN_VALUE, -Infinity].map(log)).toEqual([
      NOT_A_NUMBER,
      Infinity,
      -Infinity,
      -Infinity,
      0,
      NOT_A_NUMBER,
      NOT_A_NUMBER,
      NOT_A_NUMBER,
    ]);
    expect(log(MIN_VALUE)).toBeCloseTo(-744.4400719213812, 12);
  });

  // The same numbers give the same sum in test/native/detection_exponential_test.cc.
  it("have the bits of the addon's", () => {
    const view = new DataView(new ArrayBuffer(8));
    let sum = 2166136261;
    const add = (value: number): void => {
      view.setFloat64(0, value);
      for (const place of [0, 4]) sum = Math.imul(sum ^ view.getUint32(place), 16777619);
    };
    let state = 1;
    for (let i = 0; i < 100_000; i++) {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      const fraction = state / 2 ** 32;
      add(exp(fraction * 1460 - 748));
      add(exp(fraction - 0.5));
      add(log(fraction * 4));
      add(log(exp(fraction * 1460 - 748)));
    }
    expect(sum >>> 0).toBe(1642934441);
  });
});
