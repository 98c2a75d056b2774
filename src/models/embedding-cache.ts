import { createHash } from "node:crypto";

import { InvalidParameterError } from "../errors.js";
import type { Picture } from "../imaging/index.js";
import type { ImageEmbedding } from "./contract.js";

/** Of a cache. @throws InvalidParameterError */
export function requireLimit(limit: number): number {
  if (Number.isSafeInteger(limit) && limit >= 1) return limit;
  throw new InvalidParameterError(`The limit of a cache must be a whole number of at least 1 but is ${String(limit)}.`, {
    parameter: "limit",
  });
}

/**
 * Embeddings of pictures that were seen before, by the hash of their pixels and shape. What came first goes first when it is full; what is
 * in it is never replaced. An embedding of SAM takes 4 MiB, of SAM 2 16 MiB.
 */
export class EmbeddingCache {
  readonly #kept = new Map<string, ImageEmbedding>();
  readonly #limit: number;

  /** @param options.limit most embeddings it holds, at least 1. @throws InvalidParameterError */
  constructor({ limit }: { readonly limit: number }) {
    this.#limit = requireLimit(limit);
  }

  get size(): number {
    return this.#kept.size;
  }

  clear(): void {
    this.#kept.clear();
  }

  /** @internal */
  find(key: string): ImageEmbedding | undefined {
    return this.#kept.get(key);
  }

  /** @internal */
  keep(key: string, embedding: ImageEmbedding): void {
    if (this.#kept.has(key)) return;
    const [oldest] = this.#kept.keys();
    if (this.#kept.size >= this.#limit && oldest !== undefined) this.#kept.delete(oldest);
    this.#kept.set(key, embedding);
  }
}

/** SHA-1 of the pixels and of what they mean: the same bytes are other pictures in other shapes. */
export function pictureKey(model: string, { data, width, height, channels, colorFormat }: Picture): string {
  return createHash("sha1")
    .update(JSON.stringify([model, width, height, channels, colorFormat]))
    .update(data)
    .digest("hex");
}
