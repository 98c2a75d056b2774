import { corrupted } from "./json.js";
import type { ClassRemapping, FileContext, InferenceConfig } from "./types.js";

/** `class_names.txt`: one name a line, trimmed, blank lines dropped; order gives the ids. @throws CorruptedModelPackageError */
export function parseClassNames(text: string, { path }: FileContext): readonly string[] {
  const names = text
    .replace(/^\uFEFF/, "")
    .split(/\r\n|[\r\n]/)
    .map((line) => line.trim())
    .filter((line) => line !== "");
  if (names.length === 0) throw corrupted(path, "the file names no classes. Write one name a line, in the order of the network's outputs.");
  return names;
}

/** Takes names out of a class list: every line with a removed name goes, the others move up. */
export function prepareClassRemapping(
  classNames: readonly string[],
  operations: InferenceConfig["classNamesOperations"],
): { readonly classNames: readonly string[]; readonly classesRemapping: ClassRemapping } {
  const removed = new Set(operations.map(({ className }) => className));
  const remainingClassIds: number[] = [];
  const classMapping = classNames.map((name, id) => (removed.has(name) ? -1 : remainingClassIds.push(id) - 1));
  return { classNames: classNames.filter((name) => !removed.has(name)), classesRemapping: { remainingClassIds, classMapping } };
}

/** Index of the class called `background`, in any case. @throws CorruptedModelPackageError without it, or without another class. */
export function requireBackgroundClass(classNames: readonly string[], { path }: FileContext): number {
  const id = classNames.findIndex((name) => name.toLowerCase() === "background");
  if (id < 0) throw corrupted(path, 'semantic segmentation needs a class called "background".');
  if (classNames.length < 2) throw corrupted(path, "semantic segmentation needs a class beside the background.");
  return id;
}
