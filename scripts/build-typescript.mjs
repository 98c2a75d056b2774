/**
 * Compiles src/ twice: ES modules with declarations into dist/esm (tsc), CommonJS into dist/cjs (esbuild, one file each).
 *
 * Files stay files, so that stack traces, lazily imported model families and child processes find what they name; why there
 * is no bundler: docs/decisions/0004-two-builds.md. Does nothing when dist/ belongs to the present sources (--force: all the same).
 */
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, sep } from "node:path";

import { build } from "esbuild";

import { fingerprint } from "./support/fingerprint.mjs";
import { isMain, root, runTool } from "./support/project.mjs";

const SHEBANG = "#!/usr/bin/env node\n";
const dist = join(root, "dist");
const stamp = join(dist, "sources");

const filesIn = (folder, ...endings) =>
  readdirSync(folder, { recursive: true }).filter((file) => endings.some((ending) => file.endsWith(ending)));

async function compileCommonJs(output) {
  // Nobody requires the command line: it runs from dist/esm, and may use await at the top.
  const sources = filesIn(join(root, "src"), ".ts").filter((file) => !file.endsWith(".d.ts") && !file.startsWith(`cli${sep}`));
  await build({
    absWorkingDir: root,
    entryPoints: sources.map((file) => join("src", file)),
    outbase: "src",
    outdir: output,
    bundle: false,
    format: "cjs",
    platform: "node",
    // import() stays import(): in a CommonJS file it reaches both the neighbour's CommonJS file and packages that are ES modules only.
    target: "node20",
    sourcemap: true,
    define: { "import.meta.url": "moduleUrl", "import.meta.filename": "__filename", "import.meta.dirname": "__dirname" },
    banner: { js: '"use strict"; const moduleUrl = require("node:url").pathToFileURL(__filename).href;' },
    logLevel: "warning",
    // Left alone, what has no counterpart in CommonJS would become undefined at run time.
    logOverride: { "empty-import-meta": "error" },
  });
  writeFileSync(join(output, "package.json"), '{ "type": "commonjs" }\n');
}

function copyDeclarations(from, to) {
  for (const file of filesIn(from, ".d.ts").filter((file) => !file.startsWith(`cli${sep}`))) {
    mkdirSync(dirname(join(to, file)), { recursive: true });
    copyFileSync(join(from, file), join(to, file));
  }
}

function makeExecutable(program) {
  if (!existsSync(program)) return;
  const text = readFileSync(program, "utf8");
  if (!text.startsWith("#!")) writeFileSync(program, SHEBANG + text);
  chmodSync(program, 0o755);
}

/** @returns {Promise<"current" | "built" | "failed">} */
export async function buildTypeScript({ force = false } = {}) {
  const inputs = ["src", "tsconfig.json", "tsconfig.build.json", "package.json", "scripts/build-typescript.mjs"];
  const wanted = fingerprint(root, inputs, [process.version]);
  if (!force && existsSync(stamp) && readFileSync(stamp, "utf8") === wanted) return "current";
  const start = Date.now();
  // Beside dist/ and moved there at the end: whoever runs the old build meanwhile never meets half of a new one.
  const temporary = mkdtempSync(join(root, "dist.new-"));
  try {
    const stdio = ["ignore", 2, 2];
    if (!runTool("typescript", ["-p", "tsconfig.build.json", "--outDir", join(temporary, "esm")], { stdio }, "tsc")) return "failed";
    await compileCommonJs(join(temporary, "cjs"));
    copyDeclarations(join(temporary, "esm"), join(temporary, "cjs"));
    makeExecutable(join(temporary, "esm", "cli", "main.js"));
    writeFileSync(join(temporary, "sources"), wanted);
    rmSync(dist, { recursive: true, force: true });
    renameSync(temporary, dist);
  } catch (error) {
    process.stderr.write(`${error.message}\n`);
    return "failed";
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
  process.stderr.write(`Compiled TypeScript in ${((Date.now() - start) / 1000).toFixed(1)} s.\n`);
  return "built";
}

if (isMain(import.meta.url)) process.exitCode = (await buildTypeScript({ force: process.argv.includes("--force") })) === "failed" ? 1 : 0;
