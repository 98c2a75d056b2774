/**
 * What only a machine with a GPU can show:
 *
 *   npm run -s gpu -- [--engine ENGINE] [--onnx MODEL] [--device N] [--shape NAME=1x3x640x640]... [--runs 500]
 *
 * Prints what is installed; prepares pictures on the device and compares them with the CPU's, bit for bit; with an engine, loads it, runs it with and without CUDA graphs, times it, compares its answers with those
 * of the ONNX model on the CPU, and checks that closing gives all memory back. Exit code 1 when something does not hold.
 */
import { parseArgs } from "node:util";

import { createInferenceSession, TensorRtEngine, type Tensor, type TensorPort } from "../../src/engines/index.js";
import { configuration } from "../../src/configuration.js";
import { loadAddon } from "../../src/native/index.js";
import { checkEngineOnPictures, checkPreprocessing } from "./preprocessing.js";

const { values } = parseArgs({
  options: {
    engine: { type: "string" },
    onnx: { type: "string" },
    device: { type: "string", default: "0" },
    shape: { type: "string", multiple: true, default: [] },
    runs: { type: "string", default: "500" },
    tolerance: { type: "string", default: "0.01" },
  },
});

const WARM_UP = 50;
const say = (text: string): void => void process.stdout.write(`${text}\n`);
const failures: string[] = [];

function expectThat(holds: boolean, what: string): void {
  say(`${holds ? "ok    " : "FAILED"} ${what}`);
  if (!holds) failures.push(what);
}

/** Pictures have values like these; zeros would hide wrong layouts. */
function fill(port: TensorPort, dims: readonly number[]): Tensor {
  if (port.type !== "float32") throw new Error(`Input ${port.name} is ${String(port.type)}; this check makes float32 only.`);
  const data = new Float32Array(dims.reduce((product, size) => product * size, 1));
  for (let i = 0; i < data.length; i += 1) data[i] = ((i * 2654435761) >>> 8) / 2 ** 24;
  return { type: "float32", dims, data };
}

function inputsOf(engine: TensorRtEngine): Readonly<Record<string, Tensor>> {
  const named = new Map(values.shape.map((text) => [text.split("=")[0], (text.split("=")[1] ?? "").split("x").map(Number)]));
  return Object.fromEntries(
    engine.inputs.map((port) => [
      port.name,
      fill(port, named.get(port.name) ?? engine.profiles[engine.profile]?.[port.name]?.optimum ?? []),
    ]),
  );
}

/** Greatest difference, and greatest value, of two outputs. */
function compare(a: Tensor, b: Tensor): readonly [difference: number, magnitude: number] {
  let [difference, magnitude] = [a.data.length === b.data.length ? 0 : Infinity, 0];
  for (let i = 0; i < a.data.length; i += 1) {
    difference = Math.max(difference, Math.abs(Number(a.data[i]) - Number(b.data[i])));
    magnitude = Math.max(magnitude, Math.abs(Number(b.data[i])));
  }
  return [difference, magnitude];
}

async function time(engine: TensorRtEngine, inputs: Readonly<Record<string, Tensor>>, runs: number): Promise<string> {
  for (let i = 0; i < WARM_UP; i += 1) await engine.run(inputs);
  const each: number[] = [];
  for (let i = 0; i < runs; i += 1) {
    const start = performance.now();
    await engine.run(inputs);
    each.push(performance.now() - start);
  }
  each.sort((a, b) => a - b);
  const at = (fraction: number): string => (each[Math.floor(fraction * (each.length - 1))] ?? 0).toFixed(3);
  const start = performance.now();
  await Promise.all(Array.from({ length: runs }, () => engine.run(inputs)));
  const rate = (runs / (performance.now() - start)) * 1000;
  return `p50 ${at(0.5)} ms, p95 ${at(0.95)} ms, p99 ${at(0.99)} ms one at a time; ${rate.toFixed(0)} runs/s all at once`;
}

async function checkEngine(path: string): Promise<void> {
  const runs = Number(values.runs);
  const answers: (readonly [string, Readonly<Record<string, Tensor>>])[] = [];
  for (const cudaGraphs of [false, true]) {
    const start = performance.now();
    const engine = await TensorRtEngine.load(path, { device: Number(values.device), cudaGraphs, queueLimit: runs });
    say(
      `loaded in ${(performance.now() - start).toFixed(0)} ms: TensorRT ${engine.engineVersion} on ${engine.device.name}, built by ${engine.builtByVersion}`,
    );
    const inputs = inputsOf(engine);
    for (const [name, { dims }] of Object.entries(inputs)) say(`input ${name} [${dims.join(", ")}]`);
    answers.push([cudaGraphs ? "with graphs" : "without graphs", await engine.run(inputs)]);
    say(`${cudaGraphs ? "with graphs" : "without graphs"}: ${await time(engine, inputs, runs)}`);
    answers.push([cudaGraphs ? "with graphs, captured" : "without graphs, again", await engine.run(inputs)]);
    const { graphLaunches, graphsGivenUp, lastCaptureFailure } = engine.statistics();
    expectThat(
      cudaGraphs === graphLaunches > 0,
      `${graphLaunches} graph launches${lastCaptureFailure === null ? "" : `: ${lastCaptureFailure}`}`,
    );
    expectThat(graphsGivenUp === 0, `${graphsGivenUp} captures given up`);
    say(`memory: ${JSON.stringify(engine.memory())}`);
    if (cudaGraphs && values.onnx !== undefined) {
      await using session = await createInferenceSession(values.onnx, { executionProviders: ["cpu"], intraOpThreads: 0 });
      answers.push(["ONNX Runtime on the CPU", await session.run(inputs)]);
    }
    await engine.close();
    expectThat(engine.memory().device === 0 && engine.memory().pinned === 0, "closing gives all memory back");
  }
  const [, reference] = answers.at(-1) ?? ["", {}];
  for (const [what, outputs] of answers) {
    for (const [name, tensor] of Object.entries(outputs)) {
      const other = reference[name];
      if (other === undefined) continue;
      const [difference, magnitude] = compare(tensor, other);
      expectThat(
        difference <= Number(values.tolerance) * Math.max(1, magnitude),
        `${what}: ${name} differs by ${difference} of ${magnitude}`,
      );
    }
  }
}

const addon = loadAddon();
if (addon === null) throw new Error("The addon is not available.");
const { cudaLibraryPath, tensorRtLibraryPath } = configuration().device;
const probe = await addon.probeNvidia({ cudaLibraryPath, tensorRtLibraryPath });
say(JSON.stringify(probe, null, 2));
expectThat(probe.devices.length > 0, `${probe.devices.length} devices`);
expectThat(
  probe.tensorRt.some(({ path }) => path !== null),
  "TensorRT is installed",
);
if (probe.devices.length > 0) await checkPreprocessing(addon, Number(values.device), expectThat, say);
if (values.engine !== undefined) {
  await checkEngine(values.engine);
  await checkEngineOnPictures(addon, values.engine, Number(values.device), expectThat, say);
}
process.exitCode = failures.length > 0 ? 1 : 0;
