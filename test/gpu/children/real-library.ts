/** What the addon makes of real libraries of TensorRT in a folder, for scripts/check-tensorrt.mjs: JSON. */
import { join } from "node:path";

import { TensorRtEngine, type TensorRtEngineOptions } from "../../../src/engines/index.js";
import { configuration } from "../../../src/configuration.js";
import { loadAddon } from "../../../src/native/index.js";
import { fakePlan, nvidiaFakes } from "../../support/nvidia-fakes.js";

const [folder = ""] = process.argv.slice(2);
const addon = loadAddon();
if (addon === null) throw new Error("The addon is not available.");
const { cudaLibraryPath } = configuration().device;
const probe = await addon.probeNvidia({ cudaLibraryPath, tensorRtLibraryPath: folder });
const found = probe.tensorRt.filter(({ path }) => path?.startsWith(folder) === true);
const parser = probe.onnxParser.path?.startsWith(folder) === true ? probe.onnxParser.version : null;
const [major = 10] = (found[0]?.version ?? "").split(".").map(Number);
const dispatchOnly = found.every(({ kind }) => kind === "dispatch");

async function refusal(what: string, minor: number, options: TensorRtEngineOptions): Promise<object> {
  const plan = fakePlan([major, minor, 0, 1], ["in x 0 1 3", "out y 0 1 3"]);
  const outcome = await TensorRtEngine.load(plan, options).catch((error: unknown) => error);
  return outcome instanceof Error
    ? { what, error: outcome.name, message: outcome.message.slice(0, 160) }
    : { what, error: null, message: "" };
}

const refusals: object[] = [];
// Only what needs no driver can be seen where there is one: the engines below are none.
if (probe.devices.length === 0) refusals.push(await refusal("without a driver", 0, { engineHostCodeAllowed: true }));
const fakes = nvidiaFakes();
if (fakes !== null) {
  process.env["INFERENCE_MODELS_CUDA_LIBRARY_PATH"] = join(fakes, "cuda");
  refusals.push(await refusal("an engine of a newer release, on a stand-in driver", 99, { engineHostCodeAllowed: true }));
  const why = dispatchOnly ? "an engine whose own code is not allowed" : "an engine of an older release whose own code is not allowed";
  refusals.push(await refusal(`${why}, on a stand-in driver`, 0, {}));
}
const driver = probe.devices.length === 0 ? "there is no driver" : `on ${probe.devices[0]?.name}`;
process.stdout.write(JSON.stringify({ found, parser, driver, refusals }));
