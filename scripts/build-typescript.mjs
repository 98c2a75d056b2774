/**
 * Compiles src/ into dist/: two bundles by esbuild (ES modules in dist/esm, CommonJS in dist/cjs) and declarations by tsc for both.
 *
 * Dependencies of the package stay imports; what is only a development dependency is taken into the bundle, with its licence beside it.
 * Why bundles: docs/decisions/0004-two-bundles.md. Does nothing when dist/ belongs to the present sources (--force: all the same).
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

const { dependencies, optionalDependencies } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));

/** What both bundles share. @returns {import("esbuild").BuildOptions} */
const common = {
  absWorkingDir: root,
  outbase: "src",
  bundle: true,
  external: [...Object.keys(dependencies), ...Object.keys(optionalDependencies)],
  platform: "node",
  target: "node20",
  sourcemap: true,
  sourcesContent: false,
  metafile: true,
  logLevel: "warning",
  // Left alone, what has no counterpart in CommonJS would become undefined at run time.
  logOverride: { "empty-import-meta": "error" },
};

/** Whoever imports both entries meets one copy of what they share, and a model family is read when the first model of its kind is loaded. */
const bundleModules = (output) =>
  build({
    ...common,
    entryPoints: ["src/index.ts", "src/results/drawing/index.ts", "src/cli/main.ts"],
    outdir: join(output, "esm"),
    chunkNames: "chunks/[name]-[hash]",
    format: "esm",
    splitting: true,
    // For the CommonJS packages among what is taken in.
    banner: { js: 'import { createRequire as bundledRequire } from "node:module"; const require = bundledRequire(import.meta.url);' },
  });

async function bundleCommonJs(output) {
  // Nobody requires the command line: it runs from dist/esm, and may use await at the top.
  const result = await build({
    ...common,
    entryPoints: ["src/index.ts", "src/results/drawing/index.ts"],
    outdir: join(output, "cjs"),
    format: "cjs",
    define: { "import.meta.url": "moduleUrl", "import.meta.filename": "__filename", "import.meta.dirname": "__dirname" },
    banner: { js: '"use strict"; const moduleUrl = require("node:url").pathToFileURL(__filename).href;' },
  });
  writeFileSync(join(output, "cjs", "package.json"), '{ "type": "commonjs" }\n');
  return result;
}

/** Their licences ask to travel with the code. */
function copyLicences(output, results) {
  const folders = new Set(
    results.flatMap(({ metafile }) =>
      Object.keys(metafile.inputs).map((file) => /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(file)?.[1]),
    ),
  );
  folders.delete(undefined);
  mkdirSync(join(output, "licenses"), { recursive: true });
  for (const folder of folders) {
    const { name, version } = JSON.parse(readFileSync(join(root, folder, "package.json"), "utf8"));
    const file = readdirSync(join(root, folder)).find((entry) => /^licen[cs]e(\.|$)/i.test(entry));
    if (file === undefined) throw new Error(`${name} would be taken into dist/, and has no licence file.`);
    const text = readFileSync(join(root, folder, file), "utf8");
    writeFileSync(join(output, "licenses", `${name.replace("/", "-")}.txt`), `${name} ${version}\n\n${text}`);
  }
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
    copyLicences(temporary, await Promise.all([bundleModules(temporary), bundleCommonJs(temporary)]));
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
