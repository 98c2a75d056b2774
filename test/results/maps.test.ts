import { describe, expect, it } from "vitest";
import { InvalidParameterError } from "../../src/errors.js";
import { annotate, colourOfClass } from "../../src/results/drawing/index.js";
import { createDepthMap, createSemanticSegmentation, fromTransferable, toTransferable } from "../../src/results/index.js";

const image = { width: 4, height: 2, exifOrientation: 1, orientationApplied: false };
const segmentation = () =>
  createSemanticSegmentation({
    image,
    classMap: Uint8Array.of(0, 0, 1, 1, 1, 2, 2, 0),
    confidence: new Float32Array(8).fill(0.5),
    backgroundId: 0,
    classNames: ["background", "road", "car"],
  });
const depth = (unit: "meters" | "relative" = "meters") =>
  createDepthMap({ image, values: Float32Array.of(1, 2, 3, 4, 5, 6, 7, Number.NaN), unit });

describe("a class map", () => {
  it("answers for pixels, classes and areas", () => {
    const map = segmentation();
    expect([map.width, map.height, map.classAt(2, 0), map.classAt(1, 1)]).toEqual([4, 2, 1, 2]);
    expect([map.classAt(4, 0), map.classAt(0, -1), map.classAt(0.5, 0)]).toEqual([undefined, undefined, undefined]);
    expect([...map.pixelsPerClass()]).toEqual([3, 3, 2]);
    expect([...map.mask(2)]).toEqual([0, 0, 0, 0, 0, 1, 1, 0]);
  });

  it("becomes JSON as runs", () => {
    expect(segmentation().toJSON()).toMatchObject({
      classes: [{ class: "background", pixels: 3 }, { class: "road" }, { class: "car", pixels: 2 }],
      class_map_runs: [0, 2, 1, 3, 2, 2, 0, 1],
    });
  });

  it("must fit its picture", () => {
    const { image: _image, ...columns } = segmentation();
    expect(() => createSemanticSegmentation({ ...columns, image: { ...image, width: 5 } })).toThrow(InvalidParameterError);
    expect(() => createSemanticSegmentation({ ...columns, image, backgroundId: 3 })).toThrow(InvalidParameterError);
  });

  it("crosses a worker's border", () => {
    const { data, transferList } = toTransferable(segmentation());
    expect(fromTransferable(structuredClone(data, { transfer: transferList })).toJSON()).toEqual(segmentation().toJSON());
  });
});

describe("a depth map", () => {
  it("knows its range, NaN left out, and its pixels", () => {
    expect(depth().range()).toEqual({ minimum: 1, maximum: 7 });
    expect([depth().at(1, 1), depth().at(9, 9)]).toEqual([6, undefined]);
  });

  it("becomes JSON that holds every value", () => {
    const { values_base64: text, minimum } = depth().toJSON();
    expect(minimum).toBe(1);
    expect(new Float32Array(new Uint8Array(Buffer.from(text, "base64")).buffer)).toEqual(depth().values);
  });

  it("crosses a worker's border", () => {
    const { data, transferList } = toTransferable(depth());
    expect(fromTransferable(structuredClone(data, { transfer: transferList })).values).toEqual(depth().values);
  });
});

describe("drawing", () => {
  const [width, height] = [120, 60];
  const picture = { data: new Uint8Array(width * height * 3).fill(100), width, height, channels: 3, colorFormat: "rgb" } as const;
  const large = { width, height, exifOrientation: 1, orientationApplied: false };
  const pixel = (data: Uint8Array, x: number, y: number): readonly number[] => [
    ...data.subarray((y * width + x) * 3, (y * width + x) * 3 + 3),
  ];

  it("coats classes and leaves the background as it is", async () => {
    const classMap = new Uint8Array(width * height);
    classMap.fill(1, width * 30);
    const map = createSemanticSegmentation({
      image: large,
      classMap,
      confidence: new Float32Array(width * height),
      backgroundId: 0,
      classNames: ["background", "road"],
    });
    const { data } = await annotate(picture, map);
    expect(pixel(data, 100, 10)).toEqual([100, 100, 100]);
    expect(pixel(data, 100, 50)).toEqual(colourOfClass(1).map((value) => Math.round(100 + (value - 100) * 0.55)));
    // The legend.
    expect(pixel(data, 1, 1)).toEqual([...colourOfClass(1)]);
  });

  it("paints near pixels brighter than far ones, whichever way the unit counts", async () => {
    const values = Float32Array.from({ length: width * height }, (_, index) => (index % width < 60 ? 1 : 9));
    const brightness = async (unit: "meters" | "relative", x: number): Promise<number> => {
      const { data } = await annotate(picture, createDepthMap({ image: large, values, unit }));
      return pixel(data, x, 50).reduce((sum, value) => sum + value, 0);
    };
    expect(await brightness("meters", 10)).toBeGreaterThan(await brightness("meters", 110));
    expect(await brightness("relative", 10)).toBeLessThan(await brightness("relative", 110));
  });
});
