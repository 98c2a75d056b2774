/**
 * npm run test:native: the C++ tests twice, as they are and with the address and undefined-behaviour sanitizers; with `-- --threads` only
 * with the thread sanitizer, which cannot be combined with those.
 * Without compiler, CMake or GoogleTest they are skipped with a word about it, except in continuous integration.
 */
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { spawnSync } from "node:child_process";

import { missingBuildTools } from "./build-native.mjs";
import { inContinuousIntegration, isMain, outputOf, root, succeeds } from "./support/project.mjs";

const VARIANTS = [
  { name: "C++ tests", folder: "build-tests", options: ["-DIM_SANITIZE=OFF", "-DCMAKE_BUILD_TYPE=Release"] },
  {
    name: "C++ tests with sanitizers",
    folder: "build-asan",
    options: ["-DIM_SANITIZE=ON", "-DCMAKE_BUILD_TYPE=Debug", "-DCMAKE_CXX_FLAGS_DEBUG=-O1 -g"],
  },
];
const THREADS = {
  name: "C++ tests with the thread sanitizer",
  folder: "build-tsan",
  options: ["-DIM_SANITIZE_THREADS=ON", "-DCMAKE_BUILD_TYPE=Debug", "-DCMAKE_CXX_FLAGS_DEBUG=-O1 -g"],
};
const GOOGLE_TEST_MISSING =
  'GoogleTest was not found. Install it (Debian and Ubuntu: "apt-get install libgtest-dev"; Fedora: "dnf install gtest-devel"; macOS: "brew install ' +
  'googletest"; Windows: "vcpkg install gtest"), or name its folder: CMAKE_PREFIX_PATH=/path npm run test:native.';

function configure({ folder, options }) {
  const cache = join(root, folder, "CMakeCache.txt");
  // A folder that was copied or moved along with the repository still points to its old place, and CMake refuses it.
  if (existsSync(cache) && !readFileSync(cache, "utf8").includes(`CMAKE_HOME_DIRECTORY:INTERNAL=${root.replaceAll("\\", "/")}\n`)) {
    rmSync(join(root, folder), { recursive: true, force: true });
  }
  const generator = !existsSync(cache) && outputOf("ninja", ["--version"]) !== null ? ["-G", "Ninja"] : [];
  const { status, stdout, stderr } = spawnSync("cmake", ["-S", ".", "-B", folder, ...generator, "-DIM_TESTS=ON", ...options], {
    cwd: root,
    encoding: "utf8",
  });
  if (status === 0) return null;
  return /GTest/.test(stderr) ? GOOGLE_TEST_MISSING : `${stdout}${stderr}`;
}

function run({ folder }) {
  const scratch = mkdtempSync(join(tmpdir(), "inference-models-"));
  const report = join(scratch, "report.json");
  try {
    const program = [join(root, folder, "native_tests"), join(root, folder, "Debug", "native_tests")].find(
      (path) => existsSync(path) || existsSync(`${path}.exe`),
    );
    const passed = succeeds(program ?? join(root, folder, "native_tests"), ["--gtest_brief=1", `--gtest_output=json:${report}`], {
      env: { UBSAN_OPTIONS: "print_stacktrace=1", ...process.env },
    });
    const counts = existsSync(report) ? JSON.parse(readFileSync(report, "utf8")) : { tests: 0, failures: 0, disabled: 0 };
    const failed = counts.failures + (passed || counts.failures > 0 ? 0 : 1); // a crash or a sanitizer's report fails no single test
    return { passed: counts.tests - counts.failures - counts.disabled, failed, skipped: counts.disabled };
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

function absent(reason) {
  process.stdout.write(`${reason}\n`);
  return inContinuousIntegration ? { passed: 0, failed: 1, skipped: 0 } : { passed: 0, failed: 0, skipped: 1 };
}

/** @returns counts of tests over all variants */
export function testNative(variants = VARIANTS) {
  const total = { passed: 0, failed: 0, skipped: 0 };
  const missing = missingBuildTools();
  if (missing.length > 0) return absent(`The C++ tests need ${missing.join(" and ")}.`);
  if (!readdirSync(join(root, "test", "native")).some((file) => file.endsWith("_test.cc"))) return { ...total, failed: 1 };
  for (const variant of variants) {
    process.stdout.write(`${variant.name} (${variant.folder})\n`);
    const problem = configure(variant);
    if (problem === GOOGLE_TEST_MISSING) return absent(problem);
    if (problem !== null) process.stdout.write(problem);
    const built =
      problem === null &&
      succeeds("cmake", ["--build", variant.folder, "--parallel", String(availableParallelism())], { stdio: ["ignore", 1, 1] });
    const counts = built ? run(variant) : { passed: 0, failed: 1, skipped: 0 };
    for (const key of Object.keys(total)) total[key] += counts[key];
  }
  return total;
}

if (isMain(import.meta.url)) {
  const { passed, failed, skipped } = testNative(process.argv.includes("--threads") ? [THREADS] : VARIANTS);
  process.stdout.write(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}\n`);
  process.exitCode = failed > 0 ? 1 : 0;
}
