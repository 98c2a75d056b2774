/** Runs two engines while the only thread of libuv's pool is stuck in opening a pipe that nobody writes to. */
import { execFileSync } from "node:child_process";
import { closeSync, constants, mkdtempSync, openSync, rmSync } from "node:fs";
import { open, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { TensorRtEngine, type Tensor } from "../../../../src/engines/index.js";
import { fakePlan } from "../../../support/nvidia-fakes.js";

const scratch = mkdtempSync(join(tmpdir(), "inference-models-"));
const pipe = join(scratch, "pipe");
execFileSync("mkfifo", [pipe]);
const stuck = open(pipe, "r");
let files = 0;
const behind = stat(scratch).then(() => (files += 1));

const plan = fakePlan([10, 15, 1, 1], ["in x 0 2 1 3", "out y 0 2 1 3"]);
const input: Readonly<Record<string, Tensor>> = { x: { type: "float32", dims: [1, 3], data: Float32Array.of(1, 2, 3) } };
const engines = [await TensorRtEngine.load(plan), await TensorRtEngine.load(plan)];
const results = await Promise.all(Array.from({ length: 8 }, (_, index) => engines[index % 2]!.run(input)));
await Promise.all(engines.map((engine) => engine.close()));
if (files > 0) throw new Error("The pool was free.");

// Somebody writes after all.
const writer = openSync(pipe, constants.O_RDWR);
await behind;
await (await stuck).close();
closeSync(writer);
rmSync(scratch, { recursive: true });
process.stdout.write(`${results.length} runs while the pool was stuck, then ${files} file`);
