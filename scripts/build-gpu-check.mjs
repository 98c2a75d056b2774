/**
 * npm run build:gpu-check [-- --with-node]: dist-gpu/, a folder to carry to a machine that has a GPU, bash, and nothing else of ours: the
 * checks of test/gpu in one file, this machine's addon, scripts/gpu-check.sh, and with --with-node the Node that runs this.
 *
 * For the machine code of the kernels, npm run build:kernels comes first.
 */
import { chmodSync, copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { build } from "esbuild";

import { buildNative } from "./build-native.mjs";
import { isMain, root } from "./support/project.mjs";

const ADDON = join("build", "Release", "inference-models.node");

/** @param output folder, made anew */
export async function buildGpuCheck(output, { withNode = false } = {}) {
  rmSync(output, { recursive: true, force: true });
  mkdirSync(join(output, "build", "Release"), { recursive: true });
  await build({
    absWorkingDir: root,
    entryPoints: ["test/gpu/check.ts"],
    outfile: join(output, "gpu-check.mjs"),
    bundle: true,
    platform: "node",
    target: "node20",
    format: "esm",
    // Pictures are made here, and answers compared with ONNX Runtime's only where the addon finds its library.
    external: ["sharp", "onnxruntime-node", "cmake-js"],
    banner: { js: 'import { createRequire as bundledRequire } from "node:module"; const require = bundledRequire(import.meta.url);' },
    logLevel: "warning",
  });
  copyFileSync(join(root, ADDON), join(output, ADDON));
  const { name, version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  writeFileSync(join(output, "package.json"), JSON.stringify({ name, version, private: true, type: "module" }));
  copyFileSync(join(root, "scripts", "gpu-check.sh"), join(output, "gpu-check.sh"));
  chmodSync(join(output, "gpu-check.sh"), 0o755);
  if (withNode) copyFileSync(process.execPath, join(output, "node"));
}

if (isMain(import.meta.url)) {
  buildNative();
  const output = join(root, "dist-gpu");
  await buildGpuCheck(output, { withNode: process.argv.includes("--with-node") });
  process.stdout.write("dist-gpu/ is ready: carry it to the machine and run dist-gpu/gpu-check.sh --help there.\n");
}
