import { Command, CommanderError } from "commander";
import { InvalidParameterError } from "../errors.js";
import { packageVersion } from "../package-root.js";
import { addBuildNativeCommand } from "./commands/build-native.js";
import { addCacheCommand } from "./commands/cache.js";
import { addCompileCommand } from "./commands/compile.js";
import type { CommandContext } from "./commands/context.js";
import { addDescribeCommand } from "./commands/describe.js";
import { addDownloadCommand } from "./commands/download.js";
import { addEnvironmentCommand } from "./commands/environment.js";
import { addInspectCommand } from "./commands/inspect.js";
import { addPredictCommand } from "./commands/predict.js";
import { addReadCommand } from "./commands/read.js";
import { reportError } from "./report-error.js";
import { packageServices } from "./services.js";
import type { Services } from "./services.js";
import { usesColour } from "./terminal.js";
import type { Io } from "./terminal.js";

/** Exit codes are part of the interface: scripts branch on them. */
export const EXIT = { success: 0, failure: 1, usage: 2, interrupted: 130 } as const;

const HELP_WIDTH = 100;

async function readVariables(path: string): Promise<void> {
  const { loadDotEnv } = await import("../configuration.js");
  if (loadDotEnv(path)) return;
  throw new InvalidParameterError(`There is no file ${path}. Correct the path after --env-file.`, { parameter: "env-file" });
}

function createProgram(context: CommandContext): Command {
  const { io } = context;
  const program = new Command("inference-models")
    .description("Name a vision model, get a ready one.")
    .version(packageVersion, "-V, --version", "print the version")
    .helpOption("-h, --help", "print this help")
    .option("--env-file <path>", "read environment variables from a file first; those that are set keep their value")
    .hook("preAction", async (_program, command) => {
      const { envFile } = command.optsWithGlobals<{ readonly envFile?: string }>();
      if (envFile !== undefined) await readVariables(envFile);
    })
    .helpCommand("help [command]", "print help of a command")
    .exitOverride()
    .showHelpAfterError("Run with --help to see what is possible.")
    .configureOutput({
      writeOut: (text) => io.stdout.write(text),
      writeErr: (text) => io.stderr.write(text),
      getOutHelpWidth: () => io.stdout.columns ?? HELP_WIDTH,
      getErrHelpWidth: () => io.stderr.columns ?? HELP_WIDTH,
      getOutHasColors: () => usesColour(io.stdout, io.env),
      getErrHasColors: () => usesColour(io.stderr, io.env),
    })
    .addHelpText("after", "\nExit codes: 0 success, 1 failure (also of one picture among several), 2 wrong usage, 130 interrupted.");
  addPredictCommand(program, context);
  addReadCommand(program, context);
  addDescribeCommand(program, context);
  addDownloadCommand(program, context);
  addCompileCommand(program, context);
  addInspectCommand(program, context);
  addEnvironmentCommand(program, context);
  addCacheCommand(program, context);
  addBuildNativeCommand(program, context);
  return program;
}

/**
 * The command line.
 *
 * @param argv arguments after the program's name.
 * @returns the exit code, see {@link EXIT}; never rejects.
 */
export async function run(argv: readonly string[], io: Io, services: Services = packageServices): Promise<number> {
  let exitCode: number = EXIT.success;
  const program = createProgram({ io, services, exitWith: (code) => (exitCode = code) });
  try {
    await program.parseAsync(argv, { from: "user" });
    return exitCode;
  } catch (error) {
    // Commander has already said what is wrong; help and version that were asked for end here too, with code 0.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.success : EXIT.usage;
    if (io.signal?.aborted === true) {
      io.stderr.write("Interrupted.\n");
      return EXIT.interrupted;
    }
    reportError(error, io);
    return EXIT.failure;
  }
}
