/**
 * Medians and ratios, taken in one run, peers side by side.
 *
 *     npm run -s bench -- [--filter TEXT] [--json FILE] [--quick]    (BENCH_QUICK=1 is --quick)
 *
 * Says what each figure was compared with and whether it holds here; exit code 0 whatever it is, since speed is no test.
 */
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";

import { describeEnvironment } from "../src/index.js";
import { coldStart } from "./cases/cold-start.js";
import { decoding } from "./cases/decoding.js";
import { download } from "./cases/download.js";
import { eventLoop } from "./cases/event-loop.js";
import { racing, warmLoad } from "./cases/loading.js";
import { maskMemory, segmentation } from "./cases/masks.js";
import { memory } from "./cases/memory.js";
import { classification, prediction, queriesDetection } from "./cases/prediction.js";
import { preprocessing } from "./cases/preprocessing.js";
import { referenceStages } from "./cases/reference-stages.js";
import { Unavailable, type CaseResult } from "./measure.js";

const CASES = [
  prediction,
  classification,
  queriesDetection,
  segmentation,
  preprocessing,
  decoding,
  ...referenceStages,
  download,
  racing,
  warmLoad,
  eventLoop,
  coldStart,
  memory,
  maskMemory,
];

const { values } = parseArgs({ options: { filter: { type: "string" }, json: { type: "string" }, quick: { type: "boolean" } } });
const quick = values.quick ?? !["", "0"].includes(process.env["BENCH_QUICK"] ?? "");
const environment = await describeEnvironment();
const { cpu, system, node, addon, onnxRuntime } = environment;
const write = (line: string): void => {
  process.stdout.write(`${line}\n`);
};
write(
  `${new Date().toISOString()}  ${cpu.model}, ${cpu.logicalCores} cores, ${Math.round(system.memoryBytes / 2 ** 30)} GiB, ${system.platform} ${system.release}`,
);
write(
  `Node ${node.version}, addon ${addon.found ? `${addon.version ?? "?"} (${addon.simd ?? "?"}, ${addon.compiler ?? "?"})` : "absent"}, ONNX Runtime ${onnxRuntime.library.found ? (onnxRuntime.library.version ?? "?") : "absent"}`,
);
const results: Record<string, CaseResult | { readonly unavailable: string }> = {};
for (const { name, run } of CASES) {
  if (values.filter !== undefined && !name.includes(values.filter)) continue;
  write(`\n${name}${quick ? " (quick: few rounds, rough figures)" : ""}`);
  try {
    const result = await run(quick);
    results[name] = result;
    for (const one of result.measurements) {
      write(
        `  ${one.name.padEnd(34)} median ${one.median.toFixed(3).padStart(9)}  min ${one.minimum.toFixed(3).padStart(9)}  p90 ${one.p90.toFixed(3).padStart(9)}  n ${one.rounds}`,
      );
    }
    for (const { text, value, comparison, bound } of result.claims) {
      const holds = comparison === "<=" ? value <= bound : value >= bound;
      write(`  ${text}: ${value.toFixed(3)} (wanted ${comparison} ${bound}: ${holds ? "holds" : "does not hold"})`);
    }
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error;
    results[name] = { unavailable: error.message };
    write(`  left out: ${error.message}`);
  }
}
if (values.json !== undefined)
  writeFileSync(values.json, `${JSON.stringify({ date: new Date().toISOString(), quick, environment, results }, null, 2)}\n`);
