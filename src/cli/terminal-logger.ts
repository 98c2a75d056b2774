import type { Logger } from "../logger.js";
import { type Io, isDebugging, styleFor } from "./terminal.js";

/** The package's messages on stderr; those for developers only when DEBUG is set. */
export function terminalLogger({ stderr, env }: Pick<Io, "stderr" | "env">): Logger {
  const style = styleFor(stderr, env);
  const write = (label: string) => (message: string) => void stderr.write(`${label} ${message}\n`);
  const ignore = (): void => undefined;
  return {
    debug: isDebugging(env) ? write(style("dim", "debug:")) : ignore,
    info: isDebugging(env) ? write(style("dim", "info:")) : ignore,
    warn: write(style("yellow", "warning:")),
    error: write(style("red", "error:")),
  };
}
