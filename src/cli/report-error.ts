import { InferenceModelsError, ModelPackageAlternativesExhaustedError, NoModelPackagesAvailableError } from "../errors.js";
import { type Io, isDebugging, styleFor } from "./terminal.js";

/** One line for each thing that was tried, where an error tells of several. */
function attempts(error: unknown): string[] {
  if (error instanceof ModelPackageAlternativesExhaustedError) {
    return (error.alternativesErrors ?? []).map(({ packageId, error: { message } }) => `${packageId}: ${message}`);
  }
  if (error instanceof NoModelPackagesAvailableError)
    return (error.discarded ?? []).map(({ packageId, code, message }) => `${packageId}: ${message} (${code})`);
  return [];
}

/** Writes what failed, what to do about it and where to read more; the stack only when DEBUG is set. */
export function reportError(error: unknown, io: Io, subject?: string): void {
  const style = styleFor(io.stderr, io.env);
  const message = error instanceof Error ? error.message : String(error);
  const lines = [
    `${style("red", "error:")} ${subject === undefined ? "" : `${subject}: `}${message}`,
    ...attempts(error).map((attempt) => `  - ${attempt}`),
  ];
  if (error instanceof InferenceModelsError) lines.push(style("dim", `  ${error.code}, explained at ${error.helpUrl}`));
  else if (!isDebugging(io.env))
    lines.push(style("dim", "  This error was not foreseen. Run again with DEBUG=1 to see where it comes from, and please report it."));
  if (isDebugging(io.env)) lines.push(...stackLines(error));
  io.stderr.write(`${lines.join("\n")}\n`);
}

function stackLines(error: unknown): string[] {
  if (!(error instanceof Error)) return [];
  return [error.stack ?? String(error), ...(error.cause === undefined ? [] : ["caused by:", ...stackLines(error.cause)])];
}

/** An error as it stands in a JSON document. */
export function errorToJson(error: unknown): Readonly<Record<string, unknown>> {
  if (error instanceof InferenceModelsError) return error.toJSON();
  return error instanceof Error ? { name: error.name, message: error.message } : { message: String(error) };
}
