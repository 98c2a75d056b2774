import type { Services } from "../services.js";
import type { Io } from "../terminal.js";

/** What every command gets. */
export interface CommandContext {
  readonly io: Io;
  readonly services: Services;
  /** Sets the exit code of the process; 0 unless called. */
  readonly exitWith: (code: number) => void;
}
