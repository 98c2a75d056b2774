import { onAbort, raceAbort } from "../abort.js";
import { ModelDisposedError, QueueFullError } from "../errors.js";

interface Waiter {
  readonly enter: () => void;
  readonly leave: (reason: unknown) => void;
}

/**
 * How many predictions may hold buffers at once. Later ones wait in order; beyond the limit they are refused, so that a
 * burst of requests costs an error each and not the memory of the machine.
 */
export class Gate {
  #active = 0;
  #closed = false;
  #refused = 0;
  #mostWaiting = 0;
  #longestWaitMs = 0;
  readonly #waiting: Waiter[] = [];
  #idle: (() => void)[] = [];

  constructor(
    readonly places: number,
    readonly queueLimit: number,
    private readonly what: string,
  ) {}

  get active(): number {
    return this.#active;
  }
  get waiting(): number {
    return this.#waiting.length;
  }
  get refused(): number {
    return this.#refused;
  }
  get mostWaiting(): number {
    return this.#mostWaiting;
  }
  /** Of work that got its place. */
  get longestWaitMs(): number {
    return this.#longestWaitMs;
  }
  get closed(): boolean {
    return this.#closed;
  }

  /** Runs `work` when a place is free. The place stays taken until `work` settles, even when the caller was told of an abort before. */
  async run<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    this.requireOpen();
    signal?.throwIfAborted();
    if (this.#active >= this.places) await this.#wait(signal);
    else this.#active++;
    const job = work().finally(() => {
      this.#release();
    });
    return raceAbort(signal, job);
  }

  requireOpen(): void {
    if (this.#closed) throw new ModelDisposedError(`${this.what} was closed. Load it again, or close it only after its last use.`);
  }

  /** Idempotent; resolves when all that had begun or waited has settled. */
  async close(): Promise<void> {
    this.#closed = true;
    if (this.#active > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  #wait(signal: AbortSignal | undefined): Promise<void> {
    if (this.#waiting.length >= this.queueLimit) {
      this.#refused += 1;
      throw new QueueFullError(
        `${this.what} has ${this.#active} predictions running and ${this.queueLimit} waiting. Wait for results before sending more (model.stream does), or raise queueLimit.`,
        { limit: this.queueLimit, isRetryable: true },
      );
    }
    return new Promise<void>((resolve, reject) => {
      let takeBack = (): void => undefined;
      const since = performance.now();
      const waiter: Waiter = {
        enter: () => {
          this.#longestWaitMs = Math.max(this.#longestWaitMs, performance.now() - since);
          takeBack();
          resolve();
        },
        leave: reject,
      };
      this.#waiting.push(waiter);
      this.#mostWaiting = Math.max(this.#mostWaiting, this.#waiting.length);
      if (signal === undefined) return;
      takeBack = onAbort(signal, () => {
        this.#waiting.splice(this.#waiting.indexOf(waiter), 1);
        waiter.leave(signal.reason);
      });
    });
  }

  #release(): void {
    const next = this.#waiting.shift();
    // The place passes on without being free in between, so nobody can overtake the queue.
    if (next !== undefined) {
      next.enter();
      return;
    }
    if (--this.#active === 0) {
      for (const resolve of this.#idle.splice(0)) resolve();
    }
  }
}
