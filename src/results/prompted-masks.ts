import { InvalidParameterError } from "../errors.js";
import { provenanceToJson, requireColumn, requireImageInfo, requireLength, resolveIndex, shortestFloat } from "./columns.js";
import { flattenMasks, unflattenMasks, type FlatMasks } from "./masks/flat.js";
import type { Mask, Masks } from "./masks/types.js";
import type { ImageInfo, MaskLogits, PromptedMask, PromptedMasks, PromptedMasksJson, Provenance, ServedBy, Timings } from "./types.js";

/** What {@link PromptedMasks} are made from. */
export interface PromptedMasksColumns extends Partial<Provenance> {
  readonly image: ImageInfo;
  readonly prompts: number;
  /** Prompt by prompt, as many of each. */
  readonly masks: Masks;
  /** float32 `[prompts, masksPerPrompt]`. */
  readonly scores: Float32Array;
  /** float32 `[prompts, masksPerPrompt, logitsHeight, logitsWidth]`. */
  readonly logits: Float32Array;
  readonly logitsWidth: number;
  readonly logitsHeight: number;
  readonly metadata?: Readonly<Record<string, unknown>>;
}

class ColumnPromptedMasks implements PromptedMasks {
  readonly kind = "prompted-masks";
  readonly image: ImageInfo;
  readonly prompts: number;
  readonly masks: Masks;
  readonly scores: Float32Array;
  readonly logits: Float32Array;
  readonly logitsWidth: number;
  readonly logitsHeight: number;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly servedBy: ServedBy | null;
  readonly timings: Timings | null;

  constructor(columns: PromptedMasksColumns) {
    this.image = columns.image;
    this.prompts = columns.prompts;
    this.masks = columns.masks;
    this.scores = columns.scores;
    this.logits = columns.logits;
    this.logitsWidth = columns.logitsWidth;
    this.logitsHeight = columns.logitsHeight;
    this.metadata = columns.metadata ?? {};
    this.servedBy = columns.servedBy ?? null;
    this.timings = columns.timings ?? null;
    Object.freeze(this);
  }

  get length(): number {
    return this.scores.length;
  }

  get masksPerPrompt(): number {
    return this.prompts === 0 ? 0 : this.length / this.prompts;
  }

  at(index: number): PromptedMask | undefined {
    const row = resolveIndex(index, this.length);
    return row === null ? undefined : this.#row(row);
  }

  *[Symbol.iterator](): Generator<PromptedMask, void, undefined> {
    for (let row = 0; row < this.length; row++) yield this.#row(row);
  }

  best(prompt = 0): PromptedMask | undefined {
    const place = resolveIndex(prompt, this.prompts);
    if (place === null) return undefined;
    const first = place * this.masksPerPrompt;
    let best = first;
    for (let row = first + 1; row < first + this.masksPerPrompt; row++) if (this.scores[row]! > this.scores[best]!) best = row;
    return this.#row(best);
  }

  toJSON(): PromptedMasksJson {
    const masks = Array.from(this, ({ prompt, score, mask }) => ({ prompt, score: shortestFloat(score), mask: mask.toRle() }));
    return { kind: this.kind, prompts: this.prompts, masks, ...provenanceToJson(this) };
  }

  #row(row: number): PromptedMask {
    const [width, height] = [this.logitsWidth, this.logitsHeight];
    const logits: MaskLogits = { width, height, data: this.logits.subarray(row * width * height, (row + 1) * width * height) };
    return {
      index: row,
      prompt: Math.trunc(row / this.masksPerPrompt),
      score: this.scores[row] ?? 0,
      mask: this.masks.at(row) as Mask,
      logits,
    };
  }
}

type FlatPromptedMasks = Omit<Required<PromptedMasksColumns>, "masks"> & FlatMasks;

/** @internal Columns that can be sent elsewhere. */
export function flattenPromptedMasks(result: PromptedMasks): FlatPromptedMasks {
  const { image, prompts, masks, scores, logits, logitsWidth, logitsHeight, metadata, servedBy, timings } = result;
  return { image, prompts, scores, logits, logitsWidth, logitsHeight, metadata, servedBy, timings, ...flattenMasks(masks) };
}

/** @internal @throws InvalidParameterError */
export function unflattenPromptedMasks({ maskFormat, maskData, maskOffsets, ...columns }: FlatPromptedMasks): PromptedMasks {
  const { image, scores } = columns;
  return createPromptedMasks({
    ...columns,
    masks: unflattenMasks({ maskFormat, maskData, maskOffsets }, image.width, image.height, scores.length),
  });
}

/** Masks that prompts asked for. The arrays are taken over, not copied. @throws InvalidParameterError when the columns do not fit together. */
export function createPromptedMasks(columns: PromptedMasksColumns): PromptedMasks {
  const { image, masks, scores, prompts, logits, logitsWidth, logitsHeight } = columns;
  requireImageInfo(image);
  requireColumn("scores", scores, Float32Array);
  requireColumn("logits", logits, Float32Array);
  const perPrompt = prompts === 0 ? 0 : scores.length / prompts;
  if (!(Number.isSafeInteger(prompts) && prompts >= 0 && Number.isInteger(perPrompt)) || (prompts === 0 && scores.length > 0))
    throw new InvalidParameterError(`${scores.length} masks cannot be as many for each of ${prompts} prompts.`, { parameter: "prompts" });
  if (masks.length !== scores.length || masks.width !== image.width || masks.height !== image.height)
    throw new InvalidParameterError(
      `${masks.length} masks of ${masks.width}x${masks.height} do not belong to ${scores.length} scores in a picture of ${image.width}x${image.height}.`,
      { parameter: "masks" },
    );
  requireLength(
    "logits",
    logits.length,
    scores.length * logitsWidth * logitsHeight,
    `${scores.length} masks of ${logitsWidth}x${logitsHeight}`,
  );
  return new ColumnPromptedMasks(columns);
}
