/** A quadrilateral of a picture as an upright picture of its own: perspective transform, bicubic, border pixels repeated. */
import { ModelInputError } from "../errors.js";
import { callNative, loadAddon } from "../native/index.js";
import type { PixelImage, RawPixels } from "./types.js";

type Corner = readonly [x: number, y: number];
/** Top left, top right, bottom right, bottom left, pixels. */
export type Corners = readonly [Corner, Corner, Corner, Corner];

const CHANNELS = 3;
const MAXIMUM_SIDE = 65535;
/** Positions between pixels are told apart this finely, as in OpenCV. */
const FRACTIONS = 32;
/** The cubic's parameter, as in OpenCV. */
const A = -0.75;

/** Weights of the four pixels around a position, for every fraction of a pixel. */
const WEIGHTS: readonly Float32Array[] = Array.from({ length: FRACTIONS }, (_, step) => {
  const x = step / FRACTIONS;
  const near = (t: number): number => ((A + 2) * t - (A + 3)) * t * t + 1;
  const far = (t: number): number => ((A * t - 5 * A) * t + 8 * A) * t - 4 * A;
  return Float32Array.of(far(x + 1), near(x), near(1 - x), far(2 - x));
});

/** Positions are cut to this: beyond it every pixel is the border's, and where the mapping has no value at all, one is needed. */
const FARTHEST = 2 ** 24;
const bounded = (value: number): number => (value > -FARTHEST ? Math.min(value, FARTHEST) : -FARTHEST);

/** From positions in a rectangle of the given size to positions in the quadrilateral. */
function mapping([p0, p1, p2, p3]: Corners, width: number, height: number): (x: number, y: number) => Corner {
  // Heckbert's unit square to quadrilateral, in closed form.
  const [dx1, dy1] = [p1[0] - p2[0], p1[1] - p2[1]];
  const [dx2, dy2] = [p3[0] - p2[0], p3[1] - p2[1]];
  const [sx, sy] = [p0[0] - p1[0] + p2[0] - p3[0], p0[1] - p1[1] + p2[1] - p3[1]];
  const determinant = dx1 * dy2 - dx2 * dy1;
  const g = (sx * dy2 - dx2 * sy) / determinant;
  const h = (dx1 * sy - sx * dy1) / determinant;
  const [a, b, c] = [p1[0] - p0[0] + g * p1[0], p3[0] - p0[0] + h * p3[0], p0[0]];
  const [d, e, f] = [p1[1] - p0[1] + g * p1[1], p3[1] - p0[1] + h * p3[1], p0[1]];
  return (x, y) => {
    const [u, v] = [x / width, y / height];
    const depth = g * u + h * v + 1;
    return [(a * u + b * v + c) / depth, (d * u + e * v + f) / depth];
  };
}

/** Width and height of the upright picture: the longer ones of opposite sides, cut down to whole pixels. */
export function quadrilateralSize([p0, p1, p2, p3]: Corners): { readonly width: number; readonly height: number } {
  const length = (p: Corner, q: Corner): number => Math.hypot(p[0] - q[0], p[1] - q[1]);
  return { width: Math.trunc(Math.max(length(p0, p1), length(p2, p3))), height: Math.trunc(Math.max(length(p0, p3), length(p1, p2))) };
}

/**
 * Size of what is cut out.
 * @throws ModelInputError when the quadrilateral is less than a pixel or more than 65535 wide or high, or its corners lie on a line.
 */
function requireSize(corners: Corners): { readonly width: number; readonly height: number } {
  const { width, height } = quadrilateralSize(corners);
  if (!(width >= 1 && height >= 1 && width <= MAXIMUM_SIDE && height <= MAXIMUM_SIDE))
    throw new ModelInputError(`A quadrilateral of ${width} x ${height} pixels cannot be cut out.`);
  if (!mapping(corners, width, height)(width / 2, height / 2).every(Number.isFinite))
    throw new ModelInputError("The corners of the quadrilateral lie on a line, so it cannot be cut out.");
  return { width, height };
}

/** Those of one picture, in the addon where there is one, else here. @throws ModelInputError, see cropQuadrilateral */
export async function cropQuadrilaterals(picture: PixelImage, quadrilaterals: readonly Corners[]): Promise<readonly RawPixels[]> {
  if (quadrilaterals.length === 0) return [];
  const addon = loadAddon();
  if (addon === null) return quadrilaterals.map((corners) => cropQuadrilateral(picture, corners));
  const sizes = quadrilaterals.map(requireSize);
  const { data, width, height, channels, colorFormat, borrowed } = picture;
  const image = { width, height, channels, colorFormat, borrowed };
  const crops = quadrilaterals.map((corners, index) => ({ ...sizes[index]!, corners: Float64Array.from(corners.flat()) }));
  const pixels = await callNative(() => addon.cropQuadrilaterals(data, image, crops));
  return pixels.map((crop, index) => ({ data: crop, ...sizes[index]!, channels: CHANNELS, colorFormat }));
}

/**
 * The reference.
 * @throws ModelInputError when the quadrilateral is less than a pixel wide or high, or its corners lie on a line.
 */
export function cropQuadrilateral(picture: PixelImage, corners: Corners): RawPixels {
  const { width, height } = requireSize(corners);
  const toPicture = mapping(corners, width, height);
  const data = new Uint8Array(width * height * CHANNELS);
  const columns = new Int32Array(4);
  const rows = new Int32Array(4);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const [sx, sy] = toPicture(x, y);
      const [fx, fy] = [Math.round(bounded(sx) * FRACTIONS), Math.round(bounded(sy) * FRACTIONS)];
      const [left, top] = [Math.floor(fx / FRACTIONS), Math.floor(fy / FRACTIONS)];
      const across = WEIGHTS[fx - left * FRACTIONS]!;
      const down = WEIGHTS[fy - top * FRACTIONS]!;
      for (let k = 0; k < 4; k++) {
        columns[k] = Math.min(Math.max(left + k - 1, 0), picture.width - 1) * picture.channels;
        rows[k] = Math.min(Math.max(top + k - 1, 0), picture.height - 1) * picture.width * picture.channels;
      }
      for (let channel = 0; channel < CHANNELS; channel++) {
        const from = picture.channels === 1 ? 0 : channel;
        let sum = 0;
        for (let row = 0; row < 4; row++) {
          let line = 0;
          for (let column = 0; column < 4; column++) line += across[column]! * picture.data[rows[row]! + columns[column]! + from]!;
          sum += down[row]! * line;
        }
        data[(y * width + x) * CHANNELS + channel] = Math.min(Math.max(Math.round(sum), 0), 255);
      }
    }
  }
  return { data, width, height, channels: CHANNELS, colorFormat: picture.colorFormat };
}

/** A quarter turn anticlockwise. */
export function turnLeft({ data, width, height, channels, colorFormat }: RawPixels): RawPixels {
  const turned = new Uint8Array(data.length);
  for (let y = 0; y < width; y++) {
    for (let x = 0; x < height; x++) {
      const from = (x * width + (width - 1 - y)) * channels;
      for (let channel = 0; channel < channels; channel++) turned[(y * height + x) * channels + channel] = data[from + channel]!;
    }
  }
  return { data: turned, width: height, height: width, channels, colorFormat };
}
