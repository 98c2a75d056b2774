import type { Finding } from "./types.js";

export function versionOf(finding: Finding): string | null {
  return finding.found ? finding.version : null;
}

/** Why something cannot be used; null when it can. */
export function obstacleTo(finding: Finding): string | null {
  return finding.found ? finding.problem : finding.reason;
}
