import type { InferenceSession } from "../engines/index.js";

/**
 * Network inputs that are used again: fresh memory of some megabytes costs as much in page faults as filling it does.
 * Holds buffers of one size, the last one asked for, at most `capacity` of them.
 */
export class InputBuffers {
  readonly #free: Float32Array[] = [];
  #length = 0;

  constructor(
    private readonly session: InferenceSession,
    private readonly capacity: number,
  ) {}

  /** Contents are those of an earlier use. */
  take(length: number): Float32Array {
    if (length !== this.#length) {
      this.#free.length = 0;
      this.#length = length;
    }
    return this.#free.pop() ?? this.session.allocateInput(length);
  }

  giveBack(buffer: Float32Array): void {
    if (buffer.length === this.#length && this.#free.length < this.capacity) this.#free.push(buffer);
  }

  clear(): void {
    this.#free.length = 0;
  }
}
