import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

import fc from "fast-check";
import sharp from "sharp";
import { describe, expect, it } from "vitest";

import { InferenceModelsError } from "../../src/errors.js";
import { loadPicture, type ImageInput } from "../../src/imaging/index.js";

const directory = mkdtempSync(join(tmpdir(), "pictures-"));
const raw = (width: number, height: number, channels: 1 | 3 | 4 = 3) =>
  ({ data: new Uint8Array(width * height * channels).fill(9), width, height, channels, colorFormat: "rgb" }) as const;

/** Left half red, right half blue. */
const halves = Buffer.from(Array.from({ length: 8 * 4 }, (_, pixel) => (pixel % 8 < 4 ? [255, 0, 0] : [0, 0, 255])).flat());
const picture = () => sharp(halves, { raw: { width: 8, height: 4, channels: 3 } });

/** A little-endian gray TIFF whose description precedes its pixels: still readable when pixels are missing. */
function tiffWithDirectoryInFront(side = 32): Buffer {
  const entries = [
    [256, side],
    [257, side],
    [258, 8],
    [259, 1],
    [262, 1],
    [273, 122],
    [277, 1],
    [278, side],
    [279, side * side],
  ] as const;
  const pixelsAt = 122;
  const bytes = Buffer.alloc(pixelsAt + side * side, 200);
  bytes.write("II*\0", 0, "latin1");
  bytes.writeUInt32LE(8, 4);
  bytes.writeUInt16LE(entries.length, 8);
  entries.forEach(([tag, value], index) => {
    const at = 10 + index * 12;
    bytes.writeUInt16LE(tag, at);
    bytes.writeUInt16LE(4, at + 2);
    bytes.writeUInt32LE(1, at + 4);
    bytes.writeUInt32LE(value, at + 8);
  });
  bytes.writeUInt32LE(0, pixelsAt - 4);
  return bytes;
}

async function codeOf(input: unknown, options = {}): Promise<string> {
  try {
    await loadPicture(input as ImageInput, options);
    return "accepted";
  } catch (error) {
    if (InferenceModelsError.is(error)) return error.code;
    throw error;
  }
}

