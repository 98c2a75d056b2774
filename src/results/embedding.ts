import { InvalidParameterError } from "../errors.js";
import { provenanceToJson, requireColumn, requireImageInfo, shortestFloat } from "./columns.js";
import type { Embedding, EmbeddingJson, ImageInfo, Provenance, ServedBy, Timings } from "./types.js";

/** What an {@link Embedding} is made from. */
export interface EmbeddingColumns extends Partial<Provenance> {
  readonly image: ImageInfo;
  /** float32 `[dimensions]`, at least one. */
  readonly vector: Float32Array;
  readonly metadata?: Readonly<Record<string, unknown>>;
}

class PictureEmbedding implements Embedding {
  readonly kind = "embedding";
  readonly image: ImageInfo;
  readonly vector: Float32Array;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly servedBy: ServedBy | null;
  readonly timings: Timings | null;

  constructor({ image, vector, metadata = {}, servedBy = null, timings = null }: EmbeddingColumns) {
    this.image = image;
    this.vector = vector;
    this.metadata = metadata;
    this.servedBy = servedBy;
    this.timings = timings;
    Object.freeze(this);
  }

  get dimensions(): number {
    return this.vector.length;
  }

  toJSON(): EmbeddingJson {
    return { kind: this.kind, vector: Array.from(this.vector, shortestFloat), ...provenanceToJson(this) };
  }
}

/** @internal */
export function columnsOfEmbedding({ image, vector, metadata, servedBy, timings }: Embedding): Required<EmbeddingColumns> {
  return { image, vector, metadata, servedBy, timings };
}

/** One picture as a point. The array is taken over, not copied. @throws InvalidParameterError */
export function createEmbedding(columns: EmbeddingColumns): Embedding {
  requireImageInfo(columns.image);
  requireColumn("vector", columns.vector, Float32Array);
  if (columns.vector.length === 0) throw new InvalidParameterError('Column "vector" is empty.', { parameter: "vector" });
  return new PictureEmbedding(columns);
}
