import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { compilePreprocessPlan, cpuExecutor, referenceExecutor, resolvePreprocess, type PixelImage } from "../../src/imaging/index.js";
import { loadAddon } from "../../src/native/index.js";

const addon = loadAddon();
if (addon === null) process.stderr.write("skipped: the addon is not available\n");

const side = fc.integer({ min: 1, max: 60 });
const config = fc.record({
  width: side,
  height: side,
  networkWidth: side,
  networkHeight: side,
  channels: fc.constantFrom<1 | 3 | 4>(1, 3, 4),
  resizeMode: fc.constantFrom("stretch", "letterbox", "center-crop", "fit-longer-edge", "letterbox-reflect-edges"),
  pipeline: fc.constantFrom("shared", "rf-detr"),
  dataset: fc.option(fc.record({ width: side, height: side })),
  colorMode: fc.constantFrom("rgb", "bgr"),
  colorFormat: fc.constantFrom("rgb", "bgr"),
  grayscale: fc.boolean(),
  contrast: fc.constantFrom(null, "contrast-stretching", "histogram-equalization", "adaptive-equalization"),
  scalingFactor: fc.constantFrom(null, 255, 127.5),
  normalized: fc.boolean(),
  crop: fc.boolean(),
  seed: fc.integer({ min: 0, max: 255 }),
});

function setUp(value: typeof config extends fc.Arbitrary<infer T> ? T : never) {
  const plan = compilePreprocessPlan(
    {
      imagePreProcessing: {
        autoOrient: null,
        staticCrop: value.crop ? { enabled: true, xMin: 10, xMax: 95, yMin: 5, yMax: 90 } : null,
        contrast: value.contrast === null ? null : { enabled: true, type: value.contrast as "contrast-stretching" },
        grayscale: { enabled: value.grayscale },
      },
      networkInput: {
        trainingInputSize: { width: value.networkWidth, height: value.networkHeight },
        datasetVersionResizeDimensions: value.dataset,
        dynamicSpatialSize: { kind: "fixed" },
        colorMode: value.colorMode,
        resizeMode: value.resizeMode,
        paddingValue: 114,
        inputChannels: 3,
        scalingFactor: value.scalingFactor,
        normalization: value.normalized ? { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] } : null,
      },
    },
    { pipeline: value.pipeline },
  );
  const { width, height, channels, colorFormat, seed } = value;
  const data = Uint8Array.from(
    { length: width * height * channels },
    (_, index) => (index * 97 + seed * 31 + ((index * index) >> 3)) & 255,
  );
  const image: PixelImage = { data, width, height, channels, colorFormat: colorFormat, borrowed: true };
  return { plan, image };
}

describe("plans and executors", () => {
  it.skipIf(addon === null)(
    "native and reference executors give the same bits for any plan and picture",
    async () => {
      if (addon === null) return;
      const native = cpuExecutor(addon);
      await fc.assert(
        fc.asyncProperty(config, async (value) => {
          const { plan, image } = setUp(value);
          fc.pre(!value.crop || (image.width > 3 && image.height > 3));
          const { steps } = resolvePreprocess(plan, image);
          const length = 3 * steps.output.width * steps.output.height;
          const [expected, actual] = [new Float32Array(length), new Float32Array(length)];
          await referenceExecutor.run(image, steps, expected);
          await native.run(image, steps, actual);
          expect(actual).toEqual(expected);
        }),
        { numRuns: 200 },
      );
    },
    60_000,
  );

  it("never leaves the picture or the canvas, and finds its way back", () => {
    fc.assert(
      fc.property(config, (value) => {
        const { plan, image } = setUp(value);
        fc.pre(!value.crop || (image.width > 3 && image.height > 3));
        const { steps, geometry } = resolvePreprocess(plan, image);
        expect(steps.crop.left + steps.crop.width).toBeLessThanOrEqual(image.width);
        expect(steps.crop.top + steps.crop.height).toBeLessThanOrEqual(image.height);
        const { scaleWidth, padLeft, staticCropOffset } = geometry;
        // Forward and back: the definition of the way back.
        const x = staticCropOffset.offsetX + steps.crop.width / 2;
        const network = (x - staticCropOffset.offsetX) * scaleWidth + padLeft;
        expect((network - padLeft) / scaleWidth + staticCropOffset.offsetX).toBeCloseTo(x, 6);
        for (const step of steps.geometry) if (step.kind === "resize") expect(Math.min(step.width, step.height)).toBeGreaterThanOrEqual(1);
      }),
    );
  });
});
