/** Milliseconds of runs that follow each other. */
export class Times {
  readonly #sorted: readonly number[];

  private constructor(each: readonly number[]) {
    this.#sorted = each.toSorted((a, b) => a - b);
  }

  /** After as many runs as it takes to warm up. */
  static async of(runs: number, run: () => Promise<unknown>): Promise<Times> {
    for (let i = 0; i < Math.max(10, runs >> 3); i += 1) await run();
    const each: number[] = [];
    for (let i = 0; i < runs; i += 1) {
      const start = performance.now();
      await run();
      each.push(performance.now() - start);
    }
    return new Times(each);
  }

  at(fraction: number): number {
    return this.#sorted[Math.floor(fraction * (this.#sorted.length - 1))] ?? NaN;
  }

  get median(): number {
    return this.at(0.5);
  }

  toString(): string {
    return `p50 ${this.at(0.5).toFixed(3)} ms, p95 ${this.at(0.95).toFixed(3)} ms, p99 ${this.at(0.99).toFixed(3)} ms`;
  }
}
