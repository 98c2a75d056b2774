/**
 * Loads real packages through the public interface and compares with what the reference answered.
 *
 *     npm run -s parity -- [--dir DIR] [--filter TEXT] [--all] [--list-not-covered]
 *
 * DIR, by default ../shared/fixtures, holds packages/, images/ and expected/. Every case runs with the fastest executors of this
 * machine and with the reference ones. Prints a line per package and executors, then `N passed, N failed`; exit code 1 when
 * something failed or no case was found, 2 on wrong usage.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";

import { setLogger } from "../../src/logger.js";
import { packageRoot } from "../../src/package-root.js";
import { newTally, reportOf, type Tally } from "../conformance/tally.js";
import { parseExpected } from "./expected.js";
import { openPackage, type Executor } from "./package.js";

const EXECUTORS: readonly Executor[] = ["auto", "reference"];

async function tallyPackage(directory: string, name: string, executor: Executor): Promise<Tally> {
  const tally = newTally();
  const expected = parseExpected(readFileSync(join(directory, "expected", `${name}.json`), "utf8"));
  if (expected === null || !existsSync(join(directory, "packages", name))) {
    tally.notCovered++;
    tally.gaps.push(`${name}: not about the predictions of a package folder`);
    return tally;
  }
  await using opened = openPackage(directory, name, expected, executor);
  for (const test of expected.cases) {
    const verdict = await opened.judge(test);
    if (verdict.kind === "passed") tally.passed++;
    else if (verdict.kind === "failed") {
      tally.failed++;
      tally.failures.push(`${test.id}: ${verdict.difference}`);
    } else {
      tally.notCovered++;
      tally.gaps.push(`${test.id}: ${verdict.reason}`);
    }
  }
  return tally;
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: { dir: { type: "string" }, filter: { type: "string" }, all: { type: "boolean" }, "list-not-covered": { type: "boolean" } },
  });
  const directory = values.dir ?? join(packageRoot, "..", "shared", "fixtures");
  const listing = join(directory, "expected");
  if (!existsSync(listing)) {
    process.stderr.write(
      `parity: there is no folder ${listing}; name the one that holds packages/, images/ and expected/ with --dir DIR\n`,
    );
    return 2;
  }
  const ignore = (): void => undefined;
  setLogger({ debug: ignore, info: ignore, warn: ignore, error: ignore });
  const tallies = new Map<string, Tally>();
  for (const file of readdirSync(listing).filter((one) => one.endsWith(".json"))) {
    const name = file.slice(0, -".json".length);
    if (values.filter !== undefined && !name.includes(values.filter)) continue;
    for (const executor of EXECUTORS) tallies.set(`${name} [${executor}]`, await tallyPackage(directory, name, executor));
  }
  if (tallies.size === 0) process.stderr.write(`parity: no expectation was found in ${listing}\n`);
  const { lines, exitCode } = reportOf(tallies, { allFailures: values.all ?? false, notCovered: values["list-not-covered"] ?? false });
  process.stdout.write(`${lines.join("\n")}\n`);
  return exitCode;
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`parity: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 2;
}
