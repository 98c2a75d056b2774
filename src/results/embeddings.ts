/** Embeddings of several pictures or texts as one matrix, and how alike they are. */
import { InvalidParameterError } from "../errors.js";
import { requireColumn, requireLength, resolveCount, resolveIndex } from "./columns.js";
import type { Embeddings, SimilarityMatrix } from "./types.js";

class EmbeddingMatrix implements Embeddings {
  readonly kind = "embeddings";

  constructor(
    readonly values: Float32Array,
    readonly length: number,
    readonly dimensions: number,
  ) {
    Object.freeze(this);
  }

  at(index: number): Float32Array | undefined {
    const row = resolveIndex(index, this.length);
    return row === null ? undefined : this.values.subarray(row * this.dimensions, (row + 1) * this.dimensions);
  }
}

/**
 * Embeddings from numbers that were stored, or that came from another thread. The array is taken over, not copied.
 *
 * @param columns `values`: float32 `[length, dimensions]`.
 * @throws InvalidParameterError when the numbers do not make whole rows.
 */
export function createEmbeddings({ values, dimensions }: Pick<Embeddings, "values" | "dimensions">): Embeddings {
  requireColumn("values", values, Float32Array);
  const width = resolveCount("dimensions", dimensions);
  const rows = width === 0 ? 0 : Math.ceil(values.length / width);
  requireLength("values", values.length, rows * width, `${rows} rows of ${width}`);
  return new EmbeddingMatrix(values, rows, width);
}

/** Below this a length counts as this, so that a row of zeros is like nothing instead of not a number. */
const LEAST_LENGTH = 1e-12;

/** Rows of length 1. */
function normalized({ values, length, dimensions }: Embeddings): Float32Array {
  const result = new Float32Array(values.length);
  for (let row = 0; row < length; row++) {
    const start = row * dimensions;
    let sum = 0;
    for (let k = 0; k < dimensions; k++) sum += values[start + k]! * values[start + k]!;
    const size = Math.max(Math.sqrt(sum), LEAST_LENGTH);
    for (let k = 0; k < dimensions; k++) result[start + k] = values[start + k]! / size;
  }
  return result;
}

class CosineMatrix implements SimilarityMatrix {
  constructor(
    readonly values: Float32Array,
    readonly rows: number,
    readonly columns: number,
  ) {
    Object.freeze(this);
  }

  at(row: number, column: number): number | undefined {
    const inside = row >= 0 && row < this.rows && column >= 0 && column < this.columns;
    return inside ? this.values[row * this.columns + column] : undefined;
  }
}

/**
 * The cosine of every embedding of `x` with every one of `y`. Computed on the calling thread, `x.length * y.length * dimensions`
 * multiplications: 100 pictures with 1000 texts of 512 numbers are 51 million.
 *
 * @returns `[x.length, y.length]`.
 * @throws InvalidParameterError when the two are not of one space.
 */
export function compareEmbeddings(x: Embeddings, y: Embeddings): SimilarityMatrix {
  const { dimensions } = x;
  if (dimensions !== y.dimensions && x.length > 0 && y.length > 0) {
    throw new InvalidParameterError(
      `Embeddings of ${dimensions} numbers cannot be compared with embeddings of ${y.dimensions}. Take both from the same model.`,
      { parameter: "y" },
    );
  }
  const [left, right] = [normalized(x), normalized(y)];
  const values = new Float32Array(x.length * y.length);
  for (let row = 0; row < x.length; row++) {
    for (let column = 0; column < y.length; column++) {
      let sum = 0;
      for (let k = 0; k < dimensions; k++) sum += left[row * dimensions + k]! * right[column * dimensions + k]!;
      values[row * y.length + column] = sum;
    }
  }
  return new CosineMatrix(values, x.length, y.length);
}
