/** Names that arrive from providers and become files: safe on every system, and never outside their folder. */
import { CorruptedModelPackageError, InsecureModelIdentifierError } from "../errors.js";

const MAXIMUM_LENGTH = 255;
const WINDOWS_DEVICES = /^(?:con|prn|aux|nul|com[1-9]|lpt[1-9])$/i;
/** Names at the top of a package folder that belong to the cache itself. */
const RESERVED_AT_TOP = ["model_config.json", "model_dependencies", "dependencies"];

/** How a value stands in a message: names come from outside and may be of any kind and length. */
function shown(value: unknown): string {
  return typeof value === "string"
    ? JSON.stringify(value.length > 80 ? `${value.slice(0, 80)}...` : value)
    : `a value of type ${typeof value}`;
}

function refused(value: unknown, why: string): CorruptedModelPackageError {
  return new CorruptedModelPackageError(
    `${shown(value)} is not accepted as a file of a package: ${why}. Whoever publishes the package has to rename it.`,
    { kind: "artefact" },
  );
}

/** One part of a path: letters, digits, `.`, `_`, `-`, and no name that Windows keeps for devices. @throws CorruptedModelPackageError */
export function requirePortableName(value: unknown): string {
  if (typeof value !== "string" || !/^[A-Za-z0-9._-]+$/.test(value)) {
    throw refused(value, "each part of a path consists of letters, digits, dots, underscores and hyphens");
  }
  if (value.length > MAXIMUM_LENGTH) throw refused(value, `a name has at most ${MAXIMUM_LENGTH} characters`);
  if (value.endsWith(".")) throw refused(value, "a name does not end with a dot, and is neither . nor ..");
  if (WINDOWS_DEVICES.test(value.split(".")[0] ?? "")) throw refused(value, "Windows keeps this name for a device");
  return value;
}

/**
 * Path of a file inside a package, `/` between its parts.
 * @throws CorruptedModelPackageError for paths that leave the folder, are not portable, or belong to the cache's own files.
 */
export function requireArtefactHandle(value: unknown): string {
  if (typeof value !== "string" || value === "") throw refused(value, "a path is a text that is not empty");
  const parts = value.split("/").map(requirePortableName);
  if (parts.some((part) => /^\..*\.lock$/i.test(part))) throw refused(value, "hidden files ending in .lock are the cache's locks");
  if (RESERVED_AT_TOP.includes(parts[0]?.toLowerCase() ?? "")) throw refused(value, `${String(parts[0])} is a name of the cache itself`);
  return value;
}

/**
 * All paths of one package: each acceptable, and no two in each other's way on a file system that ignores case.
 * @throws CorruptedModelPackageError
 */
export function requireArtefactHandles(values: readonly unknown[]): readonly string[] {
  const handles = values.map(requireArtefactHandle);
  const files = new Set<string>();
  const folders = new Map<string, string>();
  for (const handle of handles) {
    if (files.has(handle.toLowerCase())) throw refused(handle, "the package announces it twice (upper and lower case count as the same)");
    files.add(handle.toLowerCase());
    const parts = handle.split("/");
    for (let length = 1; length < parts.length; length++) {
      const folder = parts.slice(0, length).join("/");
      const spelling = folders.get(folder.toLowerCase());
      if (spelling !== undefined && spelling !== folder) throw refused(handle, `its folder is also spelled ${shown(spelling)}`);
      folders.set(folder.toLowerCase(), folder);
    }
  }
  const both = handles.find((handle) => folders.has(handle.toLowerCase()));
  if (both !== undefined) throw refused(both, "it is announced as a file and as a folder");
  return handles;
}

/** A package's id, which names its folder: letters and digits alone. @throws InsecureModelIdentifierError */
export function requirePackageId(value: unknown): string {
  if (typeof value === "string" && value.length <= MAXIMUM_LENGTH && /^[A-Za-z0-9]+$/.test(value) && !WINDOWS_DEVICES.test(value)) {
    return value;
  }
  throw new InsecureModelIdentifierError(
    `${shown(value)} is not accepted as the id of a package. It names a folder, so it consists of 1 to ${MAXIMUM_LENGTH} letters and digits ` +
      "and is no device name of Windows. Whoever publishes the package has to rename it.",
    typeof value === "string" ? { packageId: value } : {},
  );
}

/** 32 lower-case hexadecimal digits. */
export function isMd5(value: unknown): value is string {
  return typeof value === "string" && /^[0-9a-f]{32}$/.test(value);
}
