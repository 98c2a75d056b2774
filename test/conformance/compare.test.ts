import { describe, expect, it } from "vitest";

import { compareValues } from "./compare.js";
import { decodeArray, decodeRle, encodeArray } from "./values.js";

const floats = (...values: number[]) => encodeArray(Float32Array.from(values), [values.length]);
const bytes = (...values: number[]) => encodeArray(Uint8Array.from(values), [values.length]);
const integers = (...values: number[]) => encodeArray(Int32Array.from(values), [values.length]);
const mask = (...values: number[]) => ({ ...bytes(...values), dtype: "bool" });

describe("plain values", () => {
  it("accepts equal values, whatever the order of keys", () => {
    const value = { a: [1, "x", null, true], b: { c: {} } };
    expect(compareValues(value, { b: { c: {} }, a: [1, "x", null, true] })).toBeNull();
  });

  it.each([
    ["a missing key", { a: 1, b: 2 }, { a: 1 }, "output.b: missing"],
    ["an added key", { a: 1 }, { a: 1, b: undefined }, "output.b: not expected"],
    ["null for a value", { a: 1 }, { a: null }, "output.a: 1 expected, got null"],
    ["a value for null", { a: null }, { a: 0 }, "output.a: null expected, got 0"],
    ["a boolean for a number", [1], [true], "output[0]: 1 expected, got true"],
    ["a shorter list", [1, 2], [1], "output: 2 items expected, got 1"],
    ["another order", ["a", "b"], ["b", "a"], 'output[0]: "a" expected, got "b"'],
    ["a list for an object", {}, [], "output: {} expected, got []"],
    ["a number that JSON does not know", 1, 1n, 'output: 1 expected, got "1n"'],
  ])("tells %s", (_name, expected, actual, difference) => {
    expect(compareValues(expected, actual)).toBe(difference);
  });

  it("reports a large value in one short line", () => {
    expect(compareValues("short", "x".repeat(10_000))?.length).toBeLessThan(200);
  });

  it("allows a millionth, absolute and relative", () => {
    expect(compareValues(0, 1e-6)).toBeNull();
    expect(compareValues(1000, 1000.0009)).toBeNull();
    expect(compareValues(0, 2e-6)).not.toBeNull();
    expect(compareValues(1000, 1000.01)).not.toBeNull();
  });

  it("takes the tolerance of a case instead", () => {
    expect(compareValues({ x: 10 }, { x: 10.09 }, { abs: 0.1 })).toBeNull();
    expect(compareValues({ x: 10 }, { x: 10.9 }, { rel: 0.1 })).toBeNull();
    expect(compareValues({ x: 10 }, { x: 10.001 }, { abs: 0 })).not.toBeNull();
  });

  it("lets integers of lists, which are coordinates, differ by int_abs", () => {
    expect(compareValues({ points: [[88, 60]] }, { points: [[90, 58]] }, { int_abs: 2 })).toBeNull();
    expect(compareValues({ points: [[88, 60]] }, { points: [[91, 60]] }, { int_abs: 2 })).not.toBeNull();
    expect(compareValues({ score: 1 }, { score: 0 }, { int_abs: 2 })).not.toBeNull();
  });
});

describe("float arrays", () => {
  it("allows 1e-4 and a hundred-thousandth by default", () => {
    expect(compareValues(floats(0, 1000), floats(9e-5, 1000.009))).toBeNull();
    expect(compareValues(floats(0), floats(2e-4))).not.toBeNull();
    expect(compareValues(floats(1000), floats(1000.5))).not.toBeNull();
  });

  it("takes NaN and infinities literally", () => {
    expect(compareValues(floats(NaN, Infinity, -Infinity), floats(NaN, Infinity, -Infinity))).toBeNull();
    expect(compareValues(floats(NaN), floats(0))).not.toBeNull();
    expect(compareValues(floats(0), floats(NaN))).not.toBeNull();
    expect(compareValues(floats(Infinity), floats(5))).toBe("output[0]: Infinity expected, got 5");
    expect(compareValues(floats(Infinity), floats(-Infinity))).not.toBeNull();
  });

  it("bounds the mean difference where the case says so", () => {
    const tolerance = { abs: 1, mean_abs: 0.25 };
    expect(compareValues(floats(0, 0, 0, 0), floats(1, 0, 0, 0), tolerance)).toBeNull();
    expect(compareValues(floats(0, 0, 0, 0), floats(1, 1, 0, 0), tolerance)).toContain("mean difference 0.5");
  });

  it("tells shapes and kinds of elements apart, but not their width", () => {
    expect(compareValues(floats(1, 2), { ...floats(1, 2), shape: [2, 1] })).toContain("shape [2] expected, got [2,1]");
    expect(compareValues(floats(1, 2), floats(1))).not.toBeNull();
    expect(compareValues(floats(1), encodeArray(Float64Array.of(1), [1]))).toBeNull();
    expect(compareValues(floats(1), integers(1))).toBe("output: float32 expected, got int32");
    expect(compareValues(floats(1), [1])).toContain("an array expected");
    expect(compareValues({ dtype: "float32", shape: [0, 4] }, { dtype: "float32", shape: [0, 4], data: "" })).toBeNull();
  });

  it("reads half floats as numbers", () => {
    const half = { dtype: "float16", shape: [2], data: Buffer.from(Uint16Array.of(0x3c00, 0xc000).buffer).toString("base64") };
    expect([...decodeArray(half)]).toEqual([1, -2]);
    expect(compareValues(half, floats(1, -2))).toBeNull();
  });
});

