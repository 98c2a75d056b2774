/** node scripts/check-cpp-format.mjs [--write]: clang-format over the C++ files, where clang-format is installed. */
import { readdirSync } from "node:fs";
import { join } from "node:path";

import { isMain, outputOf, root, succeeds } from "./support/project.mjs";

/** @returns {"passed" | "failed" | "skipped"} */
export function checkCppFormat({ write = false } = {}) {
  const version = outputOf("clang-format", ["--version"]);
  if (version === null) {
    process.stdout.write('Skipped: clang-format is not installed ("pip install clang-format" or the system\'s package).\n');
    return "skipped";
  }
  const files = ["native", "test/native"].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true })
      .filter((file) => /\.(cc|h|cu)$/.test(file))
      .map((file) => join(folder, file)),
  );
  process.stdout.write(`${version.trim()}: ${files.length} files\n`);
  return succeeds("clang-format", [...(write ? ["-i"] : ["--dry-run", "--Werror"]), ...files]) ? "passed" : "failed";
}

if (isMain(import.meta.url)) process.exitCode = checkCppFormat({ write: process.argv.includes("--write") }) === "failed" ? 1 : 0;
