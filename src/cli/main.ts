import { setLogger } from "../logger.js";
import { EXIT, run } from "./run.js";
import { terminalLogger } from "./terminal-logger.js";

const interruption = new AbortController();
process.on("SIGINT", () => {
  // The second Ctrl-C is for somebody who does not want to wait until everything is closed.
  if (interruption.signal.aborted) process.exit(EXIT.interrupted);
  interruption.abort();
});

for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", (error: NodeJS.ErrnoException) => {
    // The reader went away ("inference-models ... | head"): it has what it wanted.
    if (error.code === "EPIPE") process.exit(EXIT.success);
    throw error;
  });
}

setLogger(terminalLogger({ stderr: process.stderr, env: process.env }));
process.exitCode = await run(process.argv.slice(2), {
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  signal: interruption.signal,
});
