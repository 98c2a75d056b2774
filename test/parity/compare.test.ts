import { describe, expect, it } from "vitest";

import { NotCovered } from "../conformance/adapter.js";
import { toLoadOptions, toOptions } from "./arguments.js";
import { compareDetections, compareInput, EXACT, scaled, tolerancesFor, type Columns } from "./compare.js";
import { parseExpected, type ExpectedDetections } from "./expected.js";

interface Row {
  readonly box: readonly [number, number, number, number];
  readonly score: number;
  readonly id?: number;
}

const NAMES = ["cat", "dog"];
/** Half to even, as the fixtures were rounded. */
const round = (value: number): number => (Math.abs(value % 1) === 0.5 ? 2 * Math.round(value / 2) : Math.round(value));

const expectation = (...rows: Row[]): ExpectedDetections => ({
  xyxy: rows.map(({ box }) => box.map(round)),
  xyxy_unrounded: rows.map(({ box }) => box),
  confidence: rows.map(({ score }) => score),
  class_id: rows.map(({ id = 0 }) => id),
  class_name: rows.map(({ id = 0 }) => NAMES[id] ?? ""),
});

const columns = (rows: readonly Row[], convert = (value: number) => value): Columns => ({
  length: rows.length,
  xyxy: rows.flatMap(({ box }) => box.map(convert)),
  classId: rows.map(({ id = 0 }) => id),
  confidence: rows.map(({ score }) => score),
  classNames: NAMES,
});

function compare(expected: readonly Row[], actual: readonly Row[], { margin = null as number | null, tolerances = EXACT } = {}) {
  return compareDetections(expectation(...expected), columns(actual), columns(actual, round), tolerances, margin);
}

const A: Row = { box: [10.25, 20.25, 30.25, 40.25], score: 0.9 };
const B: Row = { box: [50.25, 60.25, 70.25, 80.25], score: 0.6, id: 1 };

describe("detections", () => {
  it("accepts equal answers, empty ones too", () => {
    expect(compare([A, B], [A, B])).toBeNull();
    expect(compare([], [])).toBeNull();
  });

  it.each<[string, Row[], string]>([
    ["a missing detection", [A], "2 detections expected, got 1"],
    ["one too many", [A, B, B], "2 detections expected, got 3"],
    ["another class", [A, { ...B, id: 0 }], "detection 1: class 1"],
    ["another confidence", [A, { ...B, score: 0.6002 }], "confidence 0.6 expected"],
    ["another order", [B, A], "detection 1 comes before detection 0"],
    ["a moved corner", [A, { ...B, box: [50.25, 60.25, 70.25, 80.3] }], "box 1, corner 3: 80.25 expected, got 80.3"],
    ["a box that is no number", [A, { ...B, box: [NaN, 60.25, 70.25, 80.25] }], "box 1, corner 0"],
  ])("tells %s", (_name, actual, difference) => {
    expect(compare([A, B], actual)).toContain(difference);
  });

  it("compares names of classes, not only their numbers", () => {
    const renamed = { ...columns([A]), classNames: ["lion"] };
    expect(compareDetections(expectation(A), renamed, renamed, EXACT, null)).toContain("class name cat expected, got lion");
  });

  it("allows small deviations", () => {
    expect(compare([A], [{ box: [10.26, 20.25, 30.25, 40.24], score: 0.90005 }])).toBeNull();
  });

  it("lets detections of the same confidence change places, and finds each by its box", () => {
    const twin: Row = { ...B, id: 0, score: 0.90001 };
    expect(compare([twin, A], [A, twin])).toBeNull();
    expect(compare([twin, A, { ...B, score: 0.3 }], [A, { ...B, score: 0.3 }, twin])).toContain("comes before");
  });

  it("wants the rounded box exactly, except at the middle between two pixels", () => {
    const compareRounded = (value: number, rounded: number) => {
      const row: Row = { box: [value, 0, 100, 100], score: 0.9 };
      const actual = columns([row]);
      return compareDetections(expectation(row), actual, { ...actual, xyxy: [rounded, 0, 100, 100] }, EXACT, null);
    };
    expect(compareRounded(10.25, 10)).toBeNull();
    expect(compareRounded(10.25, 11)).toContain("rounded: 10 expected, got 11");
    expect(compareRounded(10.49, 11)).toBeNull();
    expect(compareRounded(-0.51, 0)).toBeNull();
    expect(compareRounded(10.49, 12)).not.toBeNull();
  });

  it("lets one candidate come or go where its score lies at the threshold", () => {
    const borderline = { margin: 5e-5 };
    expect(compare([A, B], [A], borderline)).toBeNull();
    expect(compare([A], [A, B], borderline)).toBeNull();
    expect(compare([A, B], [], borderline)).not.toBeNull();
    expect(compare([A, B], [A], { margin: 0.01 })).not.toBeNull();
  });

  it("does not let rounding change the number of detections", () => {
    expect(compareDetections(expectation(A), columns([A]), columns([]), EXACT, null)).toContain("1 detections without rounding");
  });
});

