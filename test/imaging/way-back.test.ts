import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { compilePreprocessPlan, maskGeometry, mapPointsBack, resolvePreprocess } from "../../src/imaging/index.js";

function geometryOf(width: number, height: number, resizeMode: "stretch" | "letterbox" | "center-crop", crop = false) {
  const plan = compilePreprocessPlan(
    {
      imagePreProcessing: {
        autoOrient: null,
        staticCrop: crop ? { enabled: true, xMin: 0, xMax: 50, yMin: 0, yMax: 100 } : null,
        contrast: null,
        grayscale: null,
      },
      networkInput: {
        trainingInputSize: { width: 640, height: 640 },
        datasetVersionResizeDimensions: null,
        dynamicSpatialSize: { kind: "fixed" },
        colorMode: "rgb",
        resizeMode,
        paddingValue: 114,
        inputChannels: 3,
        scalingFactor: 255,
        normalization: null,
      },
    },
    { pipeline: "shared" },
  );
  return resolvePreprocess(plan, { width, height, colorFormat: "rgb" }).geometry;
}

describe("the way back", () => {
  it("takes points to where they came from, for any picture and mode", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 4, max: 4000 }),
        fc.integer({ min: 4, max: 4000 }),
        fc.constantFrom("stretch", "letterbox", "center-crop"),
        fc.boolean(),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (width, height, mode, crop, share) => {
          const geometry = geometryOf(width, height, mode, crop);
          const { offsetX, offsetY, cropWidth, cropHeight } = geometry.staticCropOffset;
          const [x, y] = [offsetX + share * cropWidth, offsetY + share * cropHeight];
          const network = Float32Array.of(
            (x - offsetX) * geometry.scaleWidth + geometry.padLeft,
            (y - offsetY) * geometry.scaleHeight + geometry.padTop,
          );
          const [backX = NaN, backY = NaN] = mapPointsBack(network, geometry, { clamp: false });
          // float32 in network pixels, enlarged.
          const tolerance = 1e-3 * Math.max(1, 1 / geometry.scaleWidth, 1 / geometry.scaleHeight);
          expect(Math.abs(backX - x)).toBeLessThanOrEqual(tolerance);
          expect(Math.abs(backY - y)).toBeLessThanOrEqual(tolerance);
        },
      ),
    );
  });

  it("clamps to the original picture when asked", () => {
    const geometry = geometryOf(1920, 1080, "letterbox");
    expect([...mapPointsBack(Float32Array.of(-10, 9999), geometry, { clamp: true })]).toEqual([0, 1080]);
    expect(mapPointsBack(Float32Array.of(-10, 9999), geometry, { clamp: false })[0]).toBeLessThan(0);
  });

  it("trims masks by their pads, extends them where the picture was cut, pastes after any static crop", () => {
    const mask = { width: 160, height: 160 };
    expect(maskGeometry(geometryOf(1920, 1080, "letterbox"), mask)).toEqual({
      trim: { left: 0, top: 35, right: 0, bottom: 35 },
      resize: { width: 1920, height: 1080 },
      paste: null,
    });
    expect(maskGeometry(geometryOf(1000, 700, "center-crop"), mask).trim).toEqual({ left: -45, top: -8, right: -45, bottom: -8 });
    expect(maskGeometry(geometryOf(1000, 700, "stretch", true), mask).paste).toEqual({ left: 0, top: 0, width: 500, height: 700 });
  });
});
