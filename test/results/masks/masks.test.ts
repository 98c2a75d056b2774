import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { InvalidParameterError } from "../../../src/errors.js";
import { convertMasks, createMasks, decodeRle, encodeRle, masksFromCoco } from "../../../src/results/index.js";
import type { Polygon } from "../../../src/results/index.js";

/** Small pictures with long runs as well as noise. */
const picture = fc
  .tuple(fc.integer({ min: 1, max: 14 }), fc.integer({ min: 1, max: 14 }), fc.constantFrom(0.1, 0.5, 0.9))
  .chain(([width, height, share]) =>
    fc
      .array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: width * height, maxLength: width * height })
      .map((noise) => ({ width, height, pixels: Uint8Array.from(noise, (value) => (value < share ? 1 : 0)) })),
  );

describe("COCO's run lengths", () => {
  it("are those of COCO's own tools", () => {
    // Three check vectors of the format: a 3x4 picture of zeros, of ones, and with two pixels set.
    const two = new Uint8Array(12);
    two[0] = 1;
    two[6] = 1;
    expect(encodeRle(new Uint8Array(12), 4, 3)).toEqual({ size: [3, 4], counts: "<" });
    expect(encodeRle(new Uint8Array(12).fill(1), 4, 3).counts).toBe("0<");
    expect(encodeRle(two, 4, 3).counts).toBe("0160N");
  });

  it("come back as the same pixels", () => {
    fc.assert(
      fc.property(picture, ({ width, height, pixels }) => {
        expect(decodeRle(encodeRle(pixels, width, height))).toEqual(pixels);
      }),
    );
  });

  it("are read when they are not compressed, too", () => {
    expect([...decodeRle({ size: [2, 2], counts: [1, 2, 1] })]).toEqual([0, 1, 1, 0]);
  });

  it.each([
    ["too few pixels", [2, 2], "3"],
    ["too many pixels", [2, 2], "5"],
    ["a negative run", [2, 2], "O5"],
    ["a number without an end", [2, 2], "P"],
    ["characters that mean nothing", [2, 2], " 4"],
    ["a number of many groups", [2, 2], "ooooooooooooo0"],
    ["a size that is none", [-2, -2], "4"],
    ["more pixels than there can be", [2 ** 20, 2 ** 20], "0"],
    ["fractions", [2, 2], [0.5, 3.5]],
  ] as const)("are refused with %s", (_, size, counts) => {
    expect(() => decodeRle({ size, counts })).toThrow(InvalidParameterError);
  });

  it("never fail in another way", () => {
    fc.assert(
      fc.property(fc.string(), fc.integer({ min: 0, max: 100 }), fc.integer({ min: 0, max: 100 }), (counts, height, width) => {
        try {
          expect(decodeRle({ size: [height, width], counts })).toHaveLength(height * width);
        } catch (error) {
          expect(error).toBeInstanceOf(InvalidParameterError);
        }
      }),
    );
  });
});

/** Even-odd filling at the middles of pixels. */
function fill(polygons: readonly Polygon[], width: number, height: number): Uint8Array {
  return Uint8Array.from({ length: width * height }, (_, pixel) => {
    const [x, y] = [(pixel % width) + 0.5, Math.floor(pixel / width) + 0.5];
    let inside = false;
    for (const polygon of polygons) {
      for (let corner = 0; corner < polygon.length; corner += 2) {
        const next = (corner + 2) % polygon.length;
        const [x1, y1, x2, y2] = [polygon[corner]!, polygon[corner + 1]!, polygon[next]!, polygon[next + 1]!];
        if (x1 === x2 && x1 > x && y1 > y !== y2 > y) inside = !inside;
      }
    }
    return inside ? 1 : 0;
  });
}

