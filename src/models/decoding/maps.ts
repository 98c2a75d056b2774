/** Maps of the network in the picture, in plain TypeScript: what the addon does (native/maps/), with the same bits. */
import { antialiasTaps, type AntialiasKernel, type AntialiasTap } from "../../imaging/index.js";
import { sigmoid } from "./sigmoid.js";
import type { ClassMap, ClassMapSettings, DenseMap, MapFilter, MapPlacement } from "./types.js";
import { requireFloat32Array, requireInt32Array, requireMap, requireOneOf } from "./validation.js";

const { fround } = Math;

/** 1/5!, ..., 1/1!, 1/0! */
const COEFFICIENTS = [1 / 120, 1 / 24, 1 / 6, 0.5, 1, 1].map(fround);

/** `e^x` for x <= 0, float32 after every operation. */
function expOfNegative(exponent: number): number {
  const x = exponent < -87 ? -87 : exponent;
  // Adding 1.5 * 2^23 rounds to an integer.
  const k = fround(fround(fround(x * fround(1.44269504)) + 12582912) - 12582912);
  const r = fround(fround(x - fround(k * 0.693359375)) - fround(k * fround(-2.1219444e-4)));
  let sum = fround(1 / 720);
  for (const coefficient of COEFFICIENTS) sum = fround(fround(sum * r) + coefficient);
  return fround(sum * 2 ** k);
}

/** Rows of a map on its way to the picture: trimmed, extended with `fill`, resized. */
class ResizedRows {
  readonly #horizontal: readonly AntialiasTap[];
  readonly #vertical: readonly AntialiasTap[];
  readonly #extendedWidth: number;
  readonly #extendedHeight: number;

  constructor(
    private readonly map: DenseMap,
    private readonly placement: MapPlacement,
    private readonly fill: number,
    kernel: AntialiasKernel = "triangle",
  ) {
    const { trim, resize } = placement;
    this.#extendedWidth = map.width - trim.left - trim.right;
    this.#extendedHeight = map.height - trim.top - trim.bottom;
    this.#horizontal = antialiasTaps(this.#extendedWidth, resize.width, kernel);
    this.#vertical = antialiasTaps(this.#extendedHeight, resize.height, kernel);
  }

  read(channel: number, y: number): Float32Array {
    const { data, offset, width, height } = this.map;
    const { trim } = this.placement;
    const down = this.#vertical[y] as AntialiasTap;
    const blended = new Float32Array(this.#extendedWidth);
    down.weights.forEach((weight, k) => {
      const row = down.first + k + trim.top;
      const inside = row >= 0 && row < height;
      const start = offset + (channel * height + row) * width;
      for (let x = 0; x < blended.length; x++) {
        const column = x + trim.left;
        const value = inside && column >= 0 && column < width ? data[start + column]! : this.fill;
        blended[x] = blended[x]! + fround(weight * value);
      }
    });
    return Float32Array.from(this.#horizontal, ({ first, weights }) => {
      let sum = 0;
      for (let k = 0; k < weights.length; k++) sum = fround(sum + fround(weights[k]! * blended[first + k]!));
      return sum;
    });
  }

  /** Whether a pixel of the resized map takes anything from what the network saw, rather than from an extension alone. */
  seen(x: number, y: number): boolean {
    const { map, placement } = this;
    return within(this.#horizontal[x], placement.trim.left, map.width) && within(this.#vertical[y], placement.trim.top, map.height);
  }
}

/** Whether any position of the tap lies in the map. */
function within(tap: AntialiasTap | undefined, trim: number, length: number): boolean {
  return tap?.weights.some((weight, k) => weight !== 0 && tap.first + k + trim >= 0 && tap.first + k + trim < length) ?? false;
}

/** The most probable channel of a pixel, the first of equal ones, and its probability. */
function bestChannel(rows: readonly Float32Array[], x: number): { readonly channel: number; readonly probability: number } {
  if (rows.length === 1) return { channel: 0, probability: sigmoid(rows[0]![x]!) };
  let channel = 0;
  let best = rows[0]![x]!;
  for (let other = 1; other < rows.length; other++) {
    const logit = rows[other]![x]!;
    if (logit > best) [channel, best] = [other, logit];
  }
  let sum = 0;
  for (const row of rows) sum = fround(sum + expOfNegative(fround(row[x]! - best)));
  return { channel, probability: fround(1 / sum) };
}

export function makeClassMap(map: DenseMap, placement: MapPlacement, settings: ClassMapSettings): ClassMap {
  requireMap(map, placement);
  const { background, classIds, thresholds } = settings;
  requireInt32Array(classIds, "settings.classIds");
  requireFloat32Array(thresholds, "settings.thresholds");
  const { canvas, resize } = placement;
  const pixels = canvas.width * canvas.height;
  const wide = background > 255 || classIds.some((id) => id > 255);
  const classMap = (wide ? new Uint16Array(pixels) : new Uint8Array(pixels)).fill(background);
  const confidence = new Float32Array(pixels);
  const rows = new ResizedRows(map, placement, background);
  for (let y = 0; y < resize.height; y++) {
    const logits = Array.from({ length: map.channels }, (_, channel) => rows.read(channel, y));
    for (let x = 0; x < resize.width; x++) {
      const { channel, probability } = bestChannel(logits, x);
      const id = classIds[channel] ?? background;
      const threshold = (thresholds.length === 1 ? thresholds[0] : thresholds[id]) ?? Number.NaN;
      // What the network never saw cannot be anything but background, whatever the fill of the extension would make of it.
      if (!(probability >= threshold) || (id !== background && !rows.seen(x, y))) continue;
      const pixel = (canvas.top + y) * canvas.width + canvas.left + x;
      classMap[pixel] = id;
      confidence[pixel] = probability;
    }
  }
  return { classMap, confidence };
}

export function makeValueMap(map: DenseMap, placement: MapPlacement, filter: MapFilter): Float32Array {
  requireMap(map, placement);
  requireOneOf(filter, "filter", ["triangle", "nearest-cubic"]);
  const { canvas, resize } = placement;
  const values = new Float32Array(canvas.width * canvas.height);
  const rows = new ResizedRows(map, placement, 0, filter);
  for (let y = 0; y < resize.height; y++) values.set(rows.read(0, y), (canvas.top + y) * canvas.width + canvas.left);
  return values;
}
