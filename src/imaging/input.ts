/** Pictures in: what callers may hand over, and how it becomes 8-bit pixels. */
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

import type { default as SharpModuleValue, Sharp } from "sharp";

import { configuration } from "../configuration.js";
import { ImageDecodingError, ImageTooLargeError, InvalidParameterError, MissingDependencyError, ModelInputError } from "../errors.js";
import { describe } from "./describe.js";
import { isSide, MAXIMUM_SIDE } from "./sides.js";
import type { Picture, RawPixels } from "./types.js";

/**
 * A path, a `file:` URL, the bytes of an encoded file (JPEG, PNG, WebP, AVIF, TIFF, GIF), raw pixels, or a sharp
 * pipeline, which is run with what it does so far.
 */
export type ImageInput = string | URL | Uint8Array | RawPixels | Sharp;

export interface PictureOptions {
  /** Turn pixels upright by the file's EXIF orientation (default), or leave them as they are stored. */
  readonly exifOrientation?: "apply" | "ignore";
  /** Largest number of pixels that is decoded from a file (a sharp pipeline keeps its own limit); default `INFERENCE_MODELS_MAXIMUM_PIXELS`. */
  readonly maximumPixels?: number;
}

type SharpModule = typeof SharpModuleValue;

/** How files are decoded: to the values that OpenCV and Pillow give Python callers, and never to half a picture. */
const DECODING = {
  // "truncated" is not enough: strips missing from the end of a TIFF would come out black.
  failOn: "error",
  // Pictures of phones carry wide-gamut profiles. Networks were trained on values as they are stored, without conversion.
  ignoreIcc: true,
  // The limit is ours, read from the header, so that its error says both numbers; sharp's own would only say no.
  limitInputPixels: false,
} as const;

let sharpModule: Promise<SharpModule> | null = null;

async function loadSharp(): Promise<SharpModule> {
  // A failed import is forgotten, so that installing the package helps a process that is already running.
  sharpModule ??= import("sharp").then(
    (module) => module.default,
    (error: unknown) => {
      sharpModule = null;
      throw new MissingDependencyError(
        "Decoding picture files needs the package sharp, which could not be loaded. Install it (npm install sharp), or pass raw pixels { data, width, height, channels, colorFormat }.",
        { dependency: "sharp", cause: error },
      );
    },
  );
  return sharpModule;
}

/** Starts loading the picture decoder, so that it is there when the first file comes. A failure shows when it is needed. */
export function preloadDecoder(): void {
  loadSharp().catch(() => undefined);
}

function isRawPixels(input: object): input is RawPixels {
  return "data" in input && "width" in input && "height" in input;
}

function isSharp(input: object): input is Sharp {
  return "toBuffer" in input && typeof input.toBuffer === "function" && "metadata" in input && typeof input.metadata === "function";
}

function checkRawPixels(input: RawPixels): Picture {
  const { data, width, height, channels, colorFormat } = input;
  for (const [name, value] of Object.entries({ width, height })) {
    if (!isSide(value)) {
      throw new ModelInputError(`Expected an integer from 1 to ${MAXIMUM_SIDE} for the picture's ${name} but received ${describe(value)}.`);
    }
  }
  if (![1, 3, 4].includes(channels))
    throw new ModelInputError(`Expected 1, 3 or 4 for the picture's channels but received ${describe(channels)}.`);
  if (!["rgb", "bgr"].includes(colorFormat)) {
    throw new ModelInputError(
      `Expected "rgb" or "bgr" for the picture's colorFormat but received ${describe(colorFormat)}. Pixels do not tell their order, so it has to be said.`,
    );
  }
  if (!(data instanceof Uint8Array || data instanceof Uint8ClampedArray)) {
    throw new ModelInputError(`Expected a Uint8Array or Uint8ClampedArray for the picture's data but received ${describe(data)}.`);
  }
  const expected = width * height * channels;
  if (data.length !== expected) {
    throw new ModelInputError(
      `A picture of ${width} x ${height} with ${channels} channels has ${expected} bytes, but data has ${data.length}. Rows must follow each other without padding.`,
    );
  }
  const bytes = data instanceof Uint8Array ? data : new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return { data: bytes, width, height, channels, colorFormat, borrowed: true, source: null, exifOrientation: 1, orientationApplied: false };
}

