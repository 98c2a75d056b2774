/** Two copies of the addon in one process, as two versions of the package would bring them. */
import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { resolveLibrary } from "../../../src/environment/index.js";
import { addonReport, loadAddon, type NativeAddon } from "../../../src/native/index.js";
import { doublingNetwork } from "../networks.js";

const directory = mkdtempSync(join(tmpdir(), "inference-models-"));
const copy = join(directory, "copy.node");
copyFileSync(addonReport().path!, copy);
const addons = [loadAddon()!, createRequire(import.meta.url)(copy) as NativeAddon];
if (addons[0] === addons[1]) throw new Error("one addon only");

const settings = { providers: [], intraOpThreads: 1, lanes: 1, spinning: false, graphOptimization: 99 } as const;
const sessions = await Promise.all(
  addons.map((addon) => {
    addon.openOnnxRuntime(resolveLibrary());
    return addon.createSession(doublingNetwork(), settings, addon.createCancelToken());
  }),
);
const input = { name: "x", type: 1, dims: [1, 3], data: Float32Array.of(1, 2, 3) };
const results = await Promise.all(sessions.map((session) => session.run([input], ["y"], null)));
process.stdout.write(results.map(([y]) => (y?.data as Float32Array).join()).join(";"));

// Objects of one are foreign to the other.
try {
  await sessions[0]!.run([input], ["y"], addons[1]!.createCancelToken());
} catch (error) {
  process.stdout.write(`;${(error as Error).message}`);
}
await sessions[0]!.close();
await sessions[1]!.run([input], ["y"], null);
rmSync(directory, { recursive: true });
