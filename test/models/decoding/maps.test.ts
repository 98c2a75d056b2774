import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { createInferenceSession } from "../../../src/engines/index.js";
import { ModelInputError } from "../../../src/errors.js";
import { cpuDecoder, insertBackground, placementOf, referenceDecoder, sourceChannelIds } from "../../../src/models/decoding/index.js";
import type { Decoder, DenseMap, MapPlacement } from "../../../src/models/decoding/index.js";
import { loadAddon } from "../../../src/native/index.js";
import { buildModel } from "../../support/onnx-graphs.js";

const addon = loadAddon();
if (addon === null) process.stderr.write("the native decoder is skipped: the addon is not available\n");
const decoders: readonly (readonly [string, Decoder])[] = [
  ["reference", referenceDecoder],
  ...(addon === null ? [] : [["cpu", cpuDecoder(addon)] as const]),
];

const NO_TRIM = { left: 0, top: 0, right: 0, bottom: 0 };
const mapOf = (channels: number, height: number, width: number, data: readonly number[]): DenseMap => ({
  data: Float32Array.from(data),
  offset: 0,
  channels,
  height,
  width,
});
const filling = (width: number, height: number): MapPlacement => ({
  trim: NO_TRIM,
  resize: { width, height },
  canvas: { width, height, left: 0, top: 0 },
});

describe.each(decoders)("class maps, %s", (_, decoder) => {
  const settings = { classIds: Int32Array.of(0, 1), background: 0, thresholds: Float32Array.of(0.5) };

  it("give every pixel its most probable class, the first of equal ones", async () => {
    const logits = mapOf(2, 1, 3, [1, 0, 5, 0, 1, 5]);
    const { classMap, confidence } = await decoder.makeClassMap(logits, filling(3, 1), settings);
    expect([...classMap]).toEqual([0, 1, 0]);
    expect(confidence[1]).toBeCloseTo(Math.E / (1 + Math.E), 6);
    expect(confidence[2]).toBe(0.5);
  });

  it("make unsure pixels background with confidence 0, and keep the confidence of sure background", async () => {
    const logits = mapOf(2, 1, 2, [0, 5, 1, 0]);
    const strict = { ...settings, thresholds: Float32Array.of(0.9) };
    const { classMap, confidence } = await decoder.makeClassMap(logits, filling(2, 1), strict);
    expect([...classMap]).toEqual([0, 0]);
    expect(confidence[0]).toBe(0);
    expect(confidence[1]).toBeGreaterThan(0.99);
  });

  it("take thresholds by class", async () => {
    const logits = mapOf(2, 1, 1, [0, 1]);
    const thresholds = Float32Array.of(0, 0.8);
    expect([...(await decoder.makeClassMap(logits, filling(1, 1), { ...settings, thresholds })).classMap]).toEqual([0]);
  });

  it("read one channel as a sigmoid", async () => {
    const one = { classIds: Int32Array.of(1), background: 0, thresholds: Float32Array.of(0.5) };
    const { classMap, confidence } = await decoder.makeClassMap(mapOf(1, 1, 3, [-1, 0, 3]), filling(3, 1), one);
    expect([...classMap]).toEqual([0, 1, 1]);
    expect(confidence[2]).toBeCloseTo(1 / (1 + Math.exp(-3)), 6);
  });

  it("cut padding off, and paste what a static crop left", async () => {
    // The outer columns are padding and say class 1; the inner two are the picture.
    const logits = mapOf(2, 1, 4, [0, 9, 0, 0, 9, 0, 9, 9]);
    const placement = {
      trim: { left: 1, top: 0, right: 1, bottom: 0 },
      resize: { width: 2, height: 1 },
      canvas: { width: 4, height: 2, left: 1, top: 1 },
    };
    const { classMap } = await decoder.makeClassMap(logits, placement, settings);
    expect([...classMap]).toEqual([0, 0, 0, 0, 0, 0, 1, 0]);
  });

  it("call what the network never saw background, even where it stands last in the list", async () => {
    const logits = mapOf(2, 1, 2, [9, 9, 0, 0]);
    const placement = {
      trim: { left: -2, top: 0, right: 0, bottom: 0 },
      resize: { width: 4, height: 1 },
      canvas: { width: 4, height: 1, left: 0, top: 0 },
    };
    const last = { classIds: Int32Array.of(0, 1), background: 1, thresholds: Float32Array.of(0) };
    const { classMap, confidence } = await decoder.makeClassMap(logits, placement, last);
    expect([...classMap]).toEqual([1, 1, 0, 0]);
    expect([...confidence.subarray(0, 2)]).toEqual([0, 0]);
  });

  it("make NaN background", async () => {
    const { classMap, confidence } = await decoder.makeClassMap(mapOf(2, 1, 1, [Number.NaN, 1]), filling(1, 1), settings);
    expect([classMap[0], confidence[0]]).toEqual([0, 0]);
  });

  it("use 16 bits where ids need them", async () => {
    const wide = { ...settings, classIds: Int32Array.of(0, 300) };
    expect((await decoder.makeClassMap(mapOf(2, 1, 1, [0, 9]), filling(1, 1), wide)).classMap).toEqual(Uint16Array.of(300));
    expect((await decoder.makeClassMap(mapOf(2, 1, 1, [0, 9]), filling(1, 1), settings)).classMap).toBeInstanceOf(Uint8Array);
  });

  it.each<[string, DenseMap, MapPlacement]>([
    ["an array too short", { ...mapOf(2, 1, 2, [1, 2, 3, 4]), offset: 1 }, filling(2, 1)],
    ["a trim that leaves nothing", mapOf(2, 1, 1, [1, 2]), { ...filling(1, 1), trim: { left: 1, top: 0, right: 0, bottom: 0 } }],
    ["a trim beyond the map", mapOf(2, 1, 1, [1, 2]), { ...filling(1, 1), trim: { left: 5, top: 0, right: -9, bottom: 0 } }],
    ["a size of 0", mapOf(2, 1, 1, [1, 2]), filling(0, 1)],
    ["a part outside the picture", mapOf(2, 1, 1, [1, 2]), { ...filling(2, 2), canvas: { width: 2, height: 2, left: 1, top: 0 } }],
    ["fractions", mapOf(2, 1, 1, [1, 2]), filling(1.5, 1)],
  ])("refuse %s", async (_name, map, placement) => {
    await expect(decoder.makeClassMap(map, placement, settings)).rejects.toThrow(ModelInputError);
    await expect(decoder.makeValueMap(map, placement, "triangle")).rejects.toThrow(ModelInputError);
  });
});