describe("masks", () => {
  const two = (pixels: Uint8Array, width: number, height: number) =>
    createMasks({ format: "dense", width, height, length: 2, data: Uint8Array.from([...pixels, ...pixels.map((value) => 1 - value)]) });

  it("are the same in both formats", () => {
    fc.assert(
      fc.property(picture, ({ width, height, pixels }) => {
        const dense = two(pixels, width, height);
        const runs = convertMasks(dense, "rle");
        expect(convertMasks(runs, "dense").data).toEqual(dense.data);
        for (const [index, mask] of [...runs].entries()) {
          const other = dense.at(index)!;
          expect(mask.area).toBe(other.toDense().reduce((sum, value) => sum + value, 0));
          expect(mask.toRle()).toEqual(other.toRle());
          expect(mask.bounds).toEqual(other.bounds);
          expect(mask.toPolygons()).toEqual(other.toPolygons());
        }
        expect(
          masksFromCoco(
            Array.from(dense, (mask) => mask.toRle()),
            width,
            height,
          ).runs,
        ).toEqual(runs.runs);
      }),
    );
  });

  it("have bounds around all their pixels and no others", () => {
    fc.assert(
      fc.property(picture, ({ width, height, pixels }) => {
        const xs = [...pixels].flatMap((value, pixel) => (value === 1 ? [pixel % width] : []));
        const ys = [...pixels].flatMap((value, pixel) => (value === 1 ? [Math.floor(pixel / width)] : []));
        const expected =
          xs.length === 0 ? null : { left: Math.min(...xs), top: Math.min(...ys), right: Math.max(...xs) + 1, bottom: Math.max(...ys) + 1 };
        expect(two(pixels, width, height).at(0)!.bounds).toEqual(expected);
      }),
    );
  });

  it("have outlines that cover them again, holes filled", () => {
    fc.assert(
      fc.property(picture, ({ width, height, pixels }) => {
        const polygons = two(pixels, width, height).at(0)!.toPolygons();
        const filled = fill(polygons.slice(0), width, height);
        // Parts inside holes of others make even-odd filling lie: fill one by one.
        const union = polygons.map((polygon) => fill([polygon], width, height));
        pixels.forEach((value, pixel) => {
          if (value === 1) expect(union.some((part) => part[pixel] === 1)).toBe(true);
        });
        // Everything reached from the border without touching the mask stays outside.
        const outside = flood(pixels, width, height);
        outside.forEach((value, pixel) => {
          if (value === 1) expect(filled[pixel]).toBe(0);
        });
      }),
    );
  });

  it("have one outline for each part, clockwise, the largest first", () => {
    const pixels = Uint8Array.from([1, 1, 0, 0, 1, 1, 0, 1]);
    expect(two(pixels, 4, 2).at(0)!.toPolygons()).toEqual([
      [2, 0, 2, 2, 0, 2, 0, 0],
      [4, 1, 4, 2, 3, 2, 3, 1],
    ]);
  });

  it("are refused when they do not fit", () => {
    const [width, height] = [2, 2];
    expect(() => createMasks({ format: "dense", width, height, length: 1, data: new Uint8Array(5) })).toThrow(/data/);
    const runs = Uint32Array.of(4);
    expect(() => createMasks({ format: "rle", width, height, runs, offsets: Uint32Array.of(0) })).toThrow(/offsets/);
    expect(() => createMasks({ format: "rle", width, height, runs, offsets: Uint32Array.of(0, 2, 1) })).toThrow();
    expect(() => createMasks({ format: "rle", width, height, runs: Uint32Array.of(5), offsets: Uint32Array.of(0, 1) })).toThrow(/5 pixels/);
  });

  it("say how to save memory when all of them would not fit", () => {
    const side = 20_000;
    const runs = new Uint32Array(10).fill(side * side);
    const masks = createMasks({ format: "rle", width: side, height: side, runs, offsets: Uint32Array.from({ length: 11 }, (_, i) => i) });
    expect(() => convertMasks(masks, "dense")).toThrow(/one mask at a time/);
    expect(masks.at(-1)!.area).toBe(0);
  });
});

/** Pixels outside the mask that hang together with the world around the picture, by corners as well. */
function flood(pixels: Uint8Array, width: number, height: number): Uint8Array {
  const outside = new Uint8Array(width * height);
  const waiting: (readonly [number, number])[] = [];
  const visit = (x: number, y: number): void => {
    const inPicture = x >= 0 && y >= 0 && x < width && y < height;
    if (!inPicture || pixels[y * width + x] === 1 || outside[y * width + x] === 1) return;
    outside[y * width + x] = 1;
    waiting.push([x, y]);
  };
  for (let x = 0; x < width; x++) for (const y of [0, height - 1]) visit(x, y);
  for (let y = 0; y < height; y++) for (const x of [0, width - 1]) visit(x, y);
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const [x, y] = next;
    for (const [dx, dy] of [
      [1, 0],
      [-1, 0],
      [0, 1],
      [0, -1],
    ] as const)
      visit(x + dx, y + dy);
  }
  return outside;
}
