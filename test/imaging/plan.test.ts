import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { InferenceModelsError } from "../../src/errors.js";
import {
  compilePreprocessPlan,
  compileSamplePlan,
  patchSize,
  requireBatchable,
  resolvePreprocess,
  type ResolvedPreprocess,
  type ResolveOptions,
} from "../../src/imaging/index.js";

type Config = Parameters<typeof compilePreprocessPlan>[0];
type NetworkInput = Config["networkInput"];

interface Setup {
  readonly network?: Partial<NetworkInput>;
  readonly crop?: readonly [xMin: number, xMax: number, yMin: number, yMax: number];
  readonly pipeline?: "shared" | "rf-detr" | "patches";
}

function planOf({ network = {}, crop, pipeline = "shared" }: Setup) {
  const [xMin = 0, xMax = 0, yMin = 0, yMax = 0] = crop ?? [];
  return compilePreprocessPlan(
    {
      imagePreProcessing: {
        autoOrient: null,
        staticCrop: crop === undefined ? null : { enabled: true, xMin, xMax, yMin, yMax },
        contrast: null,
        grayscale: null,
      },
      networkInput: {
        trainingInputSize: { width: 640, height: 640 },
        datasetVersionResizeDimensions: null,
        dynamicSpatialSize: { kind: "fixed" },
        colorMode: "rgb",
        resizeMode: "stretch",
        paddingValue: null,
        inputChannels: 3,
        scalingFactor: 255,
        normalization: null,
        ...network,
      },
    },
    { pipeline },
  );
}

function resolve(setup: Setup, width: number, height: number, options: ResolveOptions = {}): ResolvedPreprocess {
  return resolvePreprocess(planOf(setup), { width, height, colorFormat: "rgb" }, options);
}

const codeOf = (run: () => unknown): string => {
  try {
    run();
    return "accepted";
  } catch (error) {
    if (InferenceModelsError.is(error)) return error.code;
    throw error;
  }
};

describe("resize modes", () => {
  const half: Setup["crop"] = [25, 75, 10, 90];
  it.each([
    ["stretch", 1920, 1080, [640, 640], undefined, [0, 0, 0, 0], [1 / 3, 0.5925925925925926], [0, 0]],
    ["stretch", 1920, 1080, [640, 640], half, [0, 0, 0, 0], [2 / 3, 0.7407407407407407], [480, 108]],
    ["letterbox", 1920, 1080, [640, 640], undefined, [0, 140, 0, 140], [1 / 3, 1 / 3], [0, 0]],
    ["letterbox", 77, 77, [640, 640], undefined, [0, 0, 1, 1], [8.311688311688311, 8.311688311688311], [0, 0]],
    ["letterbox-reflect-edges", 1001, 667, [640, 480], undefined, [0, 27, 0, 27], [0.6393606393606394, 0.6393606393606394], [0, 0]],
    ["letterbox", 1920, 1080, [640, 640], half, [0, 32, 0, 32], [2 / 3, 2 / 3], [480, 108]],
    ["center-crop", 1000, 500, [640, 640], undefined, [-180, 70, -180, 70], [1, 1], [0, 0]],
    ["center-crop", 647, 643, [640, 640], undefined, [-3, -1, -4, -2], [1, 1], [0, 0]],
    ["center-crop", 500, 501, [640, 640], undefined, [70, 69, 70, 70], [1, 1], [0, 0]],
    ["fit-longer-edge", 333, 517, [640, 640], undefined, [0, 0, 0, 0], [412 / 333, 640 / 517], [0, 0]],
  ] as const)("%s of %i x %i to %j, crop %j", (resizeMode, width, height, [targetWidth, targetHeight], crop, pads, scales, offset) => {
    const network = { resizeMode, trainingInputSize: { width: targetWidth, height: targetHeight } };
    const { geometry } = resolve({ network, ...(crop === undefined ? {} : { crop }) }, width, height);
    expect([geometry.padLeft, geometry.padTop, geometry.padRight, geometry.padBottom]).toEqual(pads);
    expect([geometry.scaleWidth, geometry.scaleHeight]).toEqual(scales);
    expect([geometry.staticCropOffset.offsetX, geometry.staticCropOffset.offsetY]).toEqual(offset);
  });

  it("gives each picture of fit-longer-edge its own size, so there are no batches of them", () => {
    const network = { resizeMode: "fit-longer-edge" } as const;
    expect(resolve({ network }, 333, 517).steps.output).toEqual({ width: 412, height: 640 });
    expect(codeOf(() => requireBatchable(planOf({ network }), 1))).toBe("accepted");
    expect(codeOf(() => requireBatchable(planOf({ network }), 2))).toBe("MODEL_RUNTIME");
    expect(codeOf(() => requireBatchable(planOf({}), 2))).toBe("accepted");
  });
});

