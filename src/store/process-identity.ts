/** Who owns a lock, a lease or a half-finished download, in a form that others can tell the living from the dead by. */
import { createHash } from "node:crypto";
import { readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";

export interface ProcessIdentity {
  /** Digest of what makes process numbers comparable: host, its boot, and the namespace that numbers are counted in. */
  readonly machine: string;
  readonly pid: number;
  /** When the process began, in the system's own count; null where the system does not say cheaply. */
  readonly start: string | null;
}

function readOrEmpty(read: () => string): string {
  try {
    return read();
  } catch {
    return "";
  }
}

/** null = no such process, or the system does not tell. */
function startOf(pid: number): string | null {
  const status = readOrEmpty(() => readFileSync(`/proc/${pid}/stat`, "latin1"));
  // The name in brackets may hold anything, brackets included; what follows it begins with field 3, and 22 is the start.
  const fields = status.slice(status.lastIndexOf(")") + 2).split(" ");
  // A killed process that nobody has waited for yet still has its number.
  const ended = fields[0] === "Z" || fields[0] === "X";
  return ended ? null : (fields[19] ?? null);
}

let own: ProcessIdentity | null = null;

/** This process; its threads share it. */
export function ownIdentity(): ProcessIdentity {
  own ??= {
    machine: createHash("sha256")
      .update(
        JSON.stringify([
          hostname(),
          readOrEmpty(() => readFileSync("/proc/sys/kernel/random/boot_id", "latin1")),
          readOrEmpty(() => readlinkSync("/proc/self/ns/pid")),
        ]),
      )
      .digest("hex")
      .slice(0, 12),
    pid: process.pid,
    start: startOf(process.pid),
  };
  return own;
}

/** As a part of a file name. */
export function formatIdentity({ machine, pid, start }: ProcessIdentity): string {
  return `${machine}-${pid}-${start ?? "x"}`;
}

/** Reads the beginning of a name; null when none of ours made it. */
export function parseIdentity(name: string): ProcessIdentity | null {
  const match = /^([0-9a-f]{12})-(\d{1,10})-(\d{1,20}|x)(?![0-9a-z])/.exec(name);
  if (match === null) return null;
  const [, machine = "", pid = "", start = "x"] = match;
  return { machine, pid: Number(pid), start: start === "x" ? null : start };
}

/**
 * `unknown`: on another machine, or (where the system tells no start times) perhaps another process with the same number.
 */
export function livenessOf(identity: ProcessIdentity): "alive" | "dead" | "unknown" {
  const self = ownIdentity();
  if (identity.machine !== self.machine) return "unknown";
  if (identity.pid === self.pid) return identity.start === self.start ? "alive" : "dead";
  try {
    process.kill(identity.pid, 0);
  } catch (error) {
    // EPERM: it runs, and belongs to somebody else.
    if ((error as NodeJS.ErrnoException).code === "ESRCH") return "dead";
  }
  if (identity.start === null) return "unknown";
  return startOf(identity.pid) === identity.start ? "alive" : "dead";
}
