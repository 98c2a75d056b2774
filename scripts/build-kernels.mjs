/**
 * npm run build:kernels: compiles native/kernels/*.cu.
 *
 *   node scripts/build-kernels.mjs [--check | --machine-code | --resources]
 *
 * Text (PTX) goes to native/kernels/ptx/ and is checked in: with it alone the addon has all its kernels, which the driver compiles
 * when they are first loaded. Machine code for each generation of GPUs goes to native/kernels/binaries/, is not checked in, and is
 * embedded by the next build of the addon. nvcc comes from Python packages (scripts/nvcc-requirements.txt), into build-cuda/.
 *
 * --check         writes nothing: is the text that of the sources, and, where nvcc is there already, does it make the same text
 *                 again and machine code for every generation?
 * --machine-code  leaves the text alone.
 * --resources     writes nothing: a table of registers, local and shared memory of every kernel for every generation, as ptxas tells them.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, posix } from "node:path";

import { fingerprint } from "./support/fingerprint.mjs";
import { readResources, resourceRows } from "./support/kernel-resources.mjs";
import { installPinned, pinnedFolder } from "./support/pinned-packages.mjs";
import { inContinuousIntegration, isMain, outputOf, root } from "./support/project.mjs";

const FOLDER = "native/kernels";
const REQUIREMENTS = "scripts/nvcc-requirements.txt";
// Turing to Blackwell. Older ones no longer have a compiler, newer ones use the text.
const GENERATIONS = [75, 80, 86, 89, 90, 100, 120];
// No contraction, as on the host: results are to be the same bits. Division and square root are exact unless told otherwise.
const OPTIONS = ["-std=c++17", "-O3", "-fmad=false", "-Inative"];
// nvcc names its own version of the language, which drivers older than itself refuse; the kernels need nothing that is new.
const TEXT_VERSION = "7.0";
const NO_NVCC = "nvcc could not be had: this takes Linux on x86-64, Python 3 with pip, and a network.";

const say = (text) => process.stderr.write(`${text}\n`);
const kernels = () =>
  readdirSync(join(root, FOLDER))
    .filter((file) => file.endsWith(".cu"))
    .map((file) => file.slice(0, -3))
    .sort();
const textPath = (name) => join(root, FOLDER, "ptx", `${name}.inc`);

/** A kernel's file and every file of ours that it includes, from the root. */
function sourcesOf(file, known = new Set()) {
  if (known.has(file)) return known;
  known.add(file);
  for (const [, header] of readFileSync(join(root, file), "utf8").matchAll(/^#include "([^"]+)"/gm)) {
    const beside = posix.join(posix.dirname(file), header);
    sourcesOf(existsSync(join(root, beside)) ? beside : `native/${header}`, known);
  }
  return known;
}

const sourcesFingerprint = (name) =>
  fingerprint(root, [...sourcesOf(`${FOLDER}/${name}.cu`)].sort().concat(REQUIREMENTS), [...OPTIONS, TEXT_VERSION]);

const nvccFolder = () => pinnedFolder("build-cuda", REQUIREMENTS);

/** Path of nvcc, or null. */
function installedNvcc() {
  const nvcc = join(nvccFolder(), "nvidia", "cu13", "bin", "nvcc");
  return outputOf(nvcc, ["--version"]) === null ? null : nvcc;
}

function installNvcc() {
  say("Fetching nvcc (100 MB) ...");
  // Whatever is there has not worked.
  rmSync(nvccFolder(), { recursive: true, force: true });
  return installPinned("build-cuda", REQUIREMENTS) === null ? null : installedNvcc();
}

function compile(nvcc, name, output, options, hear = () => undefined) {
  const { status, stdout, stderr } = spawnSync(nvcc, [...OPTIONS, ...options, "-o", output, `${FOLDER}/${name}.cu`], {
    cwd: root,
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(`nvcc could not compile ${FOLDER}/${name}.cu:\n${stdout}${stderr}`);
  hear(`${stdout}${stderr}`);
  return readFileSync(output);
}

/** The text as a C++ literal. */
function makeText(nvcc, name, scratch) {
  const file = join(scratch, `${name}.ptx`);
  const text = compile(nvcc, name, file, ["--ptx", `-arch=compute_${GENERATIONS[0]}`])
    .toString("utf8")
    .replace(/^(\/\/.*\n)+/, "")
    // A hint to the assembler, newer than the version.
    .replace(/^\s*\.pragma "used_bytes_mask [^"]*";\n/gm, "")
    .replace(/^\.version .*$/m, `.version ${TEXT_VERSION}`);
  writeFileSync(file, text);
  const assembler = join(dirname(nvcc), "ptxas");
  const { status, stderr } = spawnSync(assembler, [`-arch=sm_${GENERATIONS[0]}`, "-o", join(scratch, `${name}.cubin`), file], {
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(`The text of ${name} does not assemble as version ${TEXT_VERSION}:\n${stderr}`);
  return `// Made by scripts/build-kernels.mjs, not by hand. Fingerprint of the sources: ${sourcesFingerprint(name)}\nR"ptx(${text.trimStart()})ptx"\n`;
}

function makeMachineCode(nvcc, name, scratch, options = [], hear = undefined) {
  const targets = GENERATIONS.flatMap((generation) => ["-gencode", `arch=compute_${generation},code=sm_${generation}`]);
  return compile(nvcc, name, join(scratch, `${name}.fatbin`), ["--fatbin", ...targets, ...options], hear);
}

function inScratch(work) {
  const scratch = mkdtempSync(join(tmpdir(), "inference-models-"));
  try {
    return work(scratch);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

function buildKernels({ text: writesText }) {
  const nvcc = installedNvcc() ?? installNvcc();
  if (nvcc === null) {
    say(`${NO_NVCC} The kernels were not compiled; the addon builds without, with the text that is checked in.`);
    return false;
  }
  return inScratch((scratch) => {
    for (const name of kernels()) {
      const code = makeMachineCode(nvcc, name, scratch);
      mkdirSync(join(root, FOLDER, "binaries"), { recursive: true });
      writeFileSync(join(root, FOLDER, "binaries", `${name}.fatbin`), code);
      say(`${name}: machine code for sm_${GENERATIONS.join(", sm_")}, ${(code.length / 1024).toFixed(0)} KB`);
      if (!writesText) continue;
      const text = makeText(nvcc, name, scratch);
      mkdirSync(join(root, FOLDER, "ptx"), { recursive: true });
      writeFileSync(textPath(name), text);
      say(`${name}: text, ${(text.length / 1024).toFixed(0)} KB`);
    }
    return true;
  });
}

function printResources() {
  const nvcc = installedNvcc() ?? installNvcc();
  if (nvcc === null) {
    say(NO_NVCC);
    return false;
  }
  const generations = GENERATIONS.map((generation) => `sm_${generation}`);
  const columns = ["registers of", ...generations, "shared memory, bytes"];
  process.stdout.write(`| ${columns.join(" | ")} |\n| ${columns.map(() => "---").join(" | ")} |\n`);
  inScratch((scratch) => {
    for (const name of kernels()) {
      makeMachineCode(nvcc, name, scratch, ["-Xptxas=-v"], (said) => {
        process.stdout.write(`${resourceRows(readResources(said), generations).join("\n")}\n`);
      });
    }
  });
  return true;
}

/** @returns {{ passed: number, failed: number, skipped: number }} one check a kernel, two where nvcc is there */
export function checkKernels() {
  const counts = { passed: 0, failed: 0, skipped: 0 };
  const check = (good, complaint) => {
    if (!good) process.stdout.write(`${complaint} Run "npm run build:kernels" and commit ${FOLDER}/ptx.\n`);
    counts[good ? "passed" : "failed"] += 1;
  };
  const texts = kernels().map((name) => ({ name, text: existsSync(textPath(name)) ? readFileSync(textPath(name), "utf8") : "" }));
  for (const { name, text } of texts) check(text.includes(sourcesFingerprint(name)), `The text of ${name} is not that of its sources.`);
  const nvcc = installedNvcc();
  if (nvcc === null) {
    const what = 'compiling the kernels again, because nvcc is not here ("npm run build:kernels" fetches it).';
    // There it can be had, so that a release without machine code would be an accident.
    const required = inContinuousIntegration && process.platform === "linux" && process.arch === "x64";
    process.stdout.write(`${required ? "Failed" : "Skipped"}: ${what}\n`);
    return required ? { ...counts, failed: counts.failed + texts.length } : { ...counts, skipped: texts.length };
  }
  inScratch((scratch) => {
    for (const { name, text } of texts) {
      try {
        check(makeText(nvcc, name, scratch) === text, `nvcc makes another text of ${name}.`);
        process.stdout.write(
          `${name}: machine code for ${GENERATIONS.length} generations, ${makeMachineCode(nvcc, name, scratch).length} bytes\n`,
        );
      } catch (error) {
        check(false, error.message);
      }
    }
  });
  return counts;
}

if (isMain(import.meta.url)) {
  if (process.argv.includes("--check")) process.exitCode = checkKernels().failed > 0 ? 1 : 0;
  else if (process.argv.includes("--resources")) process.exitCode = printResources() ? 0 : 1;
  else process.exitCode = buildKernels({ text: !process.argv.includes("--machine-code") }) ? 0 : 1;
}
