/** npm run docs:tables: writes the tables that are kept in step with the code, settings into docs/configuration.md, families into README.md and docs/families.md. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { ENVIRONMENT_VARIABLES } from "../src/configuration.js";
import { REGISTRY } from "../src/models/registry.js";
import { packageRoot } from "../src/package-root.js";
import { formatRecorded, keptRecorded, readRecorded, recordedPath } from "../test/verification/recorded.js";
import { familyRows } from "../test/verification/table.js";

/** Replaces the rows of the first table after `marker`. */
function replaceRows(file: string, marker: string, rows: readonly string[]): void {
  const path = join(packageRoot, file);
  const lines = readFileSync(path, "utf8").split("\n");
  const after = lines.findIndex((line) => line.includes(marker));
  const first = lines.findIndex((line, index) => index > after && line.startsWith("| ---")) + 1;
  let end = first;
  while (lines[end]?.startsWith("|") === true) end++;
  writeFileSync(path, [...lines.slice(0, first), ...rows, ...lines.slice(end)].join("\n"));
}

const settings = ENVIRONMENT_VARIABLES.map(
  ({ name, kind, standard, meaning }) => `| \`${name}\` | ${kind} | ${standard === "" ? "" : `\`${standard}\``} | ${meaning} |`,
);
replaceRows("docs/configuration.md", "# Configuration", settings);

const families = new Map<string, string[]>();
for (const { architecture, task, backend } of REGISTRY) {
  const key = `${task} | ${backend}`;
  families.set(key, [...(families.get(key) ?? []), `\`${architecture}\``]);
}
replaceRows(
  "README.md",
  "<!-- families:",
  [...families].map(([key, architectures]) => `| ${architectures.join(", ")} | ${key} |`),
);

const recorded = await readRecorded();
if (recorded === null) process.stderr.write("docs:tables: the recorded answers are not at hand; what was known of them stays\n");
else writeFileSync(recordedPath, formatRecorded(recorded));
replaceRows("docs/families.md", "<!-- families -->", familyRows(REGISTRY, recorded ?? keptRecorded()));
