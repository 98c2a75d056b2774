/** Packages of npm: which are installed, without importing them. */
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

import type { Finding } from "./types.js";

/** Packages need not export their manifest; then it is looked for above their entry. */
function manifestPath(name: string): string {
  const require = createRequire(import.meta.url);
  try {
    return require.resolve(`${name}/package.json`);
  } catch {
    let directory = dirname(require.resolve(name));
    while (!existsSync(join(directory, "package.json"))) {
      if (directory === dirname(directory)) throw new Error(`${name} has no package.json`);
      directory = dirname(directory);
    }
    return join(directory, "package.json");
  }
}

/** null where a manifest names none. @throws SyntaxError */
export function readManifestVersion(text: string): string | null {
  const { version } = JSON.parse(text) as { readonly version?: unknown };
  return typeof version === "string" ? version : null;
}

export function findPackage(name: string): Finding {
  try {
    const path = manifestPath(name);
    return { found: true, path, version: readManifestVersion(readFileSync(path, "utf8")), problem: null };
  } catch (error) {
    return { found: false, reason: error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error) };
  }
}
