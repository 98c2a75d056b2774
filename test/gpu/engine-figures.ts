/** What this package adds to an engine's own time. */
import { TensorRtEngine, type Tensor } from "../../src/engines/index.js";
import type { Report } from "./report.js";

export interface EngineSettings {
  readonly device: number;
  readonly runs: number;
  readonly inputsOf: (engine: TensorRtEngine, batch: number) => Readonly<Record<string, Tensor>>;
}

/** More than a device needs to be busy all the time. */
const SATURATING = 8;

/** Milliseconds for each of so many runs, `inFlight` of which have been asked for at any time. */
async function perRun(engine: TensorRtEngine, inputs: Readonly<Record<string, Tensor>>, runs: number, inFlight: number): Promise<number> {
  let left = runs;
  const start = performance.now();
  await Promise.all(
    Array.from({ length: inFlight }, async () => {
      while (left-- > 0) await engine.run(inputs);
    }),
  );
  return (performance.now() - start) / runs;
}

async function measured(path: string, batch: number, inFlight: number, { device, runs, inputsOf }: EngineSettings): Promise<number> {
  await using engine = await TensorRtEngine.load(path, { device, contexts: Math.min(inFlight, SATURATING) });
  const inputs = inputsOf(engine, batch);
  await perRun(engine, inputs, Math.max(10, runs >> 3), inFlight);
  return await perRun(engine, inputs, runs, inFlight);
}

async function admits(path: string, batch: number, device: number): Promise<boolean> {
  await using engine = await TensorRtEngine.load(path, { device });
  return Object.values(engine.profiles[engine.profile] ?? {}).every(
    ({ minimum: [least = 0], maximum: [most = 0] }) => least <= batch && batch <= most,
  );
}

/** The engine's own time is that of a run where 8 are in flight: the device is never without work then, copies included. */
export async function measureEngine(path: string, settings: EngineSettings, report: Report): Promise<void> {
  if (await admits(path, 1, settings.device)) {
    const [alone, own] = [await measured(path, 1, 1, settings), await measured(path, 1, SATURATING, settings)];
    const value = `${(alone - own).toFixed(3)} ms: ${alone.toFixed(3)} ms one at a time, ${own.toFixed(3)} ms with ${SATURATING} in flight`;
    report.figure("around the engine at batch 1", value, "at most 0.25 ms");
  } else report.note("The engine does not take batches of 1.");
  if (await admits(path, 8, settings.device)) {
    const [three, own] = [await measured(path, 8, 3, settings), await measured(path, 8, SATURATING, settings)];
    const value = `${((100 * own) / three).toFixed(1)} %: ${(8000 / three).toFixed(0)} of ${(8000 / own).toFixed(0)} pictures/s`;
    report.figure("throughput at batch 8 with 3 in flight, of the engine's own", value, "at least 95 %");
  } else report.note("The engine does not take batches of 8.");
}
