/**
 * npm test [-- step ...]: every check of the repository, in this order; with names, only those.
 *
 * A failing step does not stop the others, except the build, without which the rest would tell nothing. The last line counts:
 * single tests where a step has them, the step itself where it is one check.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { checkKernels } from "./build-kernels.mjs";
import { checkCppFormat } from "./check-cpp-format.mjs";
import { inContinuousIntegration, root, runTool, succeeds } from "./support/project.mjs";
import { testNative } from "./test-native.mjs";
import { testNodeVersions } from "./test-node-versions.mjs";
import { testPackage } from "./test-package.mjs";

const once = (passed) => ({ passed: passed ? 1 : 0, failed: passed ? 0 : 1, skipped: 0 });

function testTypeScript() {
  const scratch = mkdtempSync(join(tmpdir(), "inference-models-"));
  const report = join(scratch, "report.json");
  try {
    const succeeded = runTool("vitest", ["run", "--reporter=default", "--reporter=json", `--outputFile.json=${report}`]);
    if (!existsSync(report)) return once(false);
    const { numPassedTests, numFailedTests, numPendingTests, numTodoTests } = JSON.parse(readFileSync(report, "utf8"));
    // A file that cannot even be loaded fails no single test, and neither does an error outside all of them.
    const beyondTests = (!succeeded && numFailedTests === 0) || numPassedTests + numFailedTests === 0 ? 1 : 0;
    return { passed: numPassedTests, failed: numFailedTests + beyondTests, skipped: numPendingTests + numTodoTests };
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** A runner over data that lies beside the repository; its own closing line is read. */
function overShared(script, folder) {
  const data = join(root, "..", "shared", folder);
  if (!existsSync(data)) {
    process.stdout.write(`skipped: ../shared/${folder} is not there\n`);
    return { passed: 0, failed: 0, skipped: 1 };
  }
  const { stdout, status } = spawnSync(process.execPath, ["scripts/run-typescript.mjs", script, "--dir", data], {
    encoding: "utf8",
    maxBuffer: 1 << 26,
    stdio: ["ignore", "pipe", "inherit"],
  });
  process.stdout.write(stdout);
  const [, passed, failed] = /^(\d+) passed, (\d+) failed\s*$/m.exec(stdout.trimEnd().split("\n").at(-1) ?? "") ?? [];
  if (passed === undefined || status > 1) return once(false);
  return { passed: Number(passed), failed: Number(failed), skipped: 0 };
}

/** NVIDIA's own libraries as far as they go without a GPU, where they can be had. */
function checkTensorRt() {
  if (process.platform !== "linux" || process.arch !== "x64") {
    process.stdout.write("skipped: NVIDIA's libraries are fetched for Linux on x86-64 alone\n");
    return { passed: 0, failed: 0, skipped: 1 };
  }
  const { status } = spawnSync(process.execPath, ["scripts/check-tensorrt.mjs"], { stdio: ["ignore", 1, 2] });
  if (status !== 3) return once(status === 0);
  process.stdout.write("skipped: NVIDIA's libraries could not be fetched, for the reason above\n");
  return { passed: 0, failed: 0, skipped: 1 };
}

const STEPS = [
  { name: "build", run: () => once(succeeds(process.execPath, ["scripts/build.mjs"])) },
  { name: "format", run: () => once(runTool("prettier", ["--check", "--log-level", "warn", "."])) },
  { name: "format-cpp", run: () => once(checkCppFormat()) },
  { name: "lint", run: () => once(runTool("eslint", [".", "--max-warnings", "0"])) },
  { name: "typecheck", run: () => once(runTool("typescript", ["--noEmit", "-p", "tsconfig.json"], {}, "tsc")) },
  { name: "layers", run: () => once(runTool("dependency-cruiser", ["src", "--config", ".dependency-cruiser.cjs"], {}, "depcruise")) },
  { name: "dead-code", run: () => once(runTool("knip", ["--no-config-hints"])) },
  { name: "kernels", run: checkKernels },
  { name: "native", run: testNative },
  { name: "typescript", run: testTypeScript },
  { name: "conformance", run: () => overShared("test/conformance/run.ts", "conformance") },
  { name: "parity", run: () => overShared("test/parity/run.ts", "fixtures") },
  { name: "package", run: testPackage },
  // Fetch 95 MB of libraries, and two Node versions: at home only when asked for.
  { name: "tensorrt", run: checkTensorRt, onlyInContinuousIntegration: true },
  { name: "node-versions", run: () => testNodeVersions(), onlyInContinuousIntegration: true },
];

function chooseSteps(names) {
  const unknown = names.filter((name) => !STEPS.some((step) => step.name === name));
  if (unknown.length > 0) {
    process.stderr.write(`Unknown step ${unknown.join(", ")}. Steps: ${STEPS.map(({ name }) => name).join(", ")}.\n`);
    process.exit(2);
  }
  if (names.length > 0) return STEPS.filter(({ name }) => names.includes(name));
  return STEPS.filter(({ onlyInContinuousIntegration = false }) => !onlyInContinuousIntegration || inContinuousIntegration);
}

process.chdir(root);
const total = { passed: 0, failed: 0, skipped: 0 };
const lines = [];
for (const { name, run } of chooseSteps(process.argv.slice(2))) {
  process.stdout.write(`\n=== ${name} ${"=".repeat(Math.max(0, 74 - name.length))}\n`);
  const start = Date.now();
  const counts = await run();
  for (const key of Object.keys(total)) total[key] += counts[key];
  const outcome = counts.failed > 0 ? "FAILED" : counts.passed > 0 ? "ok" : "skipped";
  const details = `${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`;
  lines.push(`${name.padEnd(14)} ${outcome.padEnd(8)} ${`${((Date.now() - start) / 1000).toFixed(1)} s`.padStart(8)}   ${details}`);
  if (name === "build" && counts.failed > 0) break;
}
process.stdout.write(`\n=== summary ${"=".repeat(67)}\n${lines.join("\n")}\n`);
if (total.skipped > 0) process.stdout.write(`${total.skipped} skipped, with the reason above\n`);
// The last line is read by machines.
process.stdout.write(`${total.passed} passed, ${total.failed} failed\n`);
process.exitCode = total.failed > 0 ? 1 : 0;