function decodingError(error: unknown, source: string | null): ImageDecodingError {
  const reason = error instanceof Error ? error.message.split("\n")[0] : String(error);
  return new ImageDecodingError(
    `${source ?? "The picture"} could not be decoded: ${reason}. The file is damaged, truncated, or of a format that is not supported.`,
    {
      cause: error,
      ...(source === null ? {} : { source }),
    },
  );
}

async function decode(input: Uint8Array | Sharp, source: string | null, options: PictureOptions): Promise<Picture> {
  const { exifOrientation = "apply", maximumPixels = configuration().inputs.maximumPixels } = options;
  const encoded = input instanceof Uint8Array;
  if (encoded && input.length === 0) throw decodingError(new Error("the file is empty"), source);
  const sharp = await loadSharp();
  const pipeline = encoded ? sharp(input, DECODING) : input.clone();
  try {
    const header = await pipeline.metadata();
    const { width, height } = header;
    if (encoded && width * height > maximumPixels) {
      throw new ImageTooLargeError(
        `${source ?? "The picture"} has ${width} x ${height} = ${width * height} pixels, more than the limit of ${maximumPixels}. Shrink it, or raise maximumPixels.`,
        { pixels: width * height, limit: maximumPixels },
      );
    }
    const orientation = header.orientation ?? 1;
    // A pipeline says itself whether it rotates; for files the decision is ours.
    const applied = encoded && exifOrientation === "apply";
    const upright = applied ? pipeline.autoOrient() : pipeline;
    // Alpha is cut off, not blended: what lies under transparent pixels is what Python callers get.
    const { data, info } = await upright.removeAlpha().toColourspace("srgb").raw({ depth: "uchar" }).toBuffer({ resolveWithObject: true });
    if (info.channels !== 1 && info.channels !== 3) throw new Error(`decoding gave ${info.channels} channels`);
    return {
      data,
      width: info.width,
      height: info.height,
      channels: info.channels,
      colorFormat: "rgb",
      borrowed: false,
      source,
      exifOrientation: orientation,
      orientationApplied: applied && orientation !== 1,
    };
  } catch (error) {
    if (error instanceof ImageTooLargeError) throw error;
    throw decodingError(error, source);
  }
}

async function readPicture(path: string, options: PictureOptions): Promise<Picture> {
  const bytes = await readFile(path).catch((error: unknown) => {
    throw new ImageDecodingError(
      `The picture ${path} cannot be read (${error instanceof Error ? error.message : String(error)}). Check that the path is right and the file may be read.`,
      {
        source: path,
        cause: error,
      },
    );
  });
  return decode(bytes, path, options);
}

/** Also of texts that only look like addresses. @throws InvalidParameterError for anything but a file on this machine. */
function filePath(address: string | URL): string {
  let url: URL;
  try {
    url = new URL(address);
    if (url.protocol === "file:") return fileURLToPath(url);
  } catch (error) {
    throw new InvalidParameterError(
      `The picture's address does not lead to a file (${error instanceof Error ? error.message : String(error)}). Pass the file's path.`,
      { parameter: "image", cause: error },
    );
  }
  throw new InvalidParameterError(
    `Pictures are not fetched from ${url.protocol} addresses. Fetch the picture yourself, with the limits and credentials that fit, and pass its bytes.`,
    { parameter: "image" },
  );
}

/**
 * One picture as 8-bit interleaved pixels: alpha is dropped, not blended; of several frames the first is taken; colour profiles
 * are not applied, so that values equal those of OpenCV (CMYK excepted, which is converted with the profile of libvips).
 * @throws ModelInputError for a malformed description of pixels, ImageDecodingError, ImageTooLargeError, InvalidParameterError
 * for URLs that are not files, MissingDependencyError without sharp.
 */
export async function loadPicture(input: ImageInput, options: PictureOptions = {}): Promise<Picture> {
  if (typeof input === "string") {
    // Two letters at least: C:\ is a drive. data: is the one scheme in use that has no slashes.
    return readPicture(/^([a-z][a-z0-9+.-]+:\/\/|data:)/i.test(input) ? filePath(input) : input, options);
  }
  if (input instanceof URL) return readPicture(filePath(input), options);
  if (input instanceof Uint8Array) return decode(input, null, options);
  if (typeof input === "object" && (input as unknown) !== null) {
    if (isSharp(input)) return decode(input, null, options);
    if (isRawPixels(input)) return checkRawPixels(input);
  }
  throw new ModelInputError(
    `Expected a picture: a path, a file: URL, the bytes of a picture file, raw pixels { data, width, height, channels, colorFormat }, or a sharp instance; received ${describe(input)}.`,
  );
}
