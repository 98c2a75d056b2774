import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ImageDecodingError, InvalidParameterError } from "../../src/errors.js";
import { annotate, colourOfClass, saveAnnotated } from "../../src/results/drawing/index.js";
import { createDetections, createInstanceDetections, createKeyPoints, createMasks } from "../../src/results/index.js";
import type { Detections } from "../../src/results/index.js";

const [WIDTH, HEIGHT] = [200, 150];

function gray(value = 90): { data: Uint8Array; width: number; height: number; channels: 3; colorFormat: "rgb" } {
  return { data: new Uint8Array(WIDTH * HEIGHT * 3).fill(value), width: WIDTH, height: HEIGHT, channels: 3, colorFormat: "rgb" };
}

function oneBox(box: readonly [number, number, number, number], orientation = 1, size = [WIDTH, HEIGHT] as const): Detections {
  return createDetections({
    image: { width: size[0], height: size[1], exifOrientation: orientation, orientationApplied: orientation !== 1 },
    xyxy: Int32Array.from(box),
    classId: Int32Array.from([2]),
    confidence: Float32Array.from([0.93]),
    classNames: ["person", "car", "face"],
  });
}

const pixel = (data: Uint8Array, x: number, y: number, width = WIDTH): number[] => [
  ...data.subarray((y * width + x) * 3, (y * width + x) * 3 + 3),
];

describe("annotate", () => {
  it("draws the frame in the colour of the class and leaves its inside and the original alone", async () => {
    const picture = gray();
    const { data } = await annotate(picture, oneBox([50, 60, 150, 120]), { label: () => null });
    expect(pixel(data, 50, 90)).toEqual([...colourOfClass(2)]);
    expect(pixel(data, 149, 90)).toEqual([...colourOfClass(2)]);
    expect(pixel(data, 100, 90)).toEqual([90, 90, 90]);
    expect(pixel(data, 20, 20)).toEqual([90, 90, 90]);
    expect(picture.data.every((value) => value === 90)).toBe(true);
  });

  it("draws the outline of a region that lies at an angle, instead of the box around it", async () => {
    const upright = oneBox([50, 60, 150, 120]);
    const { image, xyxy, classId, confidence, classNames } = upright;
    const corners = [
      [100, 60],
      [150, 90],
      [100, 120],
      [50, 90],
    ];
    const leaning = createDetections({ image, xyxy, classId, confidence, classNames, data: [{ polygon: corners }] });
    const { data } = await annotate(gray(), leaning, { label: () => null });
    // Lines at an angle are smoothed, so no pixel need have exactly their colour.
    const distance = (x: number): number =>
      Math.max(...pixel(data, x, 75).map((value, channel) => Math.abs(value - (colourOfClass(2)[channel] ?? NaN))));
    expect(Math.min(...[72, 73, 74, 75, 76, 77, 78].map(distance))).toBeLessThan(40);
    expect(pixel(data, 52, 62)).toEqual([90, 90, 90]);
    expect(pixel(data, 100, 90)).toEqual([90, 90, 90]);
    const odd = createDetections({ image, xyxy, classId, confidence, classNames, data: [{ polygon: [["x", 1], null, 3] }] });
    expect((await annotate(gray(), odd)).data).toEqual((await annotate(gray(), upright)).data);
  });

  it("lays masks under a veil of their colour, with a line around them, unless they are switched off", async () => {
    const inside = (pixelNumber: number): number => {
      const [x, y] = [pixelNumber % WIDTH, Math.floor(pixelNumber / WIDTH)];
      return x >= 60 && x < 140 && y >= 70 && y < 110 ? 1 : 0;
    };
    const data = Uint8Array.from({ length: WIDTH * HEIGHT }, (_, pixelNumber) => inside(pixelNumber));
    const result = createInstanceDetections({
      detections: oneBox([50, 60, 150, 120]),
      masks: createMasks({ format: "dense", width: WIDTH, height: HEIGHT, length: 1, data }),
    });
    const drawn = await annotate(gray(), result, { label: () => null, boxes: false });
    const veiled = colourOfClass(2).map((value) => Math.round(90 + (value - 90) * 0.4));
    expect(pixel(drawn.data, 100, 90)).toEqual(veiled);
    expect(pixel(drawn.data, 55, 65)).toEqual([90, 90, 90]);
    const border = pixel(drawn.data, 60, 90);
    expect(border).not.toEqual(veiled);
    expect(border).not.toEqual([90, 90, 90]);
    const without = await annotate(gray(), result, { label: () => null, masks: false });
    expect(pixel(without.data, 100, 90)).toEqual([90, 90, 90]);
    expect(pixel(without.data, 50, 90)).toEqual([...colourOfClass(2)]);
  });

  it("puts the tag above the box, or inside where there is no room", async () => {
    const above = await annotate(gray(), oneBox([50, 60, 150, 120]));
    expect(pixel(above.data, 51, 55)).toEqual([...colourOfClass(2)]);
    const inside = await annotate(gray(), oneBox([50, 0, 150, 120]));
    expect(pixel(inside.data, 52, 2)).toEqual([...colourOfClass(2)]);
  });

  it("writes text that differs with the label, also for characters without a glyph", async () => {
    const drawn = await Promise.all(
      ["face", "fact", "日本"].map((text) => annotate(gray(), oneBox([50, 60, 150, 120]), { label: () => text })),
    );
    const texts = drawn.map(({ data }) => Buffer.from(data).toString("base64"));
    expect(new Set(texts).size).toBe(3);
  });

  it("has a glyph for every printable ASCII character", async () => {
    const draw = async (text: string): Promise<string> =>
      Buffer.from((await annotate(gray(), oneBox([50, 60, 150, 120]), { label: () => text })).data).toString("base64");
    const unknown = await draw("日");
    for (let code = 33; code < 127; code++) expect(await draw(String.fromCharCode(code)), String.fromCharCode(code)).not.toBe(unknown);
  });

  it("survives boxes outside the picture, without area, or far too large", async () => {
    for (const box of [
      [-500, -500, -10, -10],
      [50, 50, 50, 50],
      [-100000, -100000, 100000, 100000],
      [500, 500, 600, 600],
    ] as const) {
      expect((await annotate(gray(), oneBox(box))).data).toHaveLength(WIDTH * HEIGHT * 3);
    }
  });

  it("marks visible key points and joins them; invisible ones are left out", async () => {
    const keyPoints = createKeyPoints({
      detections: oneBox([20, 40, 180, 140]),
      slots: 3,
      xy: Int32Array.from([40, 60, 160, 60, 100, 130]),
      confidence: Float32Array.from([1, 1, 0]),
      classes: [0, 1, 2].map((id) => ({
        name: `class ${id}`,
        points: ["a", "b", "c"],
        edges: [
          [0, 1],
          [1, 2],
        ] as const,
      })),
    });
    const { data } = await annotate(gray(), keyPoints, { label: () => null, boxes: false });
    expect(pixel(data, 40, 60)).toEqual([...colourOfClass(2)]);
    expect(pixel(data, 100, 60)).toEqual([...colourOfClass(2)]);
    expect(pixel(data, 100, 130)).toEqual([90, 90, 90]);
    expect(pixel(data, 130, 95)).toEqual([90, 90, 90]);
  });

  it.each([
    ["bgr", { channels: 3, colorFormat: "bgr", data: [30, 20, 10] }],
    ["rgba", { channels: 4, colorFormat: "rgb", data: [10, 20, 30, 255] }],
  ] as const)("takes %s pixels and answers in rgb", async (_name, { channels, colorFormat, data }) => {
    const bytes = Uint8Array.from({ length: WIDTH * HEIGHT * channels }, (_, index) => data[index % channels] ?? 0);
    const drawn = await annotate({ data: bytes, width: WIDTH, height: HEIGHT, channels, colorFormat }, oneBox([50, 60, 150, 120]));
    expect(pixel(drawn.data, 5, 5)).toEqual([10, 20, 30]);
  });

  it("refuses a picture of another size than the result's", async () => {
    await expect(annotate({ ...gray(), height: HEIGHT - 1 }, oneBox([0, 0, 5, 5]))).rejects.toThrow(InvalidParameterError);
  });
});

