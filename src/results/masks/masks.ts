import { InvalidParameterError } from "../../errors.js";
import { requireLength, resolveIndex } from "../columns.js";
import { readCounts, requireMaskSize, writeCounts } from "./coco.js";
import type { CocoRle } from "./coco.js";
import { tracePolygons } from "./polygons.js";
import { areaOfRuns, boundsOfRuns, drawRuns, runsOfPixels } from "./runs.js";
import type { PixelBounds } from "./runs.js";
import type { DenseMasks, Mask, Masks, MaskFormat, RleMasks } from "./types.js";

/** Typed arrays and everything made of them end here. */
const MAXIMUM_DENSE_BYTES = 2 ** 31 - 1;

abstract class ColumnMask implements Mask {
  constructor(
    readonly width: number,
    readonly height: number,
  ) {}

  protected abstract runs(): Uint32Array;
  abstract toDense(): Uint8Array;

  get area(): number {
    return areaOfRuns(this.runs());
  }

  get bounds(): PixelBounds | null {
    return boundsOfRuns(this.runs(), this.height);
  }

  toRle(): CocoRle {
    return { size: [this.height, this.width], counts: writeCounts(this.runs()) };
  }

  toPolygons(): ReturnType<typeof tracePolygons> {
    return tracePolygons(this.runs(), this.height);
  }
}

class RunMask extends ColumnMask {
  constructor(
    width: number,
    height: number,
    readonly stored: Uint32Array,
  ) {
    super(width, height);
  }

  protected override runs(): Uint32Array {
    return this.stored;
  }

  toDense(): Uint8Array {
    const pixels = new Uint8Array(this.width * this.height);
    drawRuns(this.stored, pixels, this.width, this.height);
    return pixels;
  }
}

class PixelMask extends ColumnMask {
  constructor(
    width: number,
    height: number,
    readonly stored: Uint8Array,
  ) {
    super(width, height);
  }

  protected override runs(): Uint32Array {
    return runsOfPixels(this.stored, this.width, this.height);
  }

  toDense(): Uint8Array {
    return this.stored;
  }
}

abstract class ColumnMasks {
  constructor(
    readonly length: number,
    readonly width: number,
    readonly height: number,
  ) {}

  protected abstract mask(row: number): Mask;

  at(index: number): Mask | undefined {
    const row = resolveIndex(index, this.length);
    return row === null ? undefined : this.mask(row);
  }

  *[Symbol.iterator](): Generator<Mask, void, undefined> {
    for (let row = 0; row < this.length; row++) yield this.mask(row);
  }
}

class ColumnRleMasks extends ColumnMasks implements RleMasks {
  readonly format = "rle";

  constructor({ width, height, runs, offsets }: Pick<RleMasks, "width" | "height" | "runs" | "offsets">) {
    super(offsets.length - 1, width, height);
    this.runs = runs;
    this.offsets = offsets;
    Object.freeze(this);
  }

  readonly runs: Uint32Array;
  readonly offsets: Uint32Array;

  protected override mask(row: number): Mask {
    return new RunMask(this.width, this.height, this.runs.subarray(this.offsets[row], this.offsets[row + 1]));
  }
}

class ColumnDenseMasks extends ColumnMasks implements DenseMasks {
  readonly format = "dense";

  constructor({ width, height, data }: Pick<DenseMasks, "width" | "height" | "data">, length: number) {
    super(length, width, height);
    this.data = data;
    Object.freeze(this);
  }

  readonly data: Uint8Array;

  protected override mask(row: number): Mask {
    const pixels = this.width * this.height;
    return new PixelMask(this.width, this.height, this.data.subarray(row * pixels, (row + 1) * pixels));
  }
}

/** The columns of masks; see {@link RleMasks} and {@link DenseMasks}. */
export type MaskColumns =
  | ({ readonly format: "rle" } & Pick<RleMasks, "width" | "height" | "runs" | "offsets">)
  | ({ readonly format: "dense"; readonly length: number } & Pick<DenseMasks, "width" | "height" | "data">);

function requireRuns({ width, height, runs, offsets }: Pick<RleMasks, "width" | "height" | "runs" | "offsets">): void {
  if (!(runs instanceof Uint32Array && offsets instanceof Uint32Array))
    throw new InvalidParameterError('Masks in the format "rle" consist of a Uint32Array "runs" and a Uint32Array "offsets".', {
      parameter: "runs",
    });
  if (offsets[0] !== 0 || offsets.at(-1) !== runs.length)
    throw new InvalidParameterError(`The offsets of ${runs.length} runs must go from 0 to ${runs.length}.`, { parameter: "offsets" });
  for (let mask = 0; mask + 1 < offsets.length; mask++) {
    const [start = 0, end = 0] = offsets.subarray(mask, mask + 2);
    let pixels = 0;
    for (let index = start; index < end; index++) pixels += runs[index] ?? 0;
    if (end < start || pixels !== width * height)
      throw new InvalidParameterError(`The runs of mask ${mask} stand for ${pixels} pixels, but the picture has ${width * height}.`, {
        parameter: "runs",
      });
  }
}