describe.each(decoders)("value maps, %s", (_, decoder) => {
  it("interpolate when enlarging and average when shrinking", async () => {
    expect([...(await decoder.makeValueMap(mapOf(1, 1, 2, [0, 4]), filling(4, 1), "triangle"))]).toEqual([0, 1, 3, 4]);
    const [left = 0, right = 0] = await decoder.makeValueMap(mapOf(1, 1, 4, [0, 0, 8, 8]), filling(2, 1), "triangle");
    expect(left + right).toBeCloseTo(8, 5);
    expect(left).toBeGreaterThan(0);
  });

  it.each([
    [5, 4, 13, 9],
    [9, 9, 4, 5],
    [2, 1, 7, 3],
    [6, 6, 6, 6],
  ])(
    "interpolate a map of %i x %i by the cubic of the four nearest to %i x %i, as ONNX defines it",
    async (width, height, toWidth, toHeight) => {
      const map = mapOf(
        1,
        height,
        width,
        Array.from({ length: width * height }, (__, index) => Math.sin(index * 1.7) * 10),
      );
      await using session = await createInferenceSession(cubicResize(toWidth, toHeight), {});
      const { y } = await session.run({ x: { type: "float32", dims: [1, 1, height, width], data: map.data } });
      const values = await decoder.makeValueMap(map, filling(toWidth, toHeight), "nearest-cubic");
      values.forEach((value, index) => expect(value).toBeCloseTo((y?.data as Float32Array)[index]!, 4));
    },
  );

  it("refuse a filter that there is not", async () => {
    const filter = "lanczos" as "triangle";
    await expect(decoder.makeValueMap(mapOf(1, 1, 2, [0, 4]), filling(4, 1), filter)).rejects.toThrow(ModelInputError);
  });
});

