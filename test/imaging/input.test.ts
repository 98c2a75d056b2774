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

  it("turns pictures upright by EXIF, says so, and can leave it", async () => {
    const bytes = await picture().withMetadata({ orientation: 6 }).jpeg().toBuffer();
    expect(await loadPicture(bytes)).toMatchObject({ width: 4, height: 8, exifOrientation: 6, orientationApplied: true });
    expect(await loadPicture(bytes, { exifOrientation: "ignore" })).toMatchObject({
      width: 8,
      height: 4,
      exifOrientation: 6,
      orientationApplied: false,
    });
  });

  it("drops alpha without blending, keeps gray gray, takes 16 bits and GIF", async () => {
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
    const animated = await picture().gif().toBuffer();
    expect(await loadPicture(animated)).toMatchObject({ width: 8, height: 4 });
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
