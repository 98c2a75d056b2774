/**
 * Builds the addon by the second way, prebuildify over binding.gyp, and has node-gyp-build find and load it.
 *
 *   node scripts/prebuildify.mjs [--install]      --install: into prebuilds/; otherwise the result is only tried
 *
 * node-gyp wants Node's headers, which it would download. The addon uses Node-API alone, whose headers are a package: a folder
 * with those and four small files beside them is enough for node-gyp, on machines without a network too.
 */
import { cpSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

import { root, spawnNpm, succeeds, toolPath } from "./support/project.mjs";

const require = createRequire(import.meta.url);
// A copy to work in: node-gyp empties build/ of the folder it is run in.
const scratch = join(root, "build", "prebuildify");
const copy = join(scratch, "package");
const headers = join(scratch, "headers");

function makeHeaders() {
  const folder = join(headers, "include", "node");
  mkdirSync(folder, { recursive: true });
  cpSync(require("node-api-headers").include_dir, folder, { recursive: true });
  const [major, minor, patch] = process.versions.node.split(".");
  const configurations = { Release: { cflags: ["-O3"], defines: ["NDEBUG"] }, Debug: { cflags: ["-g", "-O0"] } };
  const target_defaults = { default_configuration: "Release", cflags: ["-fPIC", "-pthread"], ldflags: ["-pthread"], configurations };
  writeFileSync(join(folder, "config.gypi"), JSON.stringify(process.config));
  writeFileSync(join(folder, "common.gypi"), JSON.stringify({ target_defaults }));
  writeFileSync(
    join(folder, "node_version.h"),
    `#define NODE_MAJOR_VERSION ${major}\n#define NODE_MINOR_VERSION ${minor}\n#define NODE_PATCH_VERSION ${patch}\n`,
  );
}

function makeCopy() {
  mkdirSync(copy, { recursive: true });
  for (const path of ["package.json", "binding.gyp", "native"]) cpSync(join(root, path), join(copy, path), { recursive: true });
  symlinkSync(join(root, "node_modules"), join(copy, "node_modules"), "junction");
}

/** npm carries node-gyp; beside Node it is not always on the PATH. */
function nodeGyp() {
  const npmRoot = (spawnNpm(["root", "--global"]).stdout ?? "").trim();
  const program = join(npmRoot, "npm", "node_modules", "node-gyp", "bin", "node-gyp.js");
  return existsSync(program) ? { PREBUILD_NODE_GYP: program } : {};
}

function prebuildify() {
  rmSync(scratch, { recursive: true, force: true });
  makeHeaders();
  makeCopy();
  const options = ["--napi", "--strip", "--target", process.versions.node];
  const environment = { ...process.env, ...nodeGyp(), npm_config_nodedir: headers };
  if (!succeeds(process.execPath, [toolPath("prebuildify"), ...options], { cwd: copy, env: environment, stdio: ["ignore", 2, 2] }))
    return false;

  const platform = `${process.platform}-${process.arch}`;
  rmSync(join(copy, "build"), { recursive: true, force: true }); // else node-gyp-build prefers what lies there
  const found = require("node-gyp-build").resolve(copy);
  const { version } = require(found).buildInfo();
  process.stderr.write(`${found}: loads, version ${version}\n`);
  if (!process.argv.includes("--install")) return true;
  const built = join(copy, "prebuilds", platform);
  const target = join(root, "prebuilds", platform);
  mkdirSync(target, { recursive: true });
  for (const file of readdirSync(built)) renameSync(join(built, file), join(target, file));
  return true;
}

process.exitCode = prebuildify() ? 0 : 1;
