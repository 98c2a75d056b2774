/** Tools and libraries that are published as Python packages, with pinned contents, in folders under the root that Git ignores. */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";

import { root } from "./project.mjs";

/** Where the packages of a requirements file lie, or would lie. */
export function pinnedFolder(parent, requirements) {
  const pins = createHash("sha256")
    .update(readFileSync(join(root, requirements)))
    .digest("hex");
  return join(root, parent, pins.slice(0, 16));
}

/** @returns the folder, fetched with pip unless it is there; null where that failed, which pip has said */
export function installPinned(parent, requirements) {
  const folder = pinnedFolder(parent, requirements);
  if (existsSync(folder)) return folder;
  const temporary = `${folder}.${process.pid}.tmp`;
  mkdirSync(dirname(folder), { recursive: true });
  const options = ["--quiet", "--no-deps", "--require-hashes", "--only-binary=:all:", "--target", temporary];
  const { status, error } = spawnSync("python3", ["-m", "pip", "install", ...options, "-r", join(root, requirements)], {
    stdio: ["ignore", 2, 2],
  });
  if (error !== undefined || status !== 0) {
    rmSync(temporary, { recursive: true, force: true });
    return null;
  }
  renameSync(temporary, folder);
  return folder;
}
