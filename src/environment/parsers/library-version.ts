import { normalizeVersion } from "../../versions.js";

/** A library's version without what follows `+`, in normal form; null when it is no version. */
export function withoutLocalVersion(text: string): string | null {
  return normalizeVersion(text.split("+", 1)[0] ?? "");
}
