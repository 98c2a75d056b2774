/** Pictures in their own shape, limited by both sides: each has a size of its own. */
import { ModelInputError } from "../errors.js";
import { roundHalfEven } from "./rounding.js";
import { isSide } from "./sides.js";
import { stretchInto } from "./text-plans.js";
import type { ColorFormat, Geometry, Normalization, PreprocessSteps, Size } from "./types.js";

/** The shorter side becomes `shortest` unless the longer one would be longer than `longest`, which it becomes then; Pillow's bilinear. */
export interface EdgePlan {
  readonly kind: "edges";
  /** Of a square picture. */
  readonly defaultSize: Size;
  readonly shortest: number;
  readonly longest: number;
  readonly colorFormat: ColorFormat;
  readonly normalization: Normalization;
}

type Triple = readonly [number, number, number];

/** A plan for RGB networks: value = `(x / 255 - mean) / std`. */
export function compileEdgePlan(options: {
  readonly shortest: number;
  readonly longest: number;
  readonly mean: Triple;
  readonly std: Triple;
}): EdgePlan {
  const { shortest, longest, mean, std } = options;
  const side = Math.min(shortest, longest);
  return Object.freeze({
    kind: "edges",
    defaultSize: Object.freeze({ width: side, height: side }),
    shortest,
    longest,
    colorFormat: "rgb",
    normalization: Object.freeze({ divisor: 255, factor: null, mean, std }),
  });
}

/**
 * Network size for a picture. Source: `get_size_with_aspect_ratio` of transformers (DETR, Grounding DINO), in its order of operations; there
 * a side may vanish, here one pixel is left.
 * @throws ModelInputError for pictures of a side that no network takes.
 */
export function edgeSize({ width, height }: Size, shortest: number, longest: number): Size {
  const [longer, shorter] = [Math.max(width, height), Math.min(width, height)];
  const limited = (longer / shorter) * shortest > longest ? (longest * shorter) / longer : null;
  const side = Math.max(limited === null ? shortest : roundHalfEven(limited), 1);
  if (shorter === side) return { width, height };
  const other = Math.max(Math.trunc(((limited ?? shortest) * longer) / shorter), 1);
  const size = width < height ? { width: side, height: other } : { width: other, height: side };
  if (isSide(size.width) && isSide(size.height)) return size;
  throw new ModelInputError(
    `A picture of ${width} x ${height} would be ${size.width} x ${size.height} pixels for this network. Resize it.`,
  );
}

export function resolveEdges(
  { shortest, longest, colorFormat, normalization }: EdgePlan,
  picture: Size & { readonly colorFormat: ColorFormat },
): { readonly steps: PreprocessSteps; readonly geometry: Geometry } {
  const size = edgeSize(picture, shortest, longest);
  return stretchInto(picture, size, size, 0, colorFormat, normalization, "pillow");
}
