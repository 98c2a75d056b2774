/**
 * Runs recorded vectors on every implementation that has an adapter.
 *
 *     npm run -s conformance -- [--dir DIR] [--filter TEXT] [--all] [--list-not-covered]
 *
 * DIR is by default CONFORMANCE_DIR, else ../shared/conformance. Prints a line per function and implementation, then
 * `N passed, N failed`; exit code 1 when something failed or no case was found, 2 on wrong usage.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";

import type { AdapterTable } from "./adapter.js";
import { adapters as cache } from "./adapters/cache.js";
import { adapters as detection } from "./adapters/detection.js";
import { adapters as environment } from "./adapters/environment.js";
import { adapters as families } from "./adapters/families.js";
import { adapters as labels } from "./adapters/labels.js";
import { adapters as localPackages } from "./adapters/local-packages.js";
import { adapters as maps } from "./adapters/maps.js";
import { adapters as negotiation } from "./adapters/negotiation.js";
import { adapters as packageConfig } from "./adapters/package-config.js";
import { adapters as preprocessing } from "./adapters/preprocessing.js";
import { adapters as provider } from "./adapters/provider.js";
import { adapters as registry } from "./adapters/registry.js";
import { adapters as segmentation } from "./adapters/segmentation.js";
import { adapters as store } from "./adapters/store.js";
import { adapters as text } from "./adapters/text.js";
import { adapters as utilities } from "./adapters/utilities.js";
import { setLogger } from "../../src/logger.js";
import { packageRoot } from "../../src/package-root.js";
import { reportOf, tallyVectors } from "./tally.js";
import { readVectors } from "./vectors.js";

const TABLE: AdapterTable = {
  // One a line: rooms are added side by side.
  ...packageConfig,
  ...preprocessing,
  ...detection,
  ...families,
  ...environment,
  ...negotiation,
  ...registry,
  ...text,
  ...utilities,
  ...labels,
  ...provider,
  ...localPackages,
  ...cache,
  ...segmentation,
  ...maps,
  ...store,
};

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: { dir: { type: "string" }, filter: { type: "string" }, all: { type: "boolean" }, "list-not-covered": { type: "boolean" } },
  });
  const directory = values.dir ?? process.env["CONFORMANCE_DIR"] ?? join(packageRoot, "..", "shared", "conformance");
  if (!existsSync(directory)) {
    process.stderr.write(`conformance: there is no folder ${directory}; name one with --dir DIR\n`);
    return 2;
  }
  const ignore = (): void => undefined;
  setLogger({ debug: ignore, info: ignore, warn: ignore, error: ignore });
  const tallies = await tallyVectors(readVectors(directory), TABLE, values.filter);
  if (tallies.size === 0) process.stderr.write(`conformance: no case was found in ${directory}\n`);
  const { lines, exitCode } = reportOf(tallies, { allFailures: values.all ?? false, notCovered: values["list-not-covered"] ?? false });
  process.stdout.write(`${lines.join("\n")}\n`);
  return exitCode;
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`conformance: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 2;
}
