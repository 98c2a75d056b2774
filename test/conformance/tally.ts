/** Runs vectors through a table of adapters and counts what came of it, by function and implementation. */
import type { Adapter, AdapterTable } from "./adapter.js";
import { isPeerBug, judge, type Verdict } from "./judge.js";
import type { Vector } from "./vectors.js";

export interface Tally {
  passed: number;
  failed: number;
  notCovered: number;
  bugsAgreeing: number;
  bugs: number;
  /** One line each. */
  readonly failures: string[];
  readonly gaps: string[];
}

export function newTally(): Tally {
  return { passed: 0, failed: 0, notCovered: 0, bugsAgreeing: 0, bugs: 0, failures: [], gaps: [] };
}

function count(tally: Tally, vector: Vector, verdict: Verdict): void {
  if (verdict.kind === "not-covered") {
    tally.notCovered++;
    tally.gaps.push(`${vector.id}: ${verdict.reason}`);
  } else if (isPeerBug(vector)) {
    tally.bugs++;
    if (verdict.kind === "passed") tally.bugsAgreeing++;
  } else if (verdict.kind === "passed") tally.passed++;
  else {
    tally.failed++;
    tally.failures.push(`${vector.id}: ${verdict.difference}`);
  }
}

const WITHOUT_ADAPTER: Readonly<Record<string, Adapter | null>> = { "": null };

/** @param filter part of a function's name or of a case's id. */
export async function tallyVectors(
  vectors: AsyncIterable<Vector> | Iterable<Vector>,
  table: AdapterTable,
  filter = "",
): Promise<ReadonlyMap<string, Tally>> {
  const tallies = new Map<string, Tally>();
  for await (const vector of vectors) {
    if (!vector.function.includes(filter) && !vector.id.includes(filter)) continue;
    const variants = Object.hasOwn(table, vector.function) ? (table[vector.function] ?? WITHOUT_ADAPTER) : WITHOUT_ADAPTER;
    for (const [variant, adapter] of Object.entries<Adapter | null>(variants)) {
      const name = variant === "" ? vector.function : `${vector.function} [${variant}]`;
      const tally = tallies.get(name) ?? newTally();
      tallies.set(name, tally);
      count(tally, vector, adapter === null ? { kind: "not-covered", reason: "no adapter" } : await judge(vector, adapter));
    }
  }
  return tallies;
}

export interface Report {
  /** What to print; the last line counts. */
  readonly lines: readonly string[];
  readonly exitCode: 0 | 1;
}

const SHOWN_FAILURES = 5;

export function reportOf(
  tallies: ReadonlyMap<string, Tally>,
  show: { readonly allFailures?: boolean; readonly notCovered?: boolean } = {},
): Report {
  const lines = ["function  passed  failed  not-covered  peer-bug-agreeing/peer-bug-total"];
  let [passed, failed] = [0, 0];
  for (const [name, tally] of [...tallies].sort(([a], [b]) => (a < b ? -1 : 1))) {
    lines.push(`${name}  ${tally.passed}  ${tally.failed}  ${tally.notCovered}  ${tally.bugsAgreeing}/${tally.bugs}`);
    const shown = show.allFailures === true ? tally.failures : tally.failures.slice(0, SHOWN_FAILURES);
    lines.push(...shown.map((line) => `    ${line}`));
    if (shown.length < tally.failures.length) lines.push(`    ... and ${tally.failures.length - shown.length} more (--all)`);
    if (show.notCovered === true) lines.push(...tally.gaps.map((line) => `    not covered: ${line}`));
    passed += tally.passed;
    failed += tally.failed;
  }
  lines.push(`${passed} passed, ${failed} failed`);
  return { lines, exitCode: failed > 0 || tallies.size === 0 ? 1 : 0 };
}