describe("RF-DETR", () => {
  it("stretches by Pillow's rules whatever the mode, without dataset dimensions", () => {
    const { steps, geometry } = resolve({ pipeline: "rf-detr", network: { resizeMode: "letterbox" } }, 1920, 1080);
    expect(steps.geometry).toMatchObject([{ filter: "pillow", width: 640, height: 640 }]);
    expect(geometry).toMatchObject({ padTop: 0, scaleHeight: 640 / 1080, nonsquareIntermediateSize: null });
  });

  it("resizes twice with them; the way back starts at the first of the two sizes", () => {
    const network = {
      resizeMode: "letterbox",
      trainingInputSize: { width: 560, height: 560 },
      datasetVersionResizeDimensions: { width: 640, height: 480 },
    } as const;
    const { steps, geometry } = resolve({ pipeline: "rf-detr", network }, 1920, 1080);
    expect(steps.geometry).toMatchObject([
      { filter: "linear", width: 640, height: 360, canvas: { width: 640, height: 480, top: 60 } },
      { filter: "pillow", width: 560, height: 560 },
    ]);
    expect(geometry).toMatchObject({
      padTop: 60,
      padBottom: 60,
      scaleWidth: 1 / 3,
      inferenceSize: { width: 560, height: 560 },
      nonsquareIntermediateSize: { width: 640, height: 480 },
    });
  });

  it.each([
    [
      { scalingFactor: null, normalization: null },
      { divisor: 255, factor: null },
    ],
    [
      { scalingFactor: 255, normalization: null },
      { divisor: 255, factor: null },
    ],
    [
      { scalingFactor: 127.5, normalization: null },
      { divisor: 255, factor: 2 },
    ],
    [
      { scalingFactor: 127.5, normalization: { mean: [0, 0, 0], std: [1, 1, 1] } },
      { divisor: 255, factor: null },
    ],
  ] as const)("numbers of %j", (network, expected) => {
    expect(planOf({ pipeline: "rf-detr", network }).normalization).toMatchObject(expected);
  });
});

describe("network size of a call", () => {
  const sizeOf = (dynamicSpatialSize: NetworkInput["dynamicSpatialSize"], imageSize: unknown) => {
    const { steps, imageSizeIgnored } = resolve({ network: { dynamicSpatialSize } }, 100, 50, { imageSize: imageSize as number });
    return [steps.output.width, steps.output.height, imageSizeIgnored];
  };

  it("is rounded up, taken as it is, or ignored and reported, as the package says", () => {
    expect(sizeOf({ kind: "divisible", by: 32 }, [321, 320])).toEqual([352, 320, false]);
    expect(sizeOf({ kind: "any" }, 321.9)).toEqual([321, 321, false]);
    expect(sizeOf({ kind: "fixed" }, 320)).toEqual([640, 640, true]);
    expect(sizeOf({ kind: "fixed" }, [640, 640])).toEqual([640, 640, false]);
    expect(sizeOf({ kind: "unspecified" }, 640)).toEqual([640, 640, false]);
    expect(codeOf(() => sizeOf({ kind: "unspecified" }, 320))).toBe("MODEL_RUNTIME");
  });

  const impossible = [
    0,
    -1,
    65_536,
    NaN,
    Infinity,
    null,
    "640",
    {},
    [640],
    [640, 0],
    [640, 640, 3],
    [1.5, 2],
    Symbol("n"),
    Object.create(null),
  ];
  it("is never an impossible one", () => {
    for (const imageSize of impossible) {
      for (const kind of ["any", "fixed", "unspecified"] as const) expect(codeOf(() => sizeOf({ kind }, imageSize))).toBe("INVALID_OPTION");
    }
  });

  it("does not grow past the largest side by rounding", () => {
    expect(codeOf(() => sizeOf({ kind: "divisible", by: 32 }, 65_535))).toBe("INVALID_OPTION");
  });
});

