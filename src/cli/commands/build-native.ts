import type { Command } from "commander";
import type { CommandContext } from "./context.js";

export function addBuildNativeCommand(program: Command, { io, services, exitWith }: CommandContext): void {
  program
    .command("build-native")
    .description("compile the native addon on this machine (needs CMake and a C++17 compiler)")
    .option("--force", "compile even though the addon is up to date")
    .action(async ({ force = false }: { readonly force?: boolean }) => {
      const code = await services.buildNative(force ? ["--force"] : [], io);
      if (code !== 0) exitWith(1);
    });
}
