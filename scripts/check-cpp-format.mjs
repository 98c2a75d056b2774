/** node scripts/check-cpp-format.mjs [--write]: clang-format over the C++ files. */
import { readdirSync } from "node:fs";
import { join } from "node:path";

import { isMain, root, runTool } from "./support/project.mjs";

const FOLDERS = ["native", "test/native"];

/** @returns {boolean} */
export function checkCppFormat({ write = false } = {}) {
  const files = FOLDERS.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true })
      .filter((file) => /\.(cc|h|cu)$/.test(file))
      .map((file) => join(folder, file)),
  );
  return runTool("clang-format-node", [...(write ? ["-i"] : ["--dry-run", "--Werror"]), ...files], {}, "clang-format");
}

if (isMain(import.meta.url)) process.exitCode = checkCppFormat({ write: process.argv.includes("--write") }) ? 0 : 1;