describe("network input", () => {
  const summary = { shape: [1, 3, 1, 2], dtype: "float32", sample_flat_index: [0, 5], sample_value: [0.5, 0.25] };
  const input = (...data: number[]) => ({ data: Float32Array.from(data), dims: [1, 3, 1, 2] });

  it("compares shape and samples", () => {
    expect(compareInput(summary, input(0.5, 9, 9, 9, 9, 0.25), EXACT)).toBeNull();
    expect(compareInput(summary, input(0.5, 9, 9, 9, 9, 0.26), EXACT)).toBe("1 of 2 samples of the network input differ, the first at 5");
    expect(compareInput(summary, { ...input(0.5), dims: [1, 3, 2, 1] }, EXACT)).toContain("[1,3,1,2] expected, got [1,3,2,1]");
    expect(compareInput(summary, input(0.5), EXACT)).not.toBeNull();
    expect(compareInput(summary, input(NaN, 9, 9, 9, 9, 0.25), EXACT)).not.toBeNull();
  });

  it("lets a share of the samples differ where that is allowed", () => {
    expect(compareInput(summary, input(0.5, 9, 9, 9, 9, 1), { ...EXACT, inputOutliers: 0.5 })).toBeNull();
  });
});

describe("tolerances", () => {
  const contrast = { enabled: true };

  it("are those of exact inputs, unless contrast is enhanced", () => {
    expect(tolerancesFor({}, false)).toEqual(EXACT);
    expect(tolerancesFor({ image_pre_processing: { contrast: { enabled: false } } }, false)).toEqual(EXACT);
    expect(tolerancesFor({ image_pre_processing: { contrast } }, true)).toEqual(EXACT);
    expect(tolerancesFor({ image_pre_processing: { contrast } }, false).confidence).toBe(5e-3);
  });

  it("count grey levels in the scale of the network input", () => {
    const of = (network_input: object) => tolerancesFor({ image_pre_processing: { contrast }, network_input }, false).input;
    expect(of({})).toBe(2.5);
    expect(of({ scaling_factor: 255 })).toBeCloseTo(2.5 / 255);
    expect(
      of({
        scaling_factor: 255,
        normalization: [
          [0.5, 0.5, 0.5],
          [0.2, 0.25, 0.5],
        ],
      }),
    ).toBeCloseTo(2.5 / 255 / 0.2);
  });

  it("grow with the picture, and never shrink", () => {
    const inferenceSize = { width: 200, height: 100 };
    expect(scaled(EXACT, { originalSize: { width: 400, height: 300 }, inferenceSize }).box).toBeCloseTo(0.06);
    expect(scaled(EXACT, { originalSize: { width: 20, height: 10 }, inferenceSize }).box).toBe(EXACT.box);
  });
});

describe("arguments", () => {
  it("become options", () => {
    expect(
      toOptions({
        confidence: 0.3,
        iou_threshold: 0.5,
        max_detections: 7,
        class_agnostic_nms: true,
        image_size: [200, 140],
        input_color_format: "rgb",
        pre_processing_overrides: { disable_static_crop: true, disable_grayscale: false },
      }),
    ).toEqual({
      confidence: 0.3,
      iouThreshold: 0.5,
      maxDetections: 7,
      classAgnosticNms: true,
      imageSize: [200, 140],
      preprocessing: { staticCrop: false, grayscale: true, contrast: true },
    });
    expect(toOptions({ confidence: "best" })).toEqual({ confidence: "best" });
    expect(toLoadOptions({ recommended_parameters: { confidence: 0.5, per_class_confidence: { cat: 0.9 } } })).toEqual({
      recommendedParameters: { confidence: 0.5, perClassConfidence: { cat: 0.9 } },
    });
  });

  it.each<[string, Readonly<Record<string, unknown>>]>([
    ["an unknown argument", { text_prompt: "dog" }],
    ["null for a confidence", { confidence: null }],
    ["words for a confidence", { confidence: "0.5" }],
    ["an integer for a confidence", { confidence: { python_int: 1 } }],
  ])("leave out cases with %s", (_name, kwargs) => {
    expect(() => toOptions(kwargs)).toThrow(NotCovered);
  });

  it("leave out cases with unknown load arguments", () => {
    expect(() => toLoadOptions({ device: "cuda" })).toThrow(NotCovered);
  });
});

describe("expectation files", () => {
  const read = (kwargs: string) =>
    parseExpected(`{"stages": [], "cases": [{"kwargs": ${kwargs}, "predictions": [{"confidence": [1, 0]}]}]}`)?.cases[0];

  it("keep Python's integers apart from its floats where that matters", () => {
    expect(read('{"confidence": 1}')?.kwargs).toEqual({ confidence: { python_int: 1 } });
    expect(read('{"a": {"b": 2}, "confidence":0, "max_detections": 3}')?.kwargs).toEqual({
      a: { b: 2 },
      confidence: { python_int: 0 },
      max_detections: 3,
    });
    expect(read('{"confidence": 1.0}')?.kwargs).toEqual({ confidence: 1 });
    expect(read('{"confidence": 1e-1}')?.kwargs).toEqual({ confidence: 0.1 });
    expect(read("{}")?.predictions[0]?.confidence).toEqual([1, 0]);
  });

  it("that are about something else give null", () => {
    expect(parseExpected('{"variant": "rfdetr-nano", "runs": []}')).toBeNull();
  });
});
