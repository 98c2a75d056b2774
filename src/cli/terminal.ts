import { styleText } from "node:util";

/** A stream as the command line needs it; `process.stdout` is one. */
export interface OutputStream {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

/** Everything a command touches of the world outside. */
export interface Io {
  /** Data and nothing else. */
  readonly stdout: OutputStream;
  /** Messages for people: errors, warnings, progress. */
  readonly stderr: OutputStream;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Raised by Ctrl-C. */
  readonly signal?: AbortSignal;
}

export type Format = Parameters<typeof styleText>[0];
export type Style = (format: Format, text: string) => string;

/** https://no-color.org: any value but the empty one switches colours off; FORCE_COLOR switches them on without a terminal. */
export function usesColour(stream: OutputStream, env: Io["env"]): boolean {
  if ((env["NO_COLOR"] ?? "") !== "") return false;
  if ((env["FORCE_COLOR"] ?? "") !== "") return env["FORCE_COLOR"] !== "0";
  return stream.isTTY === true && env["TERM"] !== "dumb";
}

export function styleFor(stream: OutputStream, env: Io["env"]): Style {
  // This file decides about colours; styleText's own check would look at the process's stdout, whatever the stream is.
  return usesColour(stream, env) ? (format, text) => styleText(format, text, { validateStream: false }) : (_format, text) => text;
}

/** DEBUG shows stacks and messages for developers. */
export function isDebugging(env: Io["env"]): boolean {
  return (env["DEBUG"] ?? "") !== "";
}

/** A line that says what is going on and disappears; on terminals only. */
export class StatusLine {
  #shown = false;

  constructor(private readonly io: Io) {}

  show(text: string): void {
    if (this.io.stderr.isTTY !== true) return;
    this.clear();
    this.io.stderr.write(text);
    this.#shown = true;
  }

  /** A line that stays, above the one that disappears. */
  print(text: string): void {
    if (this.io.stderr.isTTY !== true) return;
    this.clear();
    this.io.stderr.write(`${text}\n`);
  }

  clear(): void {
    if (this.#shown) this.io.stderr.write("\r\u001B[2K");
    this.#shown = false;
  }
}
