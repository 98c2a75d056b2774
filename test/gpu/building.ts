/** An engine built on a real device: stopped once, then whole, then again with what the first build has measured. */
import { mkdtempSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { buildTensorRtEngine, inspectEngine, type TensorRtBuildEstimate } from "../../src/compilation/index.js";
import type { Report } from "./report.js";

/** @returns the path of the engine */
export async function checkBuilding(
  onnx: string,
  { device, fp16 }: { readonly device: number; readonly fp16: boolean },
  { say, expectThat }: Report,
): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "inference-models-gpu-"));
  const options = {
    device,
    fp16,
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
