/**
 * npm run prebuild: compiles the addon and puts the stripped binary where a published package carries it,
 * prebuilds/<platform>-<arch>/inference-models.node. Release binaries belong on a build host with the oldest C library that is
 * to be served (glibc 2.28, as Node itself).
 */
import { copyFileSync, mkdirSync, renameSync, statSync } from "node:fs";
import { join } from "node:path";

import { buildNative } from "./build-native.mjs";
import { root, succeeds } from "./support/project.mjs";

const STRIP_OPTIONS = { linux: ["--strip-all"], darwin: ["-x"] };

function prebuild() {
  const outcome = buildNative();
  if (outcome === "failed" || outcome === "no-tools") return false;
  const folder = join(root, "prebuilds", `${process.platform}-${process.arch}`);
  const target = join(folder, "inference-models.node");
  const temporary = `${target}.${process.pid}.tmp`;
  mkdirSync(folder, { recursive: true });
  copyFileSync(join(root, "build", "Release", "inference-models.node"), temporary);
  const options = STRIP_OPTIONS[process.platform];
  if (options !== undefined && !succeeds("strip", [...options, temporary])) return false;
  // Never written in place: a process that has the old file mapped would crash.
  renameSync(temporary, target);
  process.stderr.write(`${target}: ${(statSync(target).size / 1024).toFixed(0)} KB\n`);
  return true;
}

process.exitCode = prebuild() ? 0 : 1;
