import { InvalidParameterError } from "../errors.js";

/** One run over items `start` to `start + count` of a batch, with `padding` zero items after them. */
export interface BatchChunk {
  readonly start: number;
  readonly count: number;
  readonly padding: number;
}

export interface BatchLimits {
  /** Smallest batch that the network takes; shorter ones are padded. */
  readonly min?: number;
  /** Largest batch that the network takes; longer ones are cut. Absent: no limit, the whole batch is one run. */
  readonly max?: number;
}

/**
 * How a batch is run on a network with limits: in chunks of `max`, in order, each padded at its end up to `min`. Rows of
 * outputs that belong to padding are to be cut off.
 *
 * Without a `max` the batch runs as it is: a network whose batch size is free has no minimum either.
 */
export function planBatches(batchSize: number, { min = 1, max = Infinity }: BatchLimits = {}): readonly BatchChunk[] {
  requireCount(batchSize, "batchSize", 0);
  requireCount(min, "min", 1);
  if (max !== Infinity) requireCount(max, "max", 1);
  const smallest = max === Infinity ? 1 : min;
  const chunks: BatchChunk[] = [];
  for (let start = 0; start < batchSize; start += max) {
    const count = Math.min(max, batchSize - start);
    chunks.push({ start, count, padding: Math.max(0, smallest - count) });
  }
  return chunks;
}

function requireCount(value: number, parameter: string, minimum: number): void {
  if (!Number.isSafeInteger(value) || value < minimum) {
    throw new InvalidParameterError(`Expected an integer of at least ${minimum} for ${parameter} but received ${String(value)}.`, {
      parameter,
    });
  }
}