describe("loadPicture", () => {
  it("takes paths, file URLs, bytes and sharp pipelines alike", async () => {
    const path = join(directory, "halves.png");
    const bytes = await picture().png().toBuffer();
    writeFileSync(path, bytes);
    for (const input of [path, pathToFileURL(path), pathToFileURL(path).href, bytes, picture()]) {
      const loaded = await loadPicture(input);
      expect({ ...loaded, data: [...loaded.data.subarray(0, 3)] }).toMatchObject({
        width: 8,
        height: 4,
        channels: 3,
        colorFormat: "rgb",
        borrowed: false,
        data: [255, 0, 0],
      });
    }
  });

  it.each([
    [1, "abcd"],
    [2, "badc"],
    [3, "dcba"],
    [4, "cdab"],
    [5, "acbd"],
    [6, "cadb"],
    [7, "dbca"],
    [8, "bdac"],
  ])("turns pictures upright by EXIF orientation %i, says so, and can leave it", async (orientation, expected) => {
    // Four quarters a b / c d, each of its own gray level.
    const levels: Readonly<Record<string, number>> = { a: 20, b: 90, c: 160, d: 230 };
    const quarter = (x: number, y: number): string => (y < 8 ? (x < 8 ? "a" : "b") : x < 8 ? "c" : "d");
    const pixels = Buffer.from(Array.from({ length: 16 * 16 }, (_, i) => levels[quarter(i % 16, Math.floor(i / 16))] ?? 0));
    const bytes = await sharp(pixels, { raw: { width: 16, height: 16, channels: 1 } })
      .withMetadata({ orientation })
      .png()
      .toBuffer();
    const read = ({ data, channels }: { readonly data: Uint8Array; readonly channels: number }): string =>
      [4 * 16 + 4, 4 * 16 + 12, 12 * 16 + 4, 12 * 16 + 12]
        .map((pixel) => Object.keys(levels).find((name) => levels[name] === data[pixel * channels]) ?? "?")
        .join("");
    const upright = await loadPicture(bytes);
    expect(upright).toMatchObject({ exifOrientation: orientation, orientationApplied: orientation !== 1 });
    expect(read(upright)).toBe(expected);
    const stored = await loadPicture(bytes, { exifOrientation: "ignore" });
    expect(stored).toMatchObject({ exifOrientation: orientation, orientationApplied: false });
    expect(read(stored)).toBe("abcd");
  });

  it("exchanges the sides of pictures that lie on one of them", async () => {
    const bytes = await picture().withMetadata({ orientation: 6 }).jpeg().toBuffer();
    expect(await loadPicture(bytes)).toMatchObject({ width: 4, height: 8 });
    expect(await loadPicture(bytes, { exifOrientation: "ignore" })).toMatchObject({ width: 8, height: 4 });
  });

  it("drops alpha without blending, keeps gray gray, takes 16 bits and CMYK", async () => {
    const transparent = await sharp(Buffer.from([200, 100, 50, 0]), { raw: { width: 1, height: 1, channels: 4 } })
      .png()
      .toBuffer();
    expect([...(await loadPicture(transparent)).data]).toEqual([200, 100, 50]);
    const gray = await sharp(Buffer.from([77]), { raw: { width: 1, height: 1, channels: 1 } })
      .toColourspace("b-w")
      .png()
      .toBuffer();
    expect(new Set((await loadPicture(gray)).data)).toEqual(new Set([77]));
    const deep = await picture().toColourspace("rgb16").png().toBuffer();
    expect([...(await loadPicture(deep)).data.subarray(0, 3)]).toEqual([255, 0, 0]);
    const grayWithAlpha = await sharp(Buffer.from([77, 77, 77, 0]), { raw: { width: 1, height: 1, channels: 4 } })
      .toColourspace("b-w")
      .png()
      .toBuffer();
    expect(new Set((await loadPicture(grayWithAlpha)).data)).toEqual(new Set([77]));
    const print = await picture().toColourspace("cmyk").jpeg({ quality: 100 }).toBuffer();
    expect((await sharp(print).metadata()).space).toBe("cmyk");
    const { data, width, height, channels } = await loadPicture(print);
    expect([width, height, channels, data.length]).toEqual([8, 4, 3, 96]);
    // Inks cannot show these colours exactly; red stays red and blue stays blue.
    expect((data[0] ?? 0) - (data[2] ?? 0)).toBeGreaterThan(100);
    expect((data[95] ?? 0) - (data[93] ?? 0)).toBeGreaterThan(60);
  });

  it("takes the first frame of an animation", async () => {
    const frames = Buffer.concat([Buffer.alloc(8 * 4 * 3, 255), halves]);
    const options = { raw: { width: 8, height: 8, channels: 3, pageHeight: 4 } } as const;
    for (const bytes of [await sharp(frames, options).gif().toBuffer(), await sharp(frames, options).webp({ lossless: true }).toBuffer()]) {
      expect((await sharp(bytes).metadata()).pages).toBe(2);
      const loaded = await loadPicture(bytes);
      expect(loaded).toMatchObject({ width: 8, height: 4 });
      expect(new Set(loaded.data)).toEqual(new Set([255]));
    }
  });

  it("gives values as they are stored, whatever colour profile the file carries", async () => {
    const bytes = await picture().withIccProfile("p3").png().toBuffer();
    const stored = await sharp(bytes, { ignoreIcc: true }).raw().toBuffer();
    // The profile makes a difference: red of sRGB is no longer full red.
    expect(stored[0]).toBeLessThan(250);
    expect(Buffer.from((await loadPicture(bytes)).data)).toEqual(stored);
  });

  it("refuses truncated files of every format, never giving half a picture", async () => {
    const noise = sharp({
      create: { width: 120, height: 90, channels: 3, background: "teal", noise: { type: "gaussian", mean: 120, sigma: 40 } },
    });
    for (const format of ["jpeg", "png", "webp", "gif", "tiff", "avif"] as const) {
      const bytes = await noise.clone().toFormat(format).toBuffer();
      expect(await codeOf(bytes)).toBe("accepted");
      for (const share of [0.1, 0.5, 0.97])
        expect([format, share, await codeOf(bytes.subarray(0, Math.floor(bytes.length * share)))]).toEqual([
          format,
          share,
          "IMAGE_DECODING",
        ]);
    }
    const tiff = tiffWithDirectoryInFront();
    expect(await codeOf(tiff)).toBe("accepted");
    expect(await codeOf(tiff.subarray(0, tiff.length - 100))).toBe("IMAGE_DECODING");
  });

  it("tells what it could not decode and why", async () => {
    const missing = join(directory, "missing.jpg");
    await expect(loadPicture(missing)).rejects.toMatchObject({ source: missing, cause: { code: "ENOENT" } });
    const damaged = join(directory, "damaged.png");
    writeFileSync(damaged, "not a picture");
    const error: unknown = await loadPicture(damaged).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ source: damaged });
    expect((error as Error).cause).toBeInstanceOf(Error);
  });

  it("fetches nothing, and names no more of an address than its scheme", async () => {
    const addresses = [
      "https://user:secret@example.org/a.jpg",
      new URL("https://user:secret@example.org/a.jpg"),
      `data:image/png;base64,${"secret".repeat(10_000)}`,
      "http://",
      "file://elsewhere/secret.jpg",
      "file:///secret%2Fb.jpg",
    ];
    for (const address of addresses) {
      const error: unknown = await loadPicture(address).catch((reason: unknown) => reason);
      expect(error).toMatchObject({ code: "INVALID_PARAMETER", parameter: "image" });
      expect((error as Error).message).not.toContain("secret");
    }
  });

  it("refuses truncated, empty, hostile and missing files", async () => {
    const big = await sharp({
      create: { width: 300, height: 300, channels: 3, background: "teal", noise: { type: "gaussian", mean: 120, sigma: 40 } },
    })
      .jpeg()
      .toBuffer();
    for (const share of [0.05, 0.3, 0.7, 0.95])
      expect(await codeOf(big.subarray(0, Math.floor(big.length * share)))).toBe("IMAGE_DECODING");
    expect(await codeOf(new Uint8Array(0))).toBe("IMAGE_DECODING");
    expect(await codeOf(join(directory, "missing.jpg"))).toBe("IMAGE_DECODING");
    expect(await codeOf(directory)).toBe("IMAGE_DECODING");
    expect(await codeOf("https://example.org/a.jpg")).toBe("INVALID_PARAMETER");
  });

  it("refuses more pixels than the limit before decoding them", async () => {
    const bytes = await picture().png().toBuffer();
    expect(await codeOf(bytes, { maximumPixels: 31 })).toBe("IMAGE_TOO_LARGE");
    expect(await codeOf(bytes, { maximumPixels: 32 })).toBe("accepted");
  });

  it.each([
    { ...raw(2, 2), width: 3 },
    { ...raw(2, 2), width: 0 },
    { ...raw(2, 2), height: 1.5 },
    { ...raw(2, 2), height: Number.NaN },
    { ...raw(2, 2), channels: 2 },
    { ...raw(2, 2), colorFormat: "rgba" },
    { ...raw(2, 2), data: [1, 2, 3] },
    { width: 2, height: 2 },
    null,
    undefined,
    42,
    {},
  ])("refuses raw pixels %j", async (input) => {
    expect(await codeOf(input)).toBe("MODEL_INPUT");
  });

  it("gives a typed error or a picture for anything", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          fc.uint8Array({ maxLength: 400 }),
          fc.anything(),
          fc.record({
            data: fc.uint8Array(),
            width: fc.anything(),
            height: fc.anything(),
            channels: fc.anything(),
            colorFormat: fc.anything(),
          }),
        ),
        async (input) => {
          expect(await codeOf(input)).toMatch(/^[A-Za-z_]+$/);
        },
      ),
      { numRuns: 200 },
    );
  });
});
