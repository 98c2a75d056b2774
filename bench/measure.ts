/** Medians of variants that alternate within one run: what disturbs the machine disturbs all of them alike. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

export interface Measurement {
  readonly name: string;
  /** Milliseconds. */
  readonly median: number;
  readonly minimum: number;
  readonly p90: number;
  readonly rounds: number;
}

export function summarize(name: string, samples: readonly number[]): Measurement {
  const sorted = [...samples].sort((a, b) => a - b);
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? NaN;
  return { name, median: at(0.5), minimum: sorted[0] ?? NaN, p90: at(0.9), rounds: sorted.length };
}

export type Variant = readonly [name: string, run: () => unknown];

/** Node's garbage collector, which is not at hand otherwise. */
function garbageCollector(): () => void {
  setFlagsFromString("--expose-gc");
  return runInNewContext("gc") as () => void;
}

/**
 * Runs every variant once in each round, after some rounds that do not count. Garbage is collected between them: the outputs that one
 * leaves behind, megabytes each, would be given back at the cost of another.
 */
export async function alternate(variants: readonly Variant[], rounds: number, warmup = 3): Promise<readonly Measurement[]> {
  const samples = variants.map((): number[] => []);
  const collect = garbageCollector();
  for (let round = -warmup; round < rounds; round++) {
    for (const [index, [, run]] of variants.entries()) {
      collect();
      // Finalizers run a turn later.
      await new Promise((resolve) => setImmediate(resolve));
      const begin = performance.now();
      await run();
      if (round >= 0) samples[index]?.push(performance.now() - begin);
    }
  }
  return variants.map(([name], index) => summarize(name, samples[index] ?? []));
}

/** A fact with its bound: `value` should be at most (or at least) `bound`. */
export interface Claim {
  readonly text: string;
  readonly value: number;
  readonly comparison: "<=" | ">=";
  readonly bound: number;
}

export interface CaseResult {
  readonly measurements: readonly Measurement[];
  readonly claims: readonly Claim[];
}

/** A case that cannot be measured here, and why. */
export class Unavailable extends Error {}

export interface Case {
  readonly name: string;
  readonly run: (quick: boolean) => Promise<CaseResult>;
}

export function ratio(measurements: readonly Measurement[], numerator: string, denominator: string): number {
  const find = (name: string): number => measurements.find((one) => one.name === name)?.median ?? NaN;
  return find(numerator) / find(denominator);
}
