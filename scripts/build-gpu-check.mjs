/**
 * npm run build:gpu-check [-- --with-node] [-- --output FOLDER] [-- --vectors FOLDER]: makes dist-gpu/ anew, to be carried to a machine that has a GPU, bash, and
 * nothing else of ours: the checks of test/gpu in one file, this machine's addon, the C++ tests where npm run test:native has compiled them,
 * scripts/gpu-check.sh, those conformance vectors of --vectors (default ../shared/conformance) that reach a device, and with --with-node the
 * Node that runs this.
 *
 * For the machine code of the kernels, npm run build:kernels comes first.
 */
import { execFileSync } from "node:child_process";
import { chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";

import { build } from "esbuild";

import { buildNative } from "./build-native.mjs";
import { root } from "./support/project.mjs";

const ADDON = join("build", "Release", "inference-models.node");

/** Without them the check says that they were not carried. */
function carryVectors(from, to) {
  if (!existsSync(from)) {
    process.stdout.write(`No conformance vectors are carried: ${from} is not there.\n`);
    return;
  }
  execFileSync(process.execPath, ["scripts/run-typescript.mjs", "test/gpu/carry-vectors.ts", from, to], { cwd: root, stdio: "inherit" });
}

async function buildGpuCheck(output, withNode) {
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
  const tests = join(root, "build-tests", "native_tests");
  if (existsSync(tests)) copyFileSync(tests, join(output, "native_tests"));
  copyFileSync(join(root, "test", "native", "on-a-device.flags"), join(output, "on-a-device.flags"));
  const { name, version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  writeFileSync(join(output, "package.json"), JSON.stringify({ name, version, private: true, type: "module" }));
  copyFileSync(join(root, "scripts", "gpu-check.sh"), join(output, "gpu-check.sh"));
  chmodSync(join(output, "gpu-check.sh"), 0o755);
  if (withNode) copyFileSync(process.execPath, join(output, "node"));
}

const { values } = parseArgs({
  options: {
    output: { type: "string", default: join(root, "dist-gpu") },
    vectors: { type: "string", default: join(root, "..", "shared", "conformance") },
    "with-node": { type: "boolean", default: false },
  },
});
buildNative();
await buildGpuCheck(values.output, values["with-node"]);
carryVectors(resolve(values.vectors), resolve(values.output, "vectors"));
process.stdout.write(`${values.output} is ready: carry it to the machine and run its gpu-check.sh --help there.\n`);
