#!/usr/bin/env node
/**
 * Compiles the native addon into build/Release/inference-models.node.
 *
 *   node scripts/build-native.mjs [--optional] [--force]
 *
 * --optional  a machine without compiler or CMake is no failure: everything works without the addon, only slower.
 *             A compile error stays one.
 * --force     compiles even though nothing has changed.
 *
 * Does nothing when the binary is newer than its sources, so it may be called before anything that wants the addon, and by
 * several processes at once: one compiles, the others wait for it. Shipped with the package: it also builds an installed copy.
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, readdirSync, realpathSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

import { fingerprint } from "./support/fingerprint.mjs";

const root = resolve(dirname(fileURLToPath(import.meta.url)), "..");
const binary = join(root, "build", "Release", "inference-models.node");
const stamp = join(root, "build", "Release", "inference-models.sources");
// Outside build/: a failed compilation is repeated by cmake-js from an emptied folder. Named after the folder it guards.
const lock = join(tmpdir(), `inference-models-${createHash("sha256").update(realpathSync(root)).digest("hex").slice(0, 16)}.lock`);
const LOCK_WITHOUT_OWNER_MILLISECONDS = 5_000;

const say = (text) => process.stderr.write(`${text}\n`);

function works(command, ...args) {
  return spawnSync(command, args, { stdio: "ignore" }).status === 0;
}

/** What is missing on this machine to compile C++ with CMake, in words; empty when nothing is. */
export function missingBuildTools() {
  const missing = [];
  if (!works("cmake", "--version")) missing.push("CMake (3.18 or newer)");
  // On Windows CMake itself finds Visual Studio, which puts no compiler on the PATH.
  const compilers = process.env.CXX === undefined ? ["c++", "g++", "clang++"] : [process.env.CXX];
  if (process.platform !== "win32" && !compilers.some((compiler) => works(compiler, "--version"))) missing.push("a C++17 compiler");
  return missing;
}

function sourcesFingerprint() {
  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  return fingerprint(
    root,
    ["CMakeLists.txt", "cmake", "native"],
    [version, process.platform, process.arch, process.env.CXX ?? "", process.env.CXXFLAGS ?? ""],
  );
}

function isUpToDate(wanted) {
  return existsSync(binary) && existsSync(stamp) && readFileSync(stamp, "utf8") === wanted;
}

function ownerIsAlive() {
  try {
    process.kill(Number(readFileSync(join(lock, "owner"), "utf8")), 0);
    return true;
  } catch (error) {
    if (error.code === "EPERM") return true;
    // The owner has the folder but has not written its number yet, unless it died right there.
    if (error.code === "ENOENT") return existsSync(lock) && Date.now() - statSync(lock).mtimeMs < LOCK_WITHOUT_OWNER_MILLISECONDS;
    return false;
  }
}

function acquireLock() {
  const pause = new Int32Array(new SharedArrayBuffer(4));
  for (let announced = false; ; announced = true) {
    try {
      mkdirSync(lock);
      writeFileSync(join(lock, "owner"), String(process.pid));
      return;
    } catch (error) {
      if (error.code !== "EEXIST") throw error;
    }
    if (!ownerIsAlive()) rmSync(lock, { recursive: true, force: true });
    else if (!announced) say("Another process is compiling the native addon: waiting for it.");
    Atomics.wait(pause, 0, 0, 200);
  }
}

function compile() {
  const require = createRequire(join(root, "package.json"));
  let manifestPath;
  try {
    manifestPath = require.resolve("cmake-js/package.json");
  } catch {
    say("cmake-js is not installed beside this package. Install the dependencies first (npm install), then run this command again.");
    return false;
  }
  const program = join(dirname(manifestPath), require(manifestPath).bin["cmake-js"]);
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, "compile", "--directory", root, "--out", join(root, "build")], {
    cwd: root,
    encoding: "utf8",
    maxBuffer: 64 * 1024 * 1024,
  });
  if (status === 0 && existsSync(binary)) return true;
  say(`${stdout}${stderr}`);
  say("The native addon could not be compiled; the compiler's messages stand above.");
  return false;
}

/** Kernels for NVIDIA GPUs exist on Linux; their machine code is there once scripts/build-kernels.mjs has run. */
function kernelsInWords() {
  if (process.platform !== "linux") return "";
  const binaries = join(root, "native", "kernels", "binaries");
  return existsSync(binaries) && readdirSync(binaries).length > 0
    ? ", with machine code of the CUDA kernels"
    : ", with the CUDA kernels as text (without nvcc; the driver compiles them)";
}

/** @returns {"current" | "built" | "no-tools" | "failed"} */
export function buildNative({ force = false } = {}) {
  const wanted = sourcesFingerprint();
  if (!force && isUpToDate(wanted)) return "current";
  const missing = missingBuildTools();
  if (missing.length > 0) {
    say(
      `The native addon was not compiled: ${missing.join(" and ")} not found on this machine. Everything works without it, but more slowly. ` +
        'Install what is missing (Debian: "apt-get install cmake g++"; macOS: "xcode-select --install" and CMake; Windows: the Visual Studio build ' +
        `tools), then run "node ${process.argv[1] ?? "scripts/build-native.mjs"}".`,
    );
    return "no-tools";
  }
  acquireLock();
  try {
    if (!force && isUpToDate(wanted)) return "current";
    const start = Date.now();
    say("Compiling the native addon ...");
    rmSync(stamp, { force: true });
    if (!compile()) return "failed";
    writeFileSync(stamp, wanted);
    say(`Compiled the native addon in ${((Date.now() - start) / 1000).toFixed(1)} s${kernelsInWords()}.`);
    return "built";
  } finally {
    rmSync(lock, { recursive: true, force: true });
  }
}

if (process.argv[1] !== undefined && existsSync(process.argv[1]) && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const known = new Set(["--optional", "--force"]);
  const flags = process.argv.slice(2);
  const unknown = flags.filter((flag) => !known.has(flag));
  if (unknown.length > 0) {
    say(`Unknown option ${unknown.join(", ")}. Known: ${[...known].join(", ")}.`);
    process.exitCode = 2;
  } else {
    const outcome = buildNative({ force: flags.includes("--force") });
    if (outcome === "current") say("The native addon is up to date.");
    process.exitCode = outcome === "failed" || (outcome === "no-tools" && !flags.includes("--optional")) ? 1 : 0;
  }
}
