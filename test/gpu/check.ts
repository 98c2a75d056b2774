/**
 * What only a machine with a GPU can show:
 *
 *   npm run -s gpu -- [--engine ENGINE] [--onnx MODEL [--build [--fp16]]] [--device N] [--shape NAME=1x3x640x640]... [--runs 500]
 *                     [--rounds 50] [--together 20] [--fill-mib 256] [--report FILE] [--only-kernels]
 *
 * Prints what is installed; prepares pictures on the device, and decodes heads of every kind behind engines that it builds for them, and
 * compares both with the CPU's, bit for bit; times every kernel; with --build, builds an engine
 * from the ONNX model: stopped once, then whole, then again with what the first build has measured; with an engine, or the one just built,
 * loads it, runs it with and without CUDA graphs and on a picture that the device prepares, times it, compares its answers with those
 * of the ONNX model on the CPU, and checks that closing gives all memory back. --report writes a page of Markdown; --only-kernels is for tools
 * that make everything slow. Exit code 1 when something does not hold, 2 where there is no GPU.
 *
 * scripts/gpu-check.sh does the same on a machine that has nothing but a GPU.
 */
import { mkdtempSync, statSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";

import { buildTensorRtEngine, inspectEngine, type TensorRtBuildEstimate } from "../../src/compilation/index.js";
import { createInferenceSession, TensorRtEngine, type InferenceSession, type Tensor, type TensorPort } from "../../src/engines/index.js";
import { MissingDependencyError } from "../../src/errors.js";
import { configuration } from "../../src/configuration.js";
import { loadAddon } from "../../src/native/index.js";
import { checkDetections } from "./detections.js";
import { packageVersion } from "../../src/package-root.js";
import { measureEngine } from "./engine-figures.js";
import { measureKernels } from "./kernels.js";
import { checkMasksAndMaps } from "./masks-and-maps.js";
import { checkEngineOnPictures, checkPreprocessing } from "./preprocessing.js";
import { Report } from "./report.js";

const { values } = parseArgs({
  options: {
    engine: { type: "string" },
    onnx: { type: "string" },
    build: { type: "boolean", default: false },
    fp16: { type: "boolean", default: false },
    device: { type: "string", default: "0" },
    shape: { type: "string", multiple: true, default: [] },
    runs: { type: "string", default: "500" },
    tolerance: { type: "string", default: "0.01" },
    rounds: { type: "string", default: "50" },
    together: { type: "string", default: "20" },
    "fill-mib": { type: "string", default: "256" },
    report: { type: "string" },
    "only-kernels": { type: "boolean", default: false },
  },
});

const WARM_UP = 50;
const report = new Report();
const { say, expectThat } = report;

/** Pictures have values like these; zeros would hide wrong layouts. */
function fill(port: TensorPort, dims: readonly number[]): Tensor {
  if (port.type !== "float32") throw new Error(`Input ${port.name} is ${String(port.type)}; this check makes float32 only.`);
  const data = new Float32Array(dims.reduce((product, size) => product * size, 1));
  for (let i = 0; i < data.length; i += 1) data[i] = ((i * 2654435761) >>> 8) / 2 ** 24;
  return { type: "float32", dims, data };
}

/** @param batch instead of the best number of pictures */
function inputsOf(engine: TensorRtEngine, batch?: number): Readonly<Record<string, Tensor>> {
  const sized = (dims: readonly number[]): readonly number[] => (batch === undefined ? dims : [batch, ...dims.slice(1)]);
  const named = new Map(values.shape.map((text) => [text.split("=")[0], (text.split("=")[1] ?? "").split("x").map(Number)]));
  return Object.fromEntries(
    engine.inputs.map((port) => [
      port.name,
      fill(port, sized(named.get(port.name) ?? engine.profiles[engine.profile]?.[port.name]?.optimum ?? [])),
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

/** Null, with a word about it, where there is no ONNX Runtime. */
async function openOnCpu(model: string): Promise<InferenceSession | null> {
  try {
    return await createInferenceSession(model, { executionProviders: ["cpu"], intraOpThreads: 0 });
  } catch (error) {
    if (!(error instanceof MissingDependencyError)) throw error;
    report.note(`Answers were not compared with ONNX Runtime's: ${error.message}`);
    return null;
  }
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
      const session = await openOnCpu(values.onnx);
      if (session !== null) answers.push(["ONNX Runtime on the CPU", await session.run(inputs)]);
      await session?.close();
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

/** The path of the engine. */
async function checkBuilding(onnx: string): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "inference-models-gpu-"));
  const options = {
    device: Number(values.device),
    fp16: values.fp16,
    batch: { minimum: 1, optimum: 1, maximum: 4 },
    timingCachePath: join(folder, "timing.cache"),
    outputPath: join(folder, "engine.plan"),
  };
  const stop = new AbortController();
  const start = performance.now();
  const stopped = await buildTensorRtEngine(onnx, { ...options, signal: stop.signal, onProgress: () => stop.abort() }).catch(
    () => "stopped",
  );
  expectThat(stopped === "stopped", `a build stops at its first step, after ${(performance.now() - start).toFixed(0)} ms`);
  for (const expected of ["new", "used"]) {
    let [last, events, falls] = [0, 0, 0];
    const onProgress = ({ fraction }: { readonly fraction: number }): void => {
      events += 1;
      if (fraction < last) falls += 1;
      last = fraction;
    };
    let least = NaN;
    const onEstimate = ({ leastEngineBytes, seconds: range }: TensorRtBuildEstimate): void => {
      least = leastEngineBytes;
      say(`estimate: at least ${leastEngineBytes} bytes, seconds ${JSON.stringify(range)}`);
    };
    const { report } = await buildTensorRtEngine(onnx, { ...options, onEstimate, onProgress });
    const { seconds, engineBytes, tensorRtVersion, device, timingCache, warnings } = report;
    say(
      `built in ${seconds.toFixed(1)} s: ${engineBytes} bytes, TensorRT ${tensorRtVersion}, ${device.name} (${device.computeCapability})`,
    );
    if (warnings !== "") say(`TensorRT: ${warnings}`);
    expectThat(events > 0 && falls === 0 && last === 1, `${events} reports of progress, the last ${last}`);
    expectThat(least <= engineBytes, `the engine is not smaller than the estimate's ${least} bytes`);
    expectThat(timingCache?.state === expected && timingCache.saved, `the timing cache is ${JSON.stringify(timingCache)}`);
  }
  expectThat(statSync(options.outputPath).size > 0, `the engine is ${options.outputPath}`);
  const { problem } = await inspectEngine(options.outputPath, { device: options.device });
  expectThat(problem === null, `the engine loads: ${problem?.message ?? "yes"}`);
  return options.outputPath;
}

async function main(): Promise<number> {
  const addon = loadAddon();
  if (addon === null) throw new Error("The addon is not available.");
  const device = Number(values.device);
  const { cudaLibraryPath, tensorRtLibraryPath } = configuration().device;
  const probe = await addon.probeNvidia({ cudaLibraryPath, tensorRtLibraryPath });
  const gpu = probe.devices[device];
  if (gpu === undefined) {
    const why = probe.driver.reason ?? `${probe.devices.length} devices, and number ${device} was asked for`;
    process.stderr.write(`There is no GPU to check here: ${why.replaceAll(/\s+/g, " ")}\n`);
    return 2;
  }
  const version = ({ version, path, reason }: typeof probe.driver): string => version ?? path ?? `none (${reason ?? "not looked for"})`;
  report.note(`Date: ${new Date().toISOString().slice(0, 10)}`);
  report.note(`GPU: ${gpu.name}, compute capability ${gpu.computeCapability}, ${(gpu.memoryBytes / 2 ** 30).toFixed(1)} GiB`);
  report.note(`CUDA of the driver: ${version(probe.driver)}; driver: ${version(probe.nvml)}`);
  for (const library of probe.tensorRt) report.note(`TensorRT, ${library.kind}: ${version(library)}`);
  report.note(`inference-models ${packageVersion}, kernels as ${addon.buildInfo().kernels}; Node ${process.versions.node}`);
  report.note(`Processor: ${cpus()[0]?.model ?? "unknown"}, ${cpus().length} threads`);
  expectThat(
    probe.tensorRt.some(({ path }) => path !== null),
    "TensorRT is installed",
  );
  await checkPreprocessing(addon, device, expectThat, say);
  if (!values["only-kernels"]) {
    await checkDetections(addon, { device, rounds: Number(values.rounds) }, expectThat, say);
    await checkMasksAndMaps(addon, { device, rounds: Number(values.rounds) }, expectThat, say);
    await measureKernels(
      addon,
      { device, rounds: Number(values.rounds), together: Number(values.together), fillBytes: Number(values["fill-mib"]) * 2 ** 20 },
      report,
    );
    const engine = values.build && values.onnx !== undefined ? await checkBuilding(values.onnx) : values.engine;
    if (engine !== undefined) {
      await checkEngine(engine);
      await checkEngineOnPictures(addon, engine, device, expectThat, say);
      await measureEngine(engine, { device, runs: Number(values.runs), inputsOf }, report);
    }
  }
  if (values.report !== undefined) report.write(values.report, `${gpu.name}, ${new Date().toISOString().slice(0, 10)}`);
  return report.failed ? 1 : 0;
}

process.exitCode = await main();