describe("bytes, integers and masks", () => {
  it("wants bytes equal unless told otherwise, and takes floats of the same value", () => {
    expect(compareValues(bytes(7), bytes(7))).toBeNull();
    expect(compareValues(bytes(7), floats(7))).toBeNull();
    expect(compareValues(bytes(7), bytes(8))).not.toBeNull();
    expect(compareValues(bytes(7), bytes(8), { abs: 1 })).toBeNull();
    expect(compareValues(bytes(7, 7), bytes(8, 8), { abs: 1, mean_abs: 0.5 })).not.toBeNull();
  });

  it("wants integers equal unless int_abs is given; abs is not for them", () => {
    expect(compareValues(integers(3), encodeArray(Int16Array.of(3), [1]))).toBeNull();
    expect(compareValues(integers(3), integers(4), { abs: 1 })).not.toBeNull();
    expect(compareValues(integers(3), integers(4), { int_abs: 1 })).toBeNull();
    const wide = { dtype: "int64", shape: [1], data: Buffer.from(BigInt64Array.of(3n).buffer).toString("base64") };
    expect(compareValues(integers(3), wide)).toBeNull();
    expect(compareValues(integers(3), floats(3))).not.toBeNull();
  });

  it("counts the pixels in which masks differ", () => {
    expect(compareValues(mask(1, 0, 0, 0), mask(1, 0, 0, 0))).toBeNull();
    expect(compareValues(mask(1, 0, 0, 0), mask(0, 0, 0, 0))).toBe("output: 1 of 4 pixels differ");
    expect(compareValues(mask(1, 0, 0, 0), mask(0, 0, 0, 0), { mask_fraction: 0.25 })).toBeNull();
    expect(compareValues(mask(1, 0, 0, 0), mask(0, 1, 0, 0), { mask_fraction: 0.25 })).not.toBeNull();
  });

  it("compares the float map beside a class map only where the classes agree", () => {
    const result = (classes: number[], confidence: number[]) => ({
      segmentation_map: integers(...classes),
      confidence: floats(...confidence),
    });
    const expected = result([0, 1, 1, 2], [0.1, 0.5, 0.5, 0.9]);
    expect(compareValues(expected, result([0, 1, 2, 2], [0.1, 0.5, 0, 0.9]), { mask_fraction: 0.25 })).toBeNull();
    expect(compareValues(expected, result([0, 1, 1, 2], [0.1, 0.5, 0, 0.9]), { mask_fraction: 0.25 })).toContain("output.confidence[2]");
    expect(compareValues(expected, result([0, 1, 2, 2], [0.1, 0.5, 0, 0.9]))).toContain("output.segmentation_map[2]");
  });
});

describe("run-length masks", () => {
  const size = { width: 3, height: 2 };
  // "123" stands for the runs 1 2 3; "Q0" is a 1 with a superfluous group.
  const masks = (...counts: string[]) => ({ image_size: size, counts });

  it("decodes runs, differences and groups of five bits", () => {
    expect([...decodeRle("123", 6)]).toEqual([0, 1, 1, 0, 0, 0]);
    expect([...decodeRle("06", 6)]).toEqual([1, 1, 1, 1, 1, 1]);
    // Runs 2 3 2 5: the fourth is 5 - 3 = 2 more than the one two places before.
    expect([...decodeRle("2322", 12)]).toEqual([0, 0, 1, 1, 1, 0, 0, 1, 1, 1, 1, 1]);
    // Runs 2 3 2 1: 1 - 3 = -2 is written 0b11110.
    expect([...decodeRle("232N", 8)]).toEqual([0, 0, 1, 1, 1, 0, 0, 1]);
    // 100 = 4 + 3 * 32, lowest group first.
    expect(decodeRle("T3", 100)).toEqual(new Uint8Array(100));
  });

  it.each(["12", "1234", "1T", "1 2"])("refuses counts that do not add up: %s", (counts) => {
    expect(() => decodeRle(counts, 6)).toThrow(RangeError);
  });

  it("compares pixels, not spelling", () => {
    expect(compareValues(masks("123"), masks("Q023"))).toBeNull();
    expect(compareValues(masks("123"), masks("213"))).toBe("output.counts: 1 of 6 pixels differ");
    expect(compareValues(masks("123"), masks("213"), { mask_fraction: 0.2 })).toBeNull();
    expect(compareValues(masks("123"), masks())).toContain("1 masks expected");
    expect(compareValues(masks("123"), { ...masks("123"), image_size: { width: 2, height: 3 } })).toContain("image_size");
  });
});