/**
 * Masks of one picture from their columns. The arrays are taken over, not copied: do not write to them afterwards.
 *
 * @throws InvalidParameterError when the columns do not describe masks of this size.
 */
export function createMasks(columns: Extract<MaskColumns, { readonly format: "rle" }>): RleMasks;
export function createMasks(columns: Extract<MaskColumns, { readonly format: "dense" }>): DenseMasks;
export function createMasks(columns: MaskColumns): Masks;
export function createMasks(columns: MaskColumns): Masks {
  const { width, height, format } = columns;
  requireMaskSize(width, height);
  if (format === "rle") {
    requireRuns(columns);
    return new ColumnRleMasks(columns);
  }
  const { data, length } = columns;
  if (!(data instanceof Uint8Array))
    throw new InvalidParameterError('Masks in the format "dense" are a Uint8Array "data".', { parameter: "data" });
  requireLength("data", data.length, length * width * height, `${length} masks of ${width}x${height} pixels`);
  return new ColumnDenseMasks(columns, length);
}

/**
 * Masks from COCO's run lengths, all of one size.
 *
 * @throws InvalidParameterError when sizes differ or runs are damaged.
 */
export function masksFromCoco(masks: readonly CocoRle[], width: number, height: number): RleMasks {
  requireMaskSize(width, height);
  const lists = masks.map(({ size, counts }, index) => {
    if (size[0] !== height || size[1] !== width)
      throw new InvalidParameterError(`Mask ${index} has ${size[1]}x${size[0]} pixels, not ${width}x${height}.`, { parameter: "masks" });
    return readCounts(counts, width * height);
  });
  return new ColumnRleMasks({ width, height, ...joinRuns(lists) });
}

function joinRuns(lists: readonly Uint32Array[]): Pick<RleMasks, "runs" | "offsets"> {
  const offsets = new Uint32Array(lists.length + 1);
  lists.forEach((list, index) => (offsets[index + 1] = (offsets[index] ?? 0) + list.length));
  const runs = new Uint32Array(offsets.at(-1) ?? 0);
  lists.forEach((list, index) => {
    runs.set(list, offsets[index]);
  });
  return { runs, offsets };
}

/**
 * The same masks in another form; themselves when they have it already.
 *
 * @throws InvalidParameterError when dense masks would take more than 2 GiB: ask for them one by one.
 */
export function convertMasks(masks: Masks, format: "rle"): RleMasks;
export function convertMasks(masks: Masks, format: "dense"): DenseMasks;
export function convertMasks(masks: Masks, format: MaskFormat): Masks;
export function convertMasks(masks: Masks, format: MaskFormat): Masks {
  if (masks.format === format) return masks;
  const { width, height, length } = masks;
  if (masks.format === "dense") {
    const pixels = width * height;
    const lists = Array.from({ length }, (_, row) => runsOfPixels(masks.data.subarray(row * pixels, (row + 1) * pixels), width, height));
    return new ColumnRleMasks({ width, height, ...joinRuns(lists) });
  }
  const bytes = length * width * height;
  if (bytes > MAXIMUM_DENSE_BYTES) {
    throw new InvalidParameterError(
      `${length} dense masks of ${width}x${height} pixels would take ${Math.ceil(bytes / 2 ** 20)} MiB. Keep them in the format "rle" and call toDense on one mask at a time.`,
      { parameter: "maskFormat" },
    );
  }
  const data = new Uint8Array(bytes);
  for (let row = 0; row < length; row++) {
    const runs = masks.runs.subarray(masks.offsets[row], masks.offsets[row + 1]);
    drawRuns(runs, data.subarray(row * width * height, (row + 1) * width * height), width, height);
  }
  return new ColumnDenseMasks({ width, height, data }, length);
}

/** @internal Some of the masks, in the order of `rows`. */
export function takeMasks(masks: Masks, rows: readonly number[]): Masks {
  const { width, height } = masks;
  if (masks.format === "rle")
    return new ColumnRleMasks({
      width,
      height,
      ...joinRuns(rows.map((row) => masks.runs.subarray(masks.offsets[row], masks.offsets[row + 1]))),
    });
  const pixels = width * height;
  const data = new Uint8Array(rows.length * pixels);
  rows.forEach((row, place) => {
    data.set(masks.data.subarray(row * pixels, (row + 1) * pixels), place * pixels);
  });
  return new ColumnDenseMasks({ width, height, data }, rows.length);
}

/** Masks of one size, one list after the other. */
export function joinMasks(parts: readonly RleMasks[], width: number, height: number): RleMasks {
  const lists = parts.flatMap(({ length, runs, offsets }) =>
    Array.from({ length }, (_, row) => runs.subarray(offsets[row], offsets[row + 1])),
  );
  return new ColumnRleMasks({ width, height, ...joinRuns(lists) });
}
