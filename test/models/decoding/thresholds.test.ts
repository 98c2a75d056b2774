import { describe, expect, it } from "vitest";

import { InvalidOptionError } from "../../../src/errors.js";
import { resolveThresholds, type Confidence, type ThresholdRequest } from "../../../src/models/decoding/index.js";

const REQUEST: ThresholdRequest = {
  confidence: "best",
  defaultConfidence: 0.25,
  recommended: { confidence: 0.35, perClassConfidence: { cat: 0.6, constructor: 0.1 } },
  classNames: ["cat", "toString", "constructor"],
};

describe("resolveThresholds", () => {
  it("honours every number from 0 to 1", () => {
    for (const confidence of [0, 0.7, 1]) expect(resolveThresholds({ ...REQUEST, confidence })).toEqual(Float32Array.of(confidence));
  });

  it("ignores recommendations for the default", () => {
    expect(resolveThresholds({ ...REQUEST, confidence: "default" })).toEqual(Float32Array.of(0.25));
  });

  it("takes what is recommended for a class, else what is recommended for all", () => {
    expect(resolveThresholds(REQUEST)).toEqual(Float32Array.of(0.6, 0.35, 0.1));
  });

  it("takes what is recommended for all where nothing is for a class", () => {
    for (const perClassConfidence of [null, {}]) {
      expect(resolveThresholds({ ...REQUEST, recommended: { confidence: 0.35, perClassConfidence } })).toEqual(Float32Array.of(0.35));
    }
  });

  it("takes the default where nothing is recommended for all", () => {
    expect(resolveThresholds({ ...REQUEST, recommended: null })).toEqual(Float32Array.of(0.25));
    expect(resolveThresholds({ ...REQUEST, recommended: { confidence: null, perClassConfidence: { cat: 0.6 } } })).toEqual(
      Float32Array.of(0.25),
    );
  });

  it.each([Number.NaN, -0.1, 1.1, 40, Infinity, "0.4", "worst", null, undefined, {}, 1n])("refuses %s", (confidence) => {
    expect(() => resolveThresholds({ ...REQUEST, confidence: confidence as Confidence })).toThrow(InvalidOptionError);
  });
});