/** torch exports `interpolate(x, size, mode="bicubic", align_corners=False)` like this. */
function cubicResize(width: number, height: number): Uint8Array {
  return buildModel({
    inputs: [{ name: "x", type: "float32", dims: [1, 1, "height", "width"] }],
    outputs: [{ name: "y", type: "float32", dims: [1, 1, height, width] }],
    nodes: [
      {
        op: "Resize",
        inputs: ["x", "", "", "sizes"],
        outputs: ["y"],
        attributes: {
          mode: { string: "cubic" },
          cubic_coeff_a: { float: -0.75 },
          coordinate_transformation_mode: { string: "pytorch_half_pixel" },
        },
      },
    ],
    initializers: [{ name: "sizes", dims: [4], data: BigInt64Array.of(1n, 1n, BigInt(height), BigInt(width)) }],
  });
}

const side = fc.integer({ min: 1, max: 9 });
const randomCase = fc
  .record({
    channels: fc.integer({ min: 1, max: 4 }),
    height: side,
    width: side,
    resize: fc.record({ width: side, height: side }),
    left: side,
    top: side,
  })
  .chain((shape) =>
    fc.record({
      shape: fc.constant(shape),
      data: fc.array(fc.oneof(fc.float({ min: -20, max: 20 }), fc.constant(0), fc.constant(Number.NaN), fc.constant(Infinity)), {
        minLength: shape.channels * shape.height * shape.width,
        maxLength: shape.channels * shape.height * shape.width,
      }),
      trim: fc.record({
        left: fc.integer({ min: -3, max: 0 }),
        top: fc.integer({ min: -3, max: Math.trunc((shape.height - 1) / 2) }),
        right: fc.integer({ min: -3, max: 0 }),
        bottom: fc.integer({ min: -3, max: Math.trunc((shape.height - 1) / 2) }),
      }),
      threshold: fc.float({ min: 0, max: 1, noNaN: true }),
      background: fc.integer({ min: 0, max: 3 }),
    }),
  );

describe.skipIf(addon === null)("the addon and the reference", () => {
  const cpu = addon === null ? referenceDecoder : cpuDecoder(addon);
  it("make the same maps, to the bit", () =>
    fc.assert(
      fc.asyncProperty(randomCase, async ({ shape, data, trim, threshold, background }) => {
        const map = mapOf(shape.channels, shape.height, shape.width, data);
        const canvas = {
          width: shape.resize.width + shape.left,
          height: shape.resize.height + shape.top,
          left: shape.left,
          top: shape.top,
        };
        const placement = { trim, resize: shape.resize, canvas };
        const settings = {
          classIds: Int32Array.from({ length: shape.channels }, (_, id) => id),
          background,
          thresholds: Float32Array.of(threshold),
        };
        expect(await cpu.makeClassMap(map, placement, settings)).toEqual(await referenceDecoder.makeClassMap(map, placement, settings));
        for (const filter of ["triangle", "nearest-cubic"] as const)
          expect(await cpu.makeValueMap(map, placement, filter)).toEqual(await referenceDecoder.makeValueMap(map, placement, filter));
      }),
      { numRuns: 300 },
    ));
});

describe("channels and classes", () => {
  it("are the same where every class has a channel", () => {
    expect([...sourceChannelIds(3, 3, 1)]).toEqual([0, 1, 2]);
  });
  it("skip the background where it has none", () => {
    expect([...sourceChannelIds(2, 3, 1)]).toEqual([0, 2]);
    expect([...sourceChannelIds(1, 2, 0)]).toEqual([1]);
    expect([...insertBackground(Int32Array.of(0, 1, 2), 0)]).toEqual([1, 2, 3]);
  });
});

describe("the place of a map", () => {
  const geometry = {
    padLeft: 0,
    padTop: 8,
    padRight: 0,
    padBottom: 8,
    originalSize: { width: 100, height: 60 },
    sizeAfterPreProcessing: { width: 64, height: 32 },
    inferenceSize: { width: 32, height: 32 },
    scaleWidth: 0.5,
    scaleHeight: 0.5,
    staticCropOffset: { offsetX: 10, offsetY: 20, cropWidth: 64, cropHeight: 32 },
    nonsquareIntermediateSize: null,
  };
  it("is without its padding, at its own resolution, where the crop was", () => {
    expect(placementOf(geometry, { width: 16, height: 16 })).toEqual({
      trim: { left: 0, top: 4, right: 0, bottom: 4 },
      resize: { width: 64, height: 32 },
      canvas: { width: 100, height: 60, left: 10, top: 20 },
    });
  });
});
