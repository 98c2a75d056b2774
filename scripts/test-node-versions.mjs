/**
 * node scripts/test-node-versions.mjs [22 24 ...]
 *
 * Tries the addon, compiled by this Node, and the demo under other Node versions, which come from the package registry. A
 * version that cannot be fetched is skipped: this is the only check that needs more than the repository's own dependencies.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { buildNative } from "./build-native.mjs";
import { buildTypeScript } from "./build-typescript.mjs";
import { isMain, root, spawnNpm } from "./support/project.mjs";

const DEFAULT_VERSIONS = ["22", "24"];
const LOADING = `
  const addon = require(process.argv[1]);
  const { version } = addon.buildInfo();
  const memory = addon.allocate(1024);
  if (memory.byteLength !== 1024) throw new Error("allocate returned " + memory.byteLength + " bytes");
  console.log("Node " + process.versions.node + ": addon " + version + " loads");`;

/** The program of a Node version, or null. The platform's own package is named, as the one called "node" needs an install script. */
function fetchNode(version, folder) {
  const platform = process.platform === "win32" ? "win" : process.platform;
  const name = `node-${platform}-${process.arch}`;
  const options = ["--no-save", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline", "--prefix", folder];
  spawnNpm(["install", ...options, `${name}@${version}`], { cwd: folder, timeout: 120_000 });
  const program = join(folder, "node_modules", name, "bin", process.platform === "win32" ? "node.exe" : "node");
  return existsSync(program) ? program : null;
}

/** @returns counts, one for each version */
export async function testNodeVersions(versions = DEFAULT_VERSIONS) {
  const counts = { passed: 0, failed: 0, skipped: 0 };
  const addon = buildNative();
  if (addon === "failed" || (await buildTypeScript()) === "failed") return { ...counts, failed: 1 };
  const scratch = mkdtempSync(join(tmpdir(), "inference-models-node-"));
  try {
    for (const version of versions) {
      const program = fetchNode(version, scratch);
      if (program === null) {
        process.stdout.write(`Node ${version}: skipped, it could not be fetched\n`);
        counts.skipped += 1;
        continue;
      }
      const commands = [
        ...(addon === "no-tools" ? [] : [["-e", LOADING, join(root, "build", "Release", "inference-models.node")]]),
        ["dist/esm/cli/main.js", "predict", "mediapipe/face-detector", "assets/images/astronaut.jpg"],
      ];
      const passed = commands.every(
        (command) => spawnSync(program, command, { cwd: root, stdio: ["ignore", "inherit", "inherit"] }).status === 0,
      );
      counts[passed ? "passed" : "failed"] += 1;
    }
    return counts;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

if (isMain(import.meta.url)) {
  const versions = process.argv.slice(2);
  const { passed, failed, skipped } = await testNodeVersions(versions.length > 0 ? versions : DEFAULT_VERSIONS);
  process.stdout.write(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}\n`);
  process.exitCode = failed > 0 ? 1 : 0;
}
