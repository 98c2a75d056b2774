import { describe, expect, test } from "vitest";

import { elementTypeFromOnnx, isCastable } from "../../src/engines/index.js";
import { ModelRuntimeError } from "../../src/errors.js";

describe("element types", () => {
  test.each([
    ["tensor(float)", "float32"],
    ["tensor(double)", "float64"],
    ["tensor(float16)", "float16"],
    ["tensor(int64)", "int64"],
    ["tensor(bool)", "bool"],
  ])("%s is %s", (onnxType, type) => expect(elementTypeFromOnnx(onnxType)).toBe(type));

  test.each(["tensor(string)", "tensor(bfloat16)", "tensor(complex64)", "seq(tensor(float))", "float", "tensor(constructor)"])(
    "%s is refused",
    (onnxType) => expect(() => elementTypeFromOnnx(onnxType)).toThrow(ModelRuntimeError),
  );

  test.each([
    ["float32", "float16", true],
    ["uint8", "int8", false],
    ["uint8", "float32", true],
    ["bool", "uint8", true],
    ["int32", "int16", false],
    ["int64", "float32", false],
    ["float64", "float64", false],
    ["float32", "int32", false],
  ] as const)("%s to %s: %s", (source, target, expected) => expect(isCastable(source, target)).toBe(expected));
});
