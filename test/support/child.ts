/** Programs of their own, for what happens when a process or a thread ends. */
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";

export interface ChildResult {
  /** null when a signal ended it. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a TypeScript program and waits for its end. */
export function runChild(
  script: URL,
  arguments_: readonly string[] = [],
  nodeOptions: readonly string[] = [],
  environment: Readonly<Record<string, string>> = {},
): Promise<ChildResult> {
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      [...nodeOptions, "--import", "tsx", fileURLToPath(script), ...arguments_],
      { timeout: 60_000, killSignal: "SIGKILL", env: { ...process.env, ...environment } },
      (_error, stdout, stderr) => resolve({ code: child.exitCode, signal: child.signalCode, stdout, stderr }),
    );
  });
}
