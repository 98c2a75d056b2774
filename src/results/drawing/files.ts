/** Pictures from and to files, through sharp, which is loaded only when one is touched. */
import { mkdir } from "node:fs/promises";
import { dirname, extname } from "node:path";
import type Sharp from "sharp";
import { ImageDecodingError, InvalidParameterError, MissingDependencyError } from "../../errors.js";
import type { RawPixels } from "../../imaging/types.js";
import type { ImageInfo } from "../types.js";

async function loadSharp(): Promise<typeof Sharp> {
  try {
    return (await import("sharp")).default;
  } catch (cause) {
    throw new MissingDependencyError(
      'Picture files cannot be read or written because "sharp" could not be loaded. Install it ("npm install sharp"), or pass and keep raw pixels.',
      { cause, dependency: "sharp" },
    );
  }
}

/** Decodes the picture of a result the way it was decoded for the prediction. */
export async function decodeFor(path: string, image: ImageInfo): Promise<RawPixels> {
  const sharp = await loadSharp();
  try {
    const opened = sharp(path);
    const upright = image.orientationApplied ? opened.autoOrient() : opened;
    const { data, info } = await upright.toColourspace("srgb").removeAlpha().raw().toBuffer({ resolveWithObject: true });
    return { data, width: info.width, height: info.height, channels: info.channels === 1 ? 1 : 3, colorFormat: "rgb" };
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ImageDecodingError(`"${path}" could not be read as a picture: ${reason}. Check that the file exists and is not damaged.`, {
      cause,
      source: path,
    });
  }
}

const JPEG = { quality: 92, chromaSubsampling: "4:4:4" } as const;

/** File endings that {@link writePicture} knows. */
export const WRITABLE_ENDINGS: readonly string[] = [".png", ".jpg", ".jpeg", ".webp"];

/** Writes pixels to a file, in the format that its ending names. Missing folders are created. */
export async function writePicture(path: string, { data, width, height, channels }: RawPixels): Promise<void> {
  const ending = extname(path).toLowerCase();
  if (!WRITABLE_ENDINGS.includes(ending)) {
    throw new InvalidParameterError(
      `"${path}" does not say which format to write. Use a name that ends in ${WRITABLE_ENDINGS.join(", ")}.`,
      { parameter: "path" },
    );
  }
  const sharp = await loadSharp();
  await mkdir(dirname(path), { recursive: true });
  const picture = sharp(data, { raw: { width, height, channels } });
  if (ending === ".png") await picture.png().toFile(path);
  else if (ending === ".webp") await picture.webp({ quality: 90 }).toFile(path);
  else await picture.jpeg(JPEG).toFile(path);
}
