/** An engine on a real device: what it answers, and that nothing of it stays. */
import { createInferenceSession, TensorRtEngine, type InferenceSession, type Tensor } from "../../src/engines/index.js";
import { MissingDependencyError } from "../../src/errors.js";
import { inputsOf } from "./inputs.js";
import type { Report } from "./report.js";

export interface EngineCheck {
  readonly device: number;
  readonly runs: number;
  /** `NAME=1x3x640x640` */
  readonly shapes: readonly string[];
  /** Of answers, as a part of the greatest value. */
  readonly tolerance: number;
  /** The model that the engine was built from. */
  readonly onnx: string | undefined;
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

const WARM_UP = 50;

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
async function openOnCpu(model: string, report: Report): Promise<InferenceSession | null> {
  try {
    return await createInferenceSession(model, { executionProviders: ["cpu"], intraOpThreads: 0 });
  } catch (error) {
    if (!(error instanceof MissingDependencyError)) throw error;
    report.note(`Answers were not compared with ONNX Runtime's: ${error.message}`);
    return null;
  }
}

/** Loads it, with and without graphs, runs and times it, compares all answers, and closes it. */
export async function checkEngine(path: string, settings: EngineCheck, report: Report): Promise<void> {
  const { say, expectThat } = report;
  const { device, runs, shapes, tolerance, onnx } = settings;
  const answers: (readonly [string, Readonly<Record<string, Tensor>>])[] = [];
  for (const cudaGraphs of [false, true]) {
    const start = performance.now();
    const engine = await TensorRtEngine.load(path, { device, cudaGraphs, queueLimit: runs });
    say(
      `loaded in ${(performance.now() - start).toFixed(0)} ms: TensorRT ${engine.engineVersion} on ${engine.device.name}, built by ${engine.builtByVersion}`,
    );
    const inputs = inputsOf(engine, shapes);
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
    if (cudaGraphs && onnx !== undefined) {
      const session = await openOnCpu(onnx, report);
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
      expectThat(difference <= tolerance * Math.max(1, magnitude), `${what}: ${name} differs by ${difference} of ${magnitude}`);
    }
  }
}
