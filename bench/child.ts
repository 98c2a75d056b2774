import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";

import { packageRoot } from "../src/package-root.js";

/** Runs a script of bench/children in a process of its own; its standard output is JSON. */
export async function runChild<Result>(script: string, args: readonly string[], env: Readonly<Record<string, string>>): Promise<Result> {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ["--no-warnings", "--expose-gc", "--import", "tsx", join(packageRoot, "bench", "children", script), ...args],
    { cwd: packageRoot, env: { ...process.env, ...env }, maxBuffer: 1 << 24 },
  );
  return JSON.parse(stdout) as Result;
}
