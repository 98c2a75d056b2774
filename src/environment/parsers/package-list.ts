/** Lines of Debian's package manager, `ii  name  version  architecture ...`: state, name, version, and what else there is. */
import { normalizeVersion } from "../../versions.js";

/**
 * Version of the package in the first line; null when there is none that can be read. A Debian revision counts as a post-release:
 * `12.4.127-1` is `12.4.127.post1`.
 */
function firstVersion(listing: string): string | null {
  return listing.trim().split("\n", 1)[0]?.trim().split(/\s+/)[2] ?? null;
}

/** Of the lines about the CUDA runtime library. */
export function cudaVersionFromPackageList(listing: string): string | null {
  const version = firstVersion(listing);
  return version === null ? null : normalizeVersion(version);
}

/** Of the lines about TensorRT's tools, whose version tells behind a `+` which CUDA they are for: `10.8.0.43-1+cuda12.8`. */
export function tensorRtVersionFromPackageList(listing: string): string | null {
  const version = firstVersion(listing);
  return version === null ? null : normalizeVersion(version.split("+", 1)[0] ?? "");
}
