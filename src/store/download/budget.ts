import pLimit, { type LimitFunction } from "p-limit";

import { configuration } from "../../configuration.js";

let limit: LimitFunction | null = null;

/** Runs `work` when fewer than `INFERENCE_MODELS_PARALLEL_DOWNLOADS` downloads are under way in the whole process. */
export async function withinBudget<T>(work: () => Promise<T>): Promise<T> {
  const concurrency = Math.max(1, configuration().download.parallelFiles);
  limit ??= pLimit(concurrency);
  if (limit.concurrency !== concurrency) limit.concurrency = concurrency;
  return limit(work);
}

/**
 * Runs all; the first failure aborts the others, and is thrown once they have ended: nothing goes on behind the caller's back.
 */
export async function all<T, R>(
  items: readonly T[],
  signal: AbortSignal | undefined,
  work: (item: T, signal: AbortSignal) => Promise<R>,
): Promise<readonly R[]> {
  const failure = new AbortController();
  const combined = signal === undefined ? failure.signal : AbortSignal.any([signal, failure.signal]);
  const settled = await Promise.allSettled(
    items.map(async (item) => {
      try {
        return await work(item, combined);
      } catch (error) {
        failure.abort(error);
        throw error;
      }
    }),
  );
  // The first failure in time: the others fail with it as their reason.
  if (failure.signal.aborted) throw failure.signal.reason;
  return settled.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
}
