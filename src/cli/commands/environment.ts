import type { Command } from "commander";
import { formatEnvironment } from "../format-environment.js";
import { errorToJson } from "../report-error.js";
import { styleFor } from "../terminal.js";
import type { CommandContext } from "./context.js";

export function addEnvironmentCommand(program: Command, { io, services }: CommandContext): void {
  program
    .command("environment")
    .description("show what this machine offers: engines, addon, processor, GPUs; attach the output to bug reports")
    .option("--json", "print one JSON document")
    .action(async ({ json = false }: { readonly json?: boolean }) => {
      const print = (text: string): unknown => io.stdout.write(`${text}\n`);
      try {
        const report = await services.describeEnvironment();
        print(json ? JSON.stringify(report, null, 2) : formatEnvironment(report, styleFor(io.stdout, io.env)).join("\n"));
      } catch (error) {
        if (json) print(JSON.stringify({ error: errorToJson(error) }, null, 2));
        throw error;
      }
    });
}
