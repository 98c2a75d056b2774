import type { RawPixels } from "../../imaging/types.js";
import type { Result } from "../types.js";
import { annotate } from "./annotate.js";
import type { AnnotatedPicture, AnnotateOptions } from "./annotate.js";
import { writePicture } from "./files.js";

export { annotate } from "./annotate.js";
export type { AnnotatedPicture, AnnotateOptions } from "./annotate.js";
export { WRITABLE_ENDINGS } from "./files.js";
export { colourOfClass } from "./palette.js";
export type { Colour } from "./palette.js";

/**
 * {@link annotate}, written to a PNG, JPEG or WebP file (by the ending of `path`). Missing folders are created.
 *
 * @returns the annotated picture. @throws InvalidParameterError for another ending, and what `annotate` throws.
 */
export async function saveAnnotated(
  path: string,
  picture: RawPixels | string,
  result: Result,
  options: AnnotateOptions = {},
): Promise<AnnotatedPicture> {
  const annotated = await annotate(picture, result, options);
  await writePicture(path, annotated);
  return annotated;
}
