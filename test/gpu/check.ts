/**
 * What only a machine with a GPU can show:
 *
 *   npm run -s gpu -- [--engine ENGINE] [--onnx MODEL [--build [--fp16]]] [--device N] [--shape NAME=1x3x640x640]... [--runs 500]
 *                     [--rounds 50] [--together 20] [--fill-mib 256] [--vectors FOLDER] [--report FILE] [--only-kernels]
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
import { existsSync } from "node:fs";
import { cpus } from "node:os";
import { parseArgs } from "node:util";

import { configuration } from "../../src/configuration.js";
import { MissingDependencyError } from "../../src/errors.js";
import { loadAddon, type NativeAddon } from "../../src/native/index.js";
import { packageVersion } from "../../src/package-root.js";
import { checkBuilding } from "./building.js";
import { tryDamagedEngines, tryToLoad } from "./damaged-engines.js";
import { checkDetections } from "./detections.js";
import { checkEngine } from "./engine.js";
import { measureEndToEnd } from "./end-to-end.js";
import { measureEngine } from "./engine-figures.js";
import { measureKernels } from "./kernels.js";
import { checkMasksAndMaps } from "./masks-and-maps.js";
import { checkEngineOnPictures, checkPreprocessing } from "./preprocessing.js";
import { Report } from "./report.js";
import { checkVectors, VECTORS } from "./vectors.js";

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
    vectors: { type: "string" },
    load: { type: "string" },
    report: { type: "string" },
    "only-kernels": { type: "boolean", default: false },
  },
});

const report = new Report();
const { say, expectThat } = report;
const device = Number(values.device);
const [runs, rounds] = [Number(values.runs), Number(values.rounds)];
let title = "GPU check";

const save = (): void => {
  if (values.report !== undefined) report.write(values.report, title);
};

/**
 * A part of the check, which does not take the others along when it fails: what is not installed is noted, anything else is a failed check.
 * The page is written behind each, since a crash of the driver would take this process along.
 */
async function attempt<T>(what: string, part: () => Promise<T>): Promise<T | undefined> {
  try {
    return await part();
  } catch (error) {
    const message = (error instanceof Error ? error.message : String(error)).replaceAll(/\s+/g, " ");
    if (error instanceof MissingDependencyError) report.note(`Not checked: ${what}. ${message}`);
    else expectThat(false, `${what}: ${error instanceof Error ? error.name : "error"}: ${message}`);
    return undefined;
  } finally {
    save();
  }
}

/** False, with a line about it, where there is no GPU. */
async function describeMachine(addon: NativeAddon): Promise<boolean> {
  const { cudaLibraryPath, tensorRtLibraryPath } = configuration().device;
  const probe = await addon.probeNvidia({ cudaLibraryPath, tensorRtLibraryPath });
  const gpu = probe.devices[device];
  if (gpu === undefined) {
    const why = probe.driver.reason ?? `${probe.devices.length} devices, and number ${device} was asked for`;
    process.stderr.write(`There is no GPU to check here: ${why.replaceAll(/\s+/g, " ")}\n`);
    return false;
  }
  title = `${gpu.name}, ${new Date().toISOString().slice(0, 10)}`;
  const version = ({ version, path, reason }: typeof probe.driver): string => version ?? path ?? `none (${reason ?? "not looked for"})`;
  report.note(`Date: ${new Date().toISOString().slice(0, 10)}`);
  report.note(`GPU: ${gpu.name}, compute capability ${gpu.computeCapability}, ${(gpu.memoryBytes / 2 ** 30).toFixed(1)} GiB`);
  report.note(`CUDA of the driver: ${version(probe.driver)}; driver: ${version(probe.nvml)}`);
  for (const library of probe.tensorRt) report.note(`TensorRT, ${library.kind}: ${version(library)}`);
  if (values.engine !== undefined || values.build)
    expectThat(
      probe.tensorRt.some(({ path }) => path !== null),
      "TensorRT is installed",
    );
  report.note(`inference-models ${packageVersion}, kernels as ${addon.buildInfo().kernels}; Node ${process.versions.node}`);
  report.note(`Processor: ${cpus()[0]?.model ?? "unknown"}, ${cpus().length} threads`);
  return true;
}

async function checkEngines(addon: NativeAddon): Promise<void> {
  const { onnx, build, fp16, shape: shapes } = values;
  const engine =
    build && onnx !== undefined ? await attempt("building an engine", () => checkBuilding(onnx, { device, fp16 }, report)) : values.engine;
  if (engine === undefined) return;
  await attempt("the engine", () => checkEngine(engine, { device, runs, shapes, tolerance: Number(values.tolerance), onnx }, report));
  await attempt("the engine on pictures", () => checkEngineOnPictures(addon, engine, device, expectThat, say));
  await attempt("figures of the engine", () => measureEngine(addon, engine, { device, runs, rounds, shapes }, report));
  await attempt("damaged engines", () => {
    tryDamagedEngines(engine, device, report);
    return Promise.resolve();
  });
  await attempt("pictures to detections", () => measureEndToEnd(engine, { device, runs }, report));
}

async function main(): Promise<number> {
  const addon = loadAddon();
  if (addon === null) throw new Error("The addon is not available.");
  if (!(await describeMachine(addon))) return 2;
  await attempt("preprocessing", () => checkPreprocessing(addon, device, expectThat, say));
  if (!values["only-kernels"]) {
    const measuring = { device, rounds, together: Number(values.together), fillBytes: Number(values["fill-mib"]) * 2 ** 20 };
    await attempt("figures of the kernels", () => measureKernels(addon, measuring, report));
    const vectors = values.vectors ?? VECTORS.find((folder) => existsSync(folder)) ?? "";
    await attempt("conformance vectors", () => checkVectors(addon, device, vectors, report));
    await attempt("heads and key points behind engines", () => checkDetections(addon, { device, rounds }, expectThat, say));
    await attempt("masks and maps behind engines", () => checkMasksAndMaps(addon, { device, rounds }, expectThat, say));
    await checkEngines(addon);
  }
  return report.failed ? 1 : 0;
}

if (values.load === undefined) process.exitCode = await main();
else await tryToLoad(values.load, device);