describe("saveAnnotated", () => {
  let folder = "";
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "inference-models-drawing-"));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it.each(["png", "jpg", "webp"])("writes %s into a folder that did not exist", async (ending) => {
    const path = join(folder, "new", `picture.${ending}`);
    await saveAnnotated(path, gray(), oneBox([50, 60, 150, 120]));
    const { format, width, height } = await sharp(path).metadata();
    expect([format, width, height]).toEqual([ending === "jpg" ? "jpeg" : ending, WIDTH, HEIGHT]);
  });

  it("turns a file upright exactly if the result's picture was", async () => {
    const path = join(folder, "turned.jpg");
    await sharp(gray().data, { raw: { width: WIDTH, height: HEIGHT, channels: 3 } })
      .withMetadata({ orientation: 6 })
      .jpeg()
      .toFile(path);
    const upright = await annotate(path, oneBox([10, 10, 50, 50], 6, [HEIGHT, WIDTH]));
    expect([upright.width, upright.height]).toEqual([HEIGHT, WIDTH]);
    const asStored = await annotate(path, oneBox([10, 10, 50, 50]));
    expect([asStored.width, asStored.height]).toEqual([WIDTH, HEIGHT]);
  });

  it("says which endings it knows, and which file is no picture", async () => {
    await expect(saveAnnotated(join(folder, "picture.xyz"), gray(), oneBox([0, 0, 5, 5]))).rejects.toThrow(/\.png, \.jpg/);
    await expect(annotate(join(folder, "absent.png"), oneBox([0, 0, 5, 5]))).rejects.toThrow(ImageDecodingError);
  });
});
