/** How long a download is kept up. */
import { configuration } from "../../configuration.js";
import { RetryError } from "../../errors.js";

const LONGEST_DELAY_SECONDS = 300;
/** An attempt that brings less than this has brought nothing worth going on for ever. */
const SMALL_PROGRESS_BYTES = 1 << 20;

/** Upper limit of the wait after the attempt with this index: 1, 2, 4, ... 32 seconds. */
export function backoffSeconds(attemptIndex: number): number {
  return 2 ** Math.min(attemptIndex, 5);
}

/** Counts the attempts of one file. Those that bring the file forward cost nothing, so a large file may be cut as often as it likes. */
export class Patience {
  private empty = 0;
  private small = 0;

  /**
   * Seconds to wait before the next attempt.
   * @throws RetryError when there is none: `API_CALLS_MAX_TRIES` attempts in a row brought nothing, or `CHUNK_DOWNLOAD_MAX_ATTEMPTS` brought
   * next to nothing.
   */
  afterFailure(error: RetryError, bytesGained: number): number {
    const { callsMaxTries } = configuration().api;
    this.empty = bytesGained > 0 ? 0 : this.empty + 1;
    if (bytesGained < SMALL_PROGRESS_BYTES) this.small++;
    if (this.empty >= callsMaxTries || this.small >= configuration().download.maxAttempts) {
      const { message, status } = error;
      throw new RetryError(
        `${message} Given up after ${Math.max(this.empty, this.small)} attempts that brought nothing; try again later.`,
        {
          attempts: this.small,
          isRetryable: true,
          cause: error,
          ...(status === undefined ? {} : { status }),
        },
      );
    }
    if (bytesGained > 0) return 0;
    const jitter = Math.random() * backoffSeconds(this.empty - 1);
    return Math.min(LONGEST_DELAY_SECONDS, Math.max(jitter, error.retryAfterSeconds ?? 0));
  }
}
