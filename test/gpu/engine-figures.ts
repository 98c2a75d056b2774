/** What this package adds to an engine's own time. */
import { configuration } from "../../src/configuration.js";
import { TensorRtEngine, type TensorRtInputs } from "../../src/engines/index.js";
import type { NativeAddon } from "../../src/native/index.js";
import { frameFor } from "./end-to-end.js";
import { inputsOf } from "./inputs.js";
import { median } from "./kernels.js";
import type { Report } from "./report.js";
import { Times } from "./times.js";

export interface EngineSettings {
  readonly device: number;
  readonly runs: number;
  readonly rounds: number;
  /** `NAME=1x3x640x640` */
  readonly shapes: readonly string[];
}

const IN_FLIGHT = 3;
/** Networks in one launch, so that the launch does not count. */
const TOGETHER = 5;

/** Milliseconds of the network alone, by the device's clock, on inputs that are on the device. */
async function ownTime(
  addon: NativeAddon,
  path: string,
  engine: TensorRtEngine,
  inputs: ReturnType<typeof inputsOf>,
  { device, rounds }: EngineSettings,
): Promise<number> {
  const { cudaLibraryPath, tensorRtLibraryPath } = configuration().device;
  const options = { cudaLibraryPath, tensorRtLibraryPath, device, profile: engine.profile, engineHostCodeAllowed: false };
  const tensors = engine.inputs.map(({ name }) => inputs[name]!).map(({ dims, data }) => ({ dims, data: data as Float32Array }));
  return median(await addon.measureTensorRtEngine(path, { ...options, rounds, together: TOGETHER }, tensors)) / 1000;
}

/** Milliseconds for each of so many runs, `inFlight` of which have been asked for at any time. */
async function perRun(run: () => Promise<unknown>, runs: number, inFlight: number): Promise<number> {
  const all = async (count: number): Promise<void> => {
    let left = count;
    await Promise.all(
      Array.from({ length: inFlight }, async () => {
        while (left-- > 0) await run();
      }),
    );
  };
  await all(Math.max(10, runs >> 3));
  const start = performance.now();
  await all(runs);
  return (performance.now() - start) / runs;
}

function admits(engine: TensorRtEngine, batch: number): boolean {
  return Object.values(engine.profiles[engine.profile] ?? {}).every(
    ({ minimum: [least = 0], maximum: [most = 0] }) => least <= batch && batch <= most,
  );
}

/** What is run, by the name of what goes in: tensors that need no copy on the host, and pictures that the device prepares. */
function workOf(engine: TensorRtEngine, inputs: TensorRtInputs, batch: number): readonly (readonly [string, () => Promise<unknown>])[] {
  const frame = frameFor(engine, batch);
  return [
    ["tensors", () => engine.run(inputs)],
    ...(frame === null ? [] : [["pictures of 1920x1080", () => engine.runPictures!(frame)] as const]),
  ];
}

export async function measureEngine(addon: NativeAddon, path: string, settings: EngineSettings, report: Report): Promise<void> {
  const { device, runs, shapes } = settings;
  await using engine = await TensorRtEngine.load(path, { device, contexts: IN_FLIGHT, preparesPictures: true });
  for (const batch of [1, 8]) {
    if (!admits(engine, batch)) {
      report.note(`The engine does not take batches of ${batch}.`);
      continue;
    }
    const inputs = inputsOf(engine, shapes, batch);
    const own = await ownTime(addon, path, engine, inputs, settings);
    report.figure(`the network alone at batch ${batch}, GPU time`, `${own.toFixed(3)} ms`);
    for (const [what, run] of workOf(engine, inputs, batch)) {
      if (batch === 1) {
        const times = await Times.of(runs, run);
        const value = `${(times.median - own).toFixed(3)} ms: one at a time ${times.toString()}`;
        report.figure(`around the network at batch 1, ${what}`, value, what === "tensors" ? "at most 0.25 ms" : null);
      } else {
        const each = await perRun(run, runs, IN_FLIGHT);
        const value = `${((100 * own) / each).toFixed(1)} %: ${(8000 / each).toFixed(0)} of ${(8000 / own).toFixed(0)} pictures/s`;
        const target = what === "tensors" ? "at least 95 %" : null;
        report.figure(`throughput at batch 8 with ${IN_FLIGHT} in flight, of the network alone, ${what}`, value, target);
      }
    }
  }
}
