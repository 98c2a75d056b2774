import { spawnSync } from "node:child_process";
import { existsSync, realpathSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

export const root = resolve(dirname(fileURLToPath(import.meta.url)), "../..");
export const inContinuousIntegration = process.env.CI === "true" || process.env.CI === "1";

/** True in the file that was given to `node`, false where it is imported. */
export function isMain(moduleUrl) {
  return (
    process.argv[1] !== undefined && existsSync(process.argv[1]) && realpathSync(process.argv[1]) === realpathSync(fileURLToPath(moduleUrl))
  );
}

/** The JavaScript file behind a command of a development dependency, to be run by this very Node on any platform. */
export function toolPath(packageName, command = packageName) {
  const manifestPath = join(root, "node_modules", packageName, "package.json");
  const { bin } = createRequire(import.meta.url)(manifestPath);
  return join(dirname(manifestPath), typeof bin === "string" ? bin : bin[command]);
}

/** Runs a program with the caller's streams; `true` when it exits with 0. */
export function succeeds(command, args, options = {}) {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: "inherit", ...options });
  if (error !== undefined) process.stderr.write(`${command}: ${error.message}\n`);
  return status === 0;
}

/** Runs a command of a development dependency; `command` where it is not called like the package. */
export const runTool = (packageName, args, options, command) =>
  succeeds(process.execPath, [toolPath(packageName, command), ...args], options);

/** npm, which is a script on Windows; its errors are wanted even where a caller's npm was told to be silent. */
export function spawnNpm(args, options = {}) {
  const shell = process.platform === "win32";
  return spawnSync("npm", [...args, "--loglevel=error"], { cwd: root, encoding: "utf8", maxBuffer: 64 * 1024 * 1024, shell, ...options });
}

/** What a program prints, or null when it cannot be run or fails. */
export function outputOf(command, args, options = {}) {
  const { status, stdout } = spawnSync(command, args, { cwd: root, encoding: "utf8", ...options });
  return status === 0 ? stdout : null;
}
