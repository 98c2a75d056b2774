import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ModelInputError } from "../../src/errors.js";
import { cropQuadrilateral, cropQuadrilaterals, turnLeft, type PixelImage, type RawPixels } from "../../src/imaging/index.js";

/** Red is x, green is y. */
const ramp = (width: number, height: number) => ({
  data: Uint8Array.from({ length: width * height * 3 }, (_, index) => {
    const pixel = Math.trunc(index / 3);
    return [pixel % width, Math.trunc(pixel / width), 0][index % 3]!;
  }),
  width,
  height,
  channels: 3 as const,
  colorFormat: "rgb" as const,
  borrowed: true,
});
const at = ({ data, width }: { readonly data: ArrayLike<number>; readonly width: number }, x: number, y: number): number[] =>
  [0, 1].map((channel) => data[(y * width + x) * 3 + channel]!);

describe("a quadrilateral as a picture", () => {
  it("is a plain crop when it is upright", () => {
    const crop = cropQuadrilateral(ramp(50, 40), [
      [10, 5],
      [30, 5],
      [30, 15],
      [10, 15],
    ]);
    expect([crop.width, crop.height]).toEqual([20, 10]);
    expect([at(crop, 0, 0), at(crop, 19, 9)]).toEqual([
      [10, 5],
      [29, 14],
    ]);
  });

  it("turns with its corners", () => {
    // A quarter turn: the top left corner of the text is at the lower left.
    const crop = cropQuadrilateral(ramp(50, 40), [
      [10, 30],
      [10, 10],
      [20, 10],
      [20, 30],
    ]);
    expect([crop.width, crop.height]).toEqual([20, 10]);
    expect([at(crop, 0, 0), at(crop, 10, 5)]).toEqual([
      [10, 30],
      [15, 20],
    ]);
  });

  it("repeats border pixels beyond the picture", () => {
    const crop = cropQuadrilateral(ramp(20, 20), [
      [-5, 0],
      [15, 0],
      [15, 10],
      [-5, 10],
    ]);
    expect([at(crop, 0, 3)[0], at(crop, 4, 3)[0]]).toEqual([0, 0]);
  });

  it("cannot be without area", () => {
    const line = [
      [1, 1],
      [9, 1],
      [9, 1],
      [1, 1],
    ] as const;
    expect(() => cropQuadrilateral(ramp(20, 20), line)).toThrow(ModelInputError);
    expect(() =>
      cropQuadrilateral(ramp(20, 20), [
        [0, 0],
        [5, 5],
        [10, 10],
        [15, 15],
      ]),
    ).toThrow(ModelInputError);
  });
});

describe("the addon's crops", () => {
  const noise = (channels: 1 | 3 | 4, width: number, height: number): PixelImage => ({
    data: Uint8Array.from({ length: width * height * channels }, (_, index) => (index * 7919) % 251),
    width,
    height,
    channels,
    colorFormat: "bgr",
    borrowed: true,
  });

  it("are the reference's to the byte, for any corners", async () => {
    const coordinate = fc.double({ min: -60, max: 120, noNaN: true });
    const corner = fc.tuple(coordinate, coordinate);
    await fc.assert(
      fc.asyncProperty(
        fc.tuple(corner, corner, corner, corner),
        fc.constantFrom<1 | 3 | 4>(1, 3, 4),
        fc.integer({ min: 1, max: 60 }),
        fc.integer({ min: 1, max: 60 }),
        async (corners, channels, width, height) => {
          const picture = noise(channels, width, height);
          let expected: RawPixels;
          try {
            expected = cropQuadrilateral(picture, corners);
          } catch (error) {
            await expect(cropQuadrilaterals(picture, [corners])).rejects.toThrow(error);
            return;
          }
          const [first, second] = await cropQuadrilaterals(picture, [corners, corners]);
          expect(first).toEqual(expected);
          expect(second).toEqual(expected);
        },
      ),
      { numRuns: 200 },
    );
  });

  it("are made of the pixels as they were", async () => {
    const picture = noise(3, 400, 300);
    const corners = [
      [0, 0],
      [399, 5],
      [390, 290],
      [3, 299],
    ] as const;
    const expected = cropQuadrilateral(picture, corners);
    const running = cropQuadrilaterals(picture, [corners]);
    picture.data.fill(0);
    expect((await running)[0]).toEqual(expected);
    expect(await cropQuadrilaterals(picture, [])).toEqual([]);
  });
});

it("a picture turns left", () => {
  const turned = turnLeft(ramp(3, 2));
  expect([turned.width, turned.height]).toEqual([2, 3]);
  expect([at(turned, 0, 0), at(turned, 0, 2), at(turned, 1, 0)]).toEqual([
    [2, 0],
    [0, 0],
    [2, 1],
  ]);
});
