import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { roundHalfEven, type Geometry } from "../../../src/imaging/index.js";
import { mapBoxesBack } from "../../../src/models/decoding/index.js";

/** A 200 x 100 part at (30, 40) of a 400 x 300 picture, halved and centred on 128 x 128. */
const GEOMETRY: Geometry = {
  padLeft: 14,
  padTop: 39,
  padRight: 14,
  padBottom: 39,
  originalSize: { width: 400, height: 300 },
  sizeAfterPreProcessing: { width: 200, height: 100 },
  inferenceSize: { width: 128, height: 128 },
  scaleWidth: 0.5,
  scaleHeight: 0.5,
  staticCropOffset: { offsetX: 30, offsetY: 40, cropWidth: 200, cropHeight: 100 },
  nonsquareIntermediateSize: null,
};
const box = (...xyxy: readonly number[]) => ({ xyxy: Float32Array.from(xyxy) });

describe("mapBoxesBack", () => {
  it("takes off padding, scale and crop", () => {
    expect(mapBoxesBack(box(14, 39, 114, 89), GEOMETRY, { rounding: "half-even", clamp: true })).toEqual(Int32Array.of(30, 40, 230, 140));
    expect(mapBoxesBack(box(14.1, 39, 114, 89), GEOMETRY, { rounding: "none", clamp: true })[0]).toBeCloseTo(30.2, 4);
  });

  it("clamps to the whole picture, borders included, and only when asked", () => {
    expect(mapBoxesBack(box(-900, -900, 900, 900), GEOMETRY, { rounding: "half-even", clamp: true })).toEqual(
      Int32Array.of(0, 0, 400, 300),
    );
    expect(mapBoxesBack(box(0, 0, 300, 0), GEOMETRY, { rounding: "half-even", clamp: false })).toEqual(Int32Array.of(2, -38, 602, -38));
  });

  it("rounds halves to even after clamping", () => {
    const geometry = {
      ...GEOMETRY,
      padLeft: 0,
      padTop: 0,
      scaleWidth: 1,
      scaleHeight: 1,
      staticCropOffset: { ...GEOMETRY.staticCropOffset, offsetX: 0, offsetY: 0 },
    };
    expect(mapBoxesBack(box(0.5, 1.5, 2.5, 3.5), geometry, { rounding: "half-even", clamp: true })).toEqual(Int32Array.of(0, 2, 2, 4));
  });

  it("takes fractions of the intermediate size where there is one", () => {
    const plain = {
      ...GEOMETRY,
      padLeft: 0,
      padTop: 0,
      scaleWidth: 1,
      scaleHeight: 1,
      staticCropOffset: { ...GEOMETRY.staticCropOffset, offsetX: 0, offsetY: 0 },
    };
    const options = { rounding: "half-even", clamp: true, fractions: true } as const;
    expect(mapBoxesBack(box(0, 0, 0.5, 0.25), plain, options)).toEqual(Int32Array.of(0, 0, 64, 32));
    const intermediate = { ...plain, nonsquareIntermediateSize: { width: 100, height: 60 } };
    expect(mapBoxesBack(box(0, 0, 0.5, 0.25), intermediate, options)).toEqual(Int32Array.of(0, 0, 50, 15));
  });

  it("saturates instead of wrapping around", () => {
    expect(mapBoxesBack(box(1e30, -1e30, Infinity, Number.NaN), GEOMETRY, { rounding: "half-even", clamp: false })).toEqual(
      Int32Array.of(2 ** 31 - 1, -(2 ** 31), 2 ** 31 - 1, 0),
    );
  });

  it("leaves the network's boxes as they are", () => {
    const rows = box(14, 39, 114, 89);
    mapBoxesBack(rows, GEOMETRY, { rounding: "none", clamp: true });
    expect(rows).toEqual(box(14, 39, 114, 89));
  });
});

describe("roundHalfEven", () => {
  it.each([
    [0.5, 0],
    [1.5, 2],
    [2.5, 2],
    [-0.5, 0],
    [-1.5, -2],
    [-2.5, -2],
    [0.49999999999999994, 0],
    [2 ** 53, 2 ** 53],
  ])("%s becomes %s", (value, expected) => {
    expect(roundHalfEven(value) + 0).toBe(expected);
  });

  it("is the nearest integer, and even where two are", () =>
    fc.assert(
      fc.property(
        fc.oneof(
          fc.float({ min: -1e6, max: 1e6, noNaN: true }),
          fc.integer({ min: -1e6, max: 1e6 }).map((n) => n / 2),
        ),
        (value) => {
          const rounded = roundHalfEven(value);
          const distance = Math.abs(value - rounded);
          return Number.isInteger(rounded) && (distance < 0.5 || (distance === 0.5 && rounded % 2 === 0));
        },
      ),
    ));
});
