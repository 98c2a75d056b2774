import { setTimeout as wait } from "node:timers/promises";

import { RetryError } from "../errors.js";

/** Longest wait before another attempt, whatever the server or the exponent says. */
const MAXIMUM_DELAY_SECONDS = 60;

/** What a `Retry-After` header asks for: seconds, or a date. null when it is absent or makes no sense. */
export function parseRetryAfter(header: string | undefined, now: number = Date.now()): number | null {
  if (header === undefined) return null;
  if (/^\s*\d{1,9}\s*$/.test(header)) return Number(header);
  // A date has letters; Date.parse would also take "-5" for one.
  const date = /[a-z]/i.test(header) ? Date.parse(header) : NaN;
  return Number.isNaN(date) ? null : Math.max(0, (date - now) / 1000);
}

/**
 * How long to wait after the `attempt`-th attempt (1, 2, ...) has failed: a random time between 0 and 1, 2, 4, ... seconds, so that callers
 * who failed together do not come back together; and not before the server asked for. At most a minute.
 */
export function retryDelaySeconds(attempt: number, retryAfterSeconds: number | null = null, random: () => number = Math.random): number {
  const jitter = random() * 2 ** Math.min(attempt - 1, 10);
  return Math.min(MAXIMUM_DELAY_SECONDS, Math.max(jitter, retryAfterSeconds ?? 0));
}

export type Sleep = (seconds: number, signal?: AbortSignal) => Promise<void>;

/** @throws the signal's own reason when it fires */
export async function sleep(seconds: number, signal?: AbortSignal): Promise<void> {
  try {
    await wait(seconds * 1000, undefined, signal === undefined ? {} : { signal });
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  }
}

export interface RetryPolicy {
  /** The first included. */
  readonly attempts: number;
  readonly signal?: AbortSignal | undefined;
  /** For tests. */
  readonly sleep?: Sleep;
  readonly random?: () => number;
}

/**
 * Calls `work` until it succeeds; only a RetryError that says it is retryable leads to another attempt.
 * @throws RetryError with the number of attempts after the last one; any other error at once.
 */
export async function withRetries<T>(work: () => Promise<T>, policy: RetryPolicy): Promise<T> {
  const { attempts, signal, random = Math.random } = policy;
  for (let attempt = 1; ; attempt++) {
    signal?.throwIfAborted();
    try {
      return await work();
    } catch (error) {
      if (!RetryError.is(error) || !error.isRetryable) throw error;
      if (attempt >= attempts) throw exhausted(error, attempt);
      await (policy.sleep ?? sleep)(retryDelaySeconds(attempt, error.retryAfterSeconds ?? null, random), signal);
    }
  }
}

function exhausted(last: RetryError, attempts: number): RetryError {
  const { message, status, retryAfterSeconds, cause, helpUrl } = last;
  const tries = attempts === 1 ? "1 attempt" : `${attempts} attempts`;
  return new RetryError(`${message} Given up after ${tries}; check the network, or try again later.`, {
    attempts,
    isRetryable: true,
    helpUrl,
    ...(status === undefined ? {} : { status }),
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
    ...(cause === undefined ? {} : { cause }),
  });
}
