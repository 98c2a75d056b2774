import { spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";

import { packageRoot } from "../../src/package-root.js";

/** A Python program that measures itself when asked to: round trips over pipes would be counted otherwise. */
export interface PythonPeer {
  /** Its answer to one request. */
  once(): Promise<unknown>;
  stop(): void;
}

/** @param script name of a file beside this one; it prints one line when it is ready, and one JSON value for each line that it gets. */
export async function startPythonPeer(python: string, script: string, args: readonly string[]): Promise<PythonPeer> {
  const child = spawn(python, [join(packageRoot, "bench", "peers", script), ...args], { stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const answer = async (): Promise<string> => {
    const line = await lines.next();
    if (line.done === true) throw new Error(`${script} ended without an answer.`);
    return line.value;
  };
  await answer();
  return {
    async once() {
      child.stdin.write("go\n");
      return JSON.parse(await answer()) as unknown;
    },
    stop: () => void child.kill(),
  };
}
