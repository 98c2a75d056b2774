/**
 * node scripts/run-typescript.mjs FILE.ts [arguments]
 *
 * Runs a TypeScript file of this repository, with the addon compiled first where this machine can. Standard output belongs to
 * the file alone; its exit code is ours.
 */
import { spawn } from "node:child_process";
import { constants } from "node:os";

import { buildNative } from "./build-native.mjs";

const [file, ...args] = process.argv.slice(2);
if (file === undefined) {
  process.stderr.write("Usage: node scripts/run-typescript.mjs FILE.ts [arguments]\n");
  process.exit(2);
}
// A failed compilation has been reported by now; the file still runs, on TypeScript alone, and says so itself.
buildNative();

const child = spawn(process.execPath, ["--import", import.meta.resolve("tsx"), file, ...args], { stdio: "inherit" });
// The terminal tells the whole group; these are for whoever ends only this process.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
child.on("error", (error) => {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
});
child.on("exit", (code, signal) => {
  process.exitCode = code ?? 128 + constants.signals[signal];
});
