/**
 * Runs recorded vectors on every implementation that has an adapter.
 *
 *     npm run -s conformance -- --dir DIR [--filter TEXT] [--all] [--list-not-covered]
 *
 * Prints a line per function and implementation, then `N passed, N failed`; exit code 1 when something failed or nothing ran.
 */
import { parseArgs } from "node:util";

import type { AdapterTable } from "./adapter.js";
import { adapters as detection } from "./adapters/detection.js";
import { adapters as families } from "./adapters/families.js";
import { adapters as packageConfig } from "./adapters/package-config.js";
import { adapters as preprocessing } from "./adapters/preprocessing.js";
import { adapters as registry } from "./adapters/registry.js";
import { adapters as utilities } from "./adapters/utilities.js";
import { setLogger } from "../../src/logger.js";
import { isPeerBug, judge } from "./judge.js";
import { readVectors } from "./vectors.js";

const TABLE: AdapterTable = { ...packageConfig, ...preprocessing, ...detection, ...families, ...registry, ...utilities };
const SHOWN_FAILURES = 5;

interface Tally {
  passed: number;
  failed: number;
  notCovered: number;
  bugsAgreeing: number;
  bugs: number;
  readonly failures: string[];
  readonly gaps: string[];
}

function newTally(): Tally {
  return { passed: 0, failed: 0, notCovered: 0, bugsAgreeing: 0, bugs: 0, failures: [], gaps: [] };
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: { dir: { type: "string" }, filter: { type: "string" }, all: { type: "boolean" }, "list-not-covered": { type: "boolean" } },
  });
  const directory = values.dir ?? process.env["CONFORMANCE_DIR"];
  if (directory === undefined) {
    process.stderr.write("conformance: name the folder of the vectors: --dir DIR\n");
    return 2;
  }
  setLogger({ debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined });
  const tallies = new Map<string, Tally>();
  for await (const vector of readVectors(directory)) {
    if (values.filter !== undefined && !vector.function.includes(values.filter) && !vector.id.includes(values.filter)) continue;
    const variants = Object.entries(TABLE[vector.function] ?? { "": null });
    for (const [variant, adapter] of variants) {
      const name = variant === "" ? vector.function : `${vector.function} [${variant}]`;
      const tally = tallies.get(name) ?? newTally();
      tallies.set(name, tally);
      if (adapter === null) {
        tally.notCovered++;
        tally.gaps.push(`${vector.id}: no adapter`);
        continue;
      }
      const verdict = await judge(vector, adapter);
      if (isPeerBug(vector)) {
        tally.bugs++;
        if (verdict.kind === "passed") tally.bugsAgreeing++;
      } else if (verdict.kind === "passed") tally.passed++;
      else if (verdict.kind === "failed") {
        tally.failed++;
        tally.failures.push(`${vector.id}: ${verdict.difference}`);
      } else {
        tally.notCovered++;
        tally.gaps.push(`${vector.id}: ${verdict.reason}`);
      }
    }
  }
  return report(tallies, { all: values.all ?? false, gaps: values["list-not-covered"] ?? false });
}

function report(tallies: ReadonlyMap<string, Tally>, show: { readonly all: boolean; readonly gaps: boolean }): number {
  let passed = 0;
  let failed = 0;
  process.stdout.write("function  passed  failed  not-covered  peer-bug-agreeing/peer-bug-total\n");
  for (const [name, tally] of [...tallies].sort(([a], [b]) => a.localeCompare(b))) {
    process.stdout.write(`${name}  ${tally.passed}  ${tally.failed}  ${tally.notCovered}  ${tally.bugsAgreeing}/${tally.bugs}\n`);
    const failures = show.all ? tally.failures : tally.failures.slice(0, SHOWN_FAILURES);
    for (const line of [...failures, ...(show.gaps ? tally.gaps : [])]) process.stdout.write(`    ${line}\n`);
    if (failures.length < tally.failures.length)
      process.stdout.write(`    ... and ${tally.failures.length - failures.length} more (--all)\n`);
    passed += tally.passed;
    failed += tally.failed;
  }
  if (tallies.size === 0) process.stderr.write("conformance: no vectors were found\n");
  process.stdout.write(`${passed} passed, ${failed} failed\n`);
  return failed > 0 || passed === 0 ? 1 : 0;
}

process.exitCode = await main();
