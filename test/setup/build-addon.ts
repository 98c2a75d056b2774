import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

/** Runs once before all tests. Where nothing can be compiled, tests of the addon say themselves that they are skipped. */
export function setup(): void {
  const script = fileURLToPath(new URL("../../scripts/build-native.mjs", import.meta.url));
  const { status } = spawnSync(process.execPath, [script, "--optional"], { stdio: ["ignore", "ignore", "inherit"] });
  if (status !== 0) throw new Error("The native addon could not be compiled.");
}
