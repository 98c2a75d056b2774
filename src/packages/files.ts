import { readFile, realpath, stat } from "node:fs/promises";
import { isAbsolute, join, relative, sep } from "node:path";

import { CorruptedModelPackageError } from "../errors.js";
import { corrupted } from "../wire.js";

/** No configuration file comes near this. */
const MAXIMUM_BYTES = 64 * 1024 * 1024;

/**
 * Absolute paths of files that a package must have.
 * @throws CorruptedModelPackageError when one is missing or lies outside the folder.
 */
export async function requirePackageFiles(directory: string, names: readonly string[]): Promise<Readonly<Record<string, string>>> {
  const root = await realpath(directory).catch((error: unknown) => {
    throw new CorruptedModelPackageError(`The package folder ${directory} cannot be read.`, {
      path: directory,
      kind: "artefact",
      cause: error,
    });
  });
  const found: Record<string, string> = {};
  for (const name of names) {
    const path = join(root, name);
    const inside = relative(root, path);
    if (inside === "" || inside === ".." || inside.startsWith(`..${sep}`) || isAbsolute(inside)) {
      throw new CorruptedModelPackageError(`"${name}" would lie outside the package folder ${directory}.`, { path, kind: "artefact" });
    }
    await stat(path).catch((error: unknown) => {
      throw new CorruptedModelPackageError(`The package in ${directory} has no file ${name}, which its architecture needs.`, {
        path,
        kind: "artefact",
        cause: error,
      });
    });
    found[name] = path;
  }
  return found;
}

/** UTF-8 text of a configuration file, of bounded size; a byte-order mark is dropped. @throws CorruptedModelPackageError */
export async function readPackageFile(path: string): Promise<string> {
  try {
    const status = await stat(path);
    // Reading a pipe or a device would wait for ever.
    if (!status.isFile()) throw corrupted(path, "it is not a regular file. Export the package again.");
    const { size } = status;
    if (size > MAXIMUM_BYTES) throw corrupted(path, `the file has ${size} bytes; at most ${MAXIMUM_BYTES} are read.`);
    return new TextDecoder("utf-8", { fatal: true }).decode(await readFile(path));
  } catch (error) {
    if (error instanceof CorruptedModelPackageError) throw error;
    throw corrupted(path, `the file cannot be read (${error instanceof Error ? error.message : String(error)}).`, error);
  }
}
