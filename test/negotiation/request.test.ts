import fc from "fast-check";
import { describe, expect, it } from "vitest";

import {
  InvalidOptionError,
  InvalidParameterError,
  InvalidRequestedBatchSizeError,
  UnknownBackendTypeError,
  UnknownQuantizationError,
} from "../../src/errors.js";
import {
  parseBackend,
  parseBatchSize,
  parseDevice,
  parseQuantization,
  type BatchSizeRequest,
  type NegotiationRequest,
  type NmsFusionPreferences,
  type QuantizationRequest,
} from "../../src/negotiation/index.js";
import { CPU, negotiate, onnx, rankedIds } from "./support.js";

describe("batch size", () => {
  it.each([
    [4, { min: 4, max: 4 }],
    [[1, 8], { min: 1, max: 8 }],
    [
      { min: 2, max: 2 },
      { min: 2, max: 2 },
    ],
  ] satisfies [BatchSizeRequest, object][])("%j", (request, expected) => {
    expect(parseBatchSize(request)).toEqual(expected);
  });

  it.each([0, -1, 1.5, Number.NaN, Infinity, 2 ** 53, "4", true, null, [], [1], [1, 2, 3], [2, 1], [0, 4], ["1", 2], {}, { min: 1 }])(
    "%j is refused, and the error keeps it",
    (request) => {
      expect(() => parseBatchSize(request as BatchSizeRequest)).toThrow(
        expect.toSatisfy((error: unknown) => error instanceof InvalidRequestedBatchSizeError && Object.is(error.value, request)),
      );
    },
  );
});

describe("names", () => {
  it("do not depend on case", () => {
    expect(parseBackend("Torch-Script")).toBe("torch-script");
    expect(parseQuantization("FP16")).toBe("fp16");
  });

  it("do for the reference's quantization", () => {
    expect(() => parseQuantization("FP16", "reference")).toThrow(UnknownQuantizationError);
  });

  it.each([
    ["tensorrt", "trt"],
    ["hf", "hugging-face"],
    ["onxx", "onnx"],
  ])("%s suggests %s", (given, meant) => {
    expect(() => parseBackend(given)).toThrow(
      expect.toSatisfy((error: unknown) => error instanceof UnknownBackendTypeError && error.message.includes(`Did you mean "${meant}"?`)),
    );
  });

  it.each(["", " fp16", "float16", "__proto__", "constructor", 16, null, ["fp16"]])("quantization %j is unknown", (given) => {
    expect(() => parseQuantization(given)).toThrow(UnknownQuantizationError);
  });

  it("are refused wherever they stand in a list", () => {
    const quantization = ["fp32", "fp4"] as unknown as QuantizationRequest;
    expect(() => negotiate({ environment: CPU, packages: [onnx("o")], request: { quantization } })).toThrow(UnknownQuantizationError);
  });

  it("mean the same in any order and number", () => {
    const packages = [onnx("a"), onnx("b", { quantization: "fp16" })];
    const chosen = (quantization: QuantizationRequest) => rankedIds({ environment: CPU, packages, request: { quantization } });
    expect(chosen(["fp32", "fp16", "fp32"])).toEqual(chosen(["fp16", "fp32"]));
  });
});

describe("device", () => {
  it.each([
    ["cpu", { type: "cpu", index: null }],
    ["cuda", { type: "cuda", index: null }],
    ["cuda:12", { type: "cuda", index: 12 }],
    ["mps", { type: "mps", index: null }],
  ])("%s", (text, expected) => {
    expect(parseDevice(text)).toEqual(expected);
  });

  it.each(["", "CUDA", "cuda:", "cuda:-1", "cuda:1.5", "cuda:99999", "cpu:0", "gpu", " cpu", "cuda\n"])("%j is refused", (text) => {
    expect(() => parseDevice(text)).toThrow(InvalidParameterError);
    const request: Partial<NegotiationRequest> = { device: text, modelPackageId: "o" };
    expect(() => negotiate({ environment: CPU, packages: [onnx("o")], request })).toThrow(InvalidParameterError);
  });
});

describe("preferences for fused NMS", () => {
  const ask = (preferences: unknown) =>
    negotiate({ environment: CPU, packages: [onnx("o")], request: { nmsFusionPreferences: preferences as NmsFusionPreferences } });

  it.each([
    "yes",
    1,
    { max_detections: 300 },
    { maxDetections: "300" },
    { iouThreshold: [0.1] },
    { iouThreshold: Number.NaN },
    { classAgnostic: 1 },
  ])("%j are refused", (preferences) => {
    expect(() => ask(preferences)).toThrow(InvalidOptionError);
  });

  it("suggest the key that was probably meant", () => {
    expect(() => ask({ max_detections: 300 })).toThrow(/maxDetections/);
  });

  it("may name any part", () => {
    const number = fc.oneof(
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.tuple(fc.float({ noNaN: true, noDefaultInfinity: true }), fc.integer()),
    );
    const preferences = fc.record(
      { maxDetections: number, confidenceThreshold: number, iouThreshold: number, classAgnostic: fc.boolean() },
      { requiredKeys: [] },
    );
    fc.assert(fc.property(preferences, (wish) => ask(wish).ranked.length === 1));
  });
});
