import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";

import { MissingDependencyError } from "../errors.js";
import { packageRoot } from "../package-root.js";

/** Lines of a compressed file that comes with this package. @throws MissingDependencyError */
export async function readAssetLines(name: string): Promise<readonly string[]> {
  const path = join(packageRoot, "assets", "text", name);
  try {
    const text = (await promisify(gunzip)(await readFile(path))).toString("utf8");
    return text.trimEnd().split("\n");
  } catch (cause) {
    throw new MissingDependencyError(
      `${path} cannot be read (${cause instanceof Error ? cause.message : String(cause)}). It comes with inference-models and is needed for texts: install the package again, or copy assets/ along when bundling.`,
      { dependency: name, cause },
    );
  }
}
