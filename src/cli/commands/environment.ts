import type { Command } from "commander";
import { formatTree } from "../table.js";
import { styleFor } from "../terminal.js";
import type { CommandContext } from "./context.js";

export function addEnvironmentCommand(program: Command, { io, services }: CommandContext): void {
  program
    .command("environment")
    .description("show what this machine offers: engines, addon, processor; attach the output to bug reports")
    .option("--json", "print one JSON document")
    .action(async ({ json = false }: { readonly json?: boolean }) => {
      const environment = await services.describeEnvironment();
      const text = json ? JSON.stringify(environment, null, 2) : formatTree(environment, styleFor(io.stdout, io.env)).join("\n");
      io.stdout.write(`${text}\n`);
    });
}