describe("plans", () => {
  it("cannot be changed", () => {
    const inside = (value: unknown): boolean =>
      typeof value !== "object" || value === null || (Object.isFrozen(value) && Object.values(value).every(inside));
    const normalization = { mean: [0, 0, 0], std: [1, 1, 1] };
    const network = { normalization, datasetVersionResizeDimensions: { width: 8, height: 8 }, resizeMode: "letterbox" } as const;
    expect(inside(planOf({ network, crop: [0, 50, 0, 50], pipeline: "rf-detr" }))).toBe(true);
    expect(inside(compileSamplePlan({ width: 8, height: 8, divisor: 1, mean: [0, 0, 0], std: [1, 1, 1] }))).toBe(true);
  });

  it("refuses networks of other than three channels and crops that leave nothing", () => {
    expect(codeOf(() => resolve({ network: { inputChannels: 1 } }, 10, 10))).toBe("MODEL_RUNTIME");
    expect(codeOf(() => resolve({ crop: [50, 51, 0, 100] }, 10, 10))).toBe("MODEL_INPUT");
    expect(resolve({ crop: [50, 51, 0, 100] }, 10, 10, { overrides: { staticCrop: false } }).steps.crop).toEqual({
      left: 0,
      top: 0,
      width: 10,
      height: 10,
    });
  });

  it("takes percent of a side in the order that makes 29 % of 100 be 28", () => {
    expect(resolve({ crop: [29, 100, 0, 100] }, 100, 100).steps.crop.left).toBe(28);
  });

  it("samples the square around the picture, with pads that lead back", () => {
    const plan = compileSamplePlan({ width: 128, height: 128, divisor: 127.5, mean: [1, 1, 1], std: [1, 1, 1] });
    const { steps, geometry } = resolvePreprocess(plan, { width: 301, height: 200, colorFormat: "bgr" });
    expect(steps).toMatchObject({
      geometry: [{ kind: "sample", originX: 0, originY: -50.5, stepX: 301 / 128, stepY: 301 / 128 }],
      swapChannels: true,
    });
    // Network row 0 lies half a square's overhang above the picture.
    expect((0 - geometry.padTop) / geometry.scaleHeight).toBeCloseTo(-50.5, 9);
    expect((128 - geometry.padLeft) / geometry.scaleWidth).toBeCloseTo(301, 9);
  });

  const side = fc.oneof(fc.integer({ min: 1, max: 70 }), fc.integer({ min: 1, max: 65_535 }));
  const percent = fc.integer({ min: 0, max: 100 });
  it("stay inside the picture and the canvas for any size, crop and mode, or refuse", () => {
    fc.assert(
      fc.property(
        fc.record({
          width: side,
          height: side,
          target: fc.record({ width: side, height: side }),
          dataset: fc.option(fc.record({ width: side, height: side })),
          crop: fc.tuple(percent, percent, percent, percent),
          resizeMode: fc.constantFrom("stretch", "letterbox", "center-crop", "fit-longer-edge", "letterbox-reflect-edges"),
          pipeline: fc.constantFrom("shared", "rf-detr"),
        }),
        ({ width, height, target, dataset, crop, resizeMode, pipeline }) => {
          const network = { resizeMode, trainingInputSize: target, datasetVersionResizeDimensions: dataset };
          const plan = planOf({ network, crop, pipeline });
          let resolved: ResolvedPreprocess;
          try {
            resolved = resolvePreprocess(plan, { width, height, colorFormat: "rgb" });
          } catch (error) {
            expect(InferenceModelsError.is(error) && error.code).toBe("MODEL_INPUT");
            return;
          }
          const { steps, geometry } = resolved;
          expect(Math.min(steps.crop.left, steps.crop.top)).toBeGreaterThanOrEqual(0);
          expect(Math.min(steps.crop.width, steps.crop.height)).toBeGreaterThanOrEqual(1);
          expect(steps.crop.left + steps.crop.width).toBeLessThanOrEqual(width);
          expect(steps.crop.top + steps.crop.height).toBeLessThanOrEqual(height);
          for (const step of steps.geometry) {
            if (step.kind !== "resize") throw new Error("no sampling was planned");
            const { canvas } = step;
            expect(Math.min(step.width, step.height, canvas.width, canvas.height)).toBeGreaterThanOrEqual(1);
            // Some of the picture is visible, and what sticks out is only what center-crop cuts off.
            expect(Math.min(canvas.left + step.width, canvas.width)).toBeGreaterThan(Math.max(canvas.left, 0));
            expect(Math.min(canvas.top + step.height, canvas.height)).toBeGreaterThan(Math.max(canvas.top, 0));
            if (step.filter !== "none") {
              expect(Math.min(canvas.left, canvas.top)).toBeGreaterThanOrEqual(0);
              expect(canvas.left + step.width).toBeLessThanOrEqual(canvas.width);
              expect(canvas.top + step.height).toBeLessThanOrEqual(canvas.height);
            }
          }
          expect(steps.geometry.at(-1)).toMatchObject({ canvas: steps.output });
          const first = steps.geometry[0];
          if (first?.kind !== "resize") throw new Error("there is no first step");
          expect(geometry.padLeft + first.width + geometry.padRight).toBe(first.canvas.width);
          expect(geometry.padTop + first.height + geometry.padBottom).toBe(first.canvas.height);
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe("whole patches", () => {
  const target = { width: 518, height: 518 };
  // Recorded with DPTImageProcessor of transformers 4.46.3, keep_aspect_ratio, ensure_multiple_of 14.
  it.each([
    [640, 480, 686, 518],
    [480, 640, 518, 686],
    [518, 518, 518, 518],
    [100, 100, 518, 518],
    [1920, 1080, 924, 518],
    [4032, 3024, 686, 518],
    [333, 1000, 168, 518],
    [2000, 700, 1484, 518],
  ])("give a picture of %i x %i a network of %i x %i", (width, height, networkWidth, networkHeight) => {
    expect(patchSize({ width, height }, target, 14)).toEqual({ width: networkWidth, height: networkHeight });
  });

  it("are at least one on each side, and no more than a picture may have", () => {
    expect(patchSize({ width: 10_000, height: 10 }, target, 14)).toEqual({ width: 518, height: 14 });
    expect(() => patchSize({ width: 60_000, height: 300 }, target, 14)).toThrow(/too long/);
  });

  const free: Partial<NetworkInput> = { trainingInputSize: target, dynamicSpatialSize: { kind: "divisible", by: 14 } };
  it("follow the size of the call, each picture in its shape", () => {
    const sizeOf = (options?: ResolveOptions) => resolve({ network: free, pipeline: "patches" }, 640, 480, options).geometry.inferenceSize;
    expect(sizeOf()).toEqual({ width: 686, height: 518 });
    expect(sizeOf({ imageSize: 250 })).toEqual({ width: 336, height: 252 });
  });

  it("stretch a picture by the cubic where the network has one size", () => {
    const { steps } = resolve({ network: { trainingInputSize: target }, pipeline: "patches" }, 640, 480);
    expect(steps.geometry).toMatchObject([{ filter: "cubic", width: 518, height: 518 }]);
  });
});
