import type { MaskLogits } from "../results/index.js";
import type { SegmentationPrompt } from "./contract.js";
import { requireLimit } from "./embedding-cache.js";

/** A prompt as a set of points and a box, and the best mask of it. */
interface Entry {
  readonly parts: ReadonlySet<string>;
  readonly logits: MaskLogits;
}

/**
 * Masks of earlier prompts, picture by picture, so that a click more refines what the clicks before it showed. A prompt of two parts or more
 * (points with their labels, box) starts from the mask of a kept prompt that has some of them and no others: the newest that lacks one part, else the
 * one that has most. A prompt with a mask of its own starts from that.
 *
 * Pictures are told apart by their embeddings: hand the same one in again, or an {@link EmbeddingCache}. What is kept of a picture goes
 * with its embedding. A mask takes 256 KiB.
 */
export class MaskCache {
  #kept = new WeakMap<object, readonly Entry[]>();
  readonly #limit: number;

  /** @param options.limit most masks of one picture, at least 1; the oldest goes first. @throws InvalidParameterError */
  constructor({ limit }: { readonly limit: number }) {
    this.#limit = requireLimit(limit);
  }

  clear(): void {
    this.#kept = new WeakMap();
  }

  /** @internal @param picture what all its embeddings share. */
  find(picture: object, prompt: SegmentationPrompt): MaskLogits | undefined {
    const wanted = partsOf(prompt);
    if (wanted.size < 2) return undefined;
    let best: Entry | undefined;
    for (const entry of this.#kept.get(picture) ?? []) {
      if (!isPart(entry.parts, wanted)) continue;
      if (entry.parts.size === wanted.size - 1) return entry.logits;
      if (entry.parts.size > (best?.parts.size ?? 0)) best = entry;
    }
    return best?.logits;
  }

  /** @internal The newest comes first, and replaces the same prompt. @param logits taken over, not copied. */
  keep(picture: object, prompt: SegmentationPrompt, logits: MaskLogits): void {
    const parts = partsOf(prompt);
    if (parts.size === 0) return;
    const others = (this.#kept.get(picture) ?? []).filter((entry) => !(entry.parts.size === parts.size && isSubset(entry.parts, parts)));
    this.#kept.set(picture, [{ parts, logits }, ...others].slice(0, this.#limit));
  }
}

function partsOf({ points = [], labels = [], box }: SegmentationPrompt): ReadonlySet<string> {
  const clicks = points.map(([x, y], index) => JSON.stringify([x, y, labels[index]]));
  return new Set([...clicks, ...(box === undefined ? [] : [JSON.stringify({ box })])]);
}

function isSubset(some: ReadonlySet<string>, all: ReadonlySet<string>): boolean {
  return [...some].every((part) => all.has(part));
}

/** Some of them, but not all. */
function isPart(some: ReadonlySet<string>, all: ReadonlySet<string>): boolean {
  return some.size < all.size && isSubset(some, all);
}
