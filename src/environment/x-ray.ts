/** The machine as negotiation judges it: drawn from a report, kept for the process. */
import { normalizeVersion } from "../versions.js";
import { checkL4tOfJetsonGpu } from "./contradictions.js";
import { versionOf } from "./finding.js";
import { openMachine } from "./machine.js";
import { withoutLocalVersion } from "./parsers/library-version.js";
import { normalizeGpuName } from "./parsers/nvidia.js";
import { describeRuntime } from "./report.js";
import type { Finding, RuntimeReport, RuntimeXRay } from "./types.js";

/** In normal form; null when it is no version, since nothing could be compared with it. */
function comparable(finding: Finding): string | null {
  const version = versionOf(finding);
  return version === null ? null : normalizeVersion(version);
}

/** Pure, so that a saved report of another machine can be judged here. @throws RuntimeIntrospectionError when it contradicts itself */
export function toRuntimeXRay({ osVersion, addon, nvidia, jetson, onnxRuntime }: Omit<RuntimeReport, "notes">): RuntimeXRay {
  const gpus = nvidia.gpus.flatMap(({ name, computeCapability }) =>
    computeCapability === null ? [] : [{ name: normalizeGpuName(name), computeCapability }],
  );
  const l4tVersion = jetson.detected ? comparable(jetson.l4t) : null;
  const gpuDevices = gpus.map(({ name }) => name);
  checkL4tOfJetsonGpu(gpuDevices, l4tVersion);
  const { full } = nvidia.tensorRt;
  return {
    gpuAvailable: gpus.length > 0,
    gpuDevices,
    gpuDevicesCc: gpus.map(({ computeCapability }) => computeCapability),
    // Jetsons whose kernel driver tells no version are judged by L4T, which brings the driver.
    driverVersion: comparable(nvidia.driver) ?? l4tVersion,
    cudaVersion: nvidia.cudaVersion === null ? null : normalizeVersion(nvidia.cudaVersion),
    trtVersion: comparable(full),
    jetsonType: jetson.detected ? jetson.type : null,
    l4tVersion,
    osVersion: jetson.detected ? null : osVersion,
    onnxruntimeVersion: withoutLocalVersion(versionOf(onnxRuntime.library) ?? ""),
    availableOnnxExecutionProviders: onnxRuntime.library.found
      ? onnxRuntime.executionProviders.filter(({ available }) => available).map(({ name }) => name)
      : null,
    trtBindingAvailable: addon.found && nvidia.source === "addon" && full.found && full.problem === null,
    torchAvailable: false,
    torchVersion: null,
    torchvisionVersion: null,
    hfTransformersAvailable: false,
  };
}

let kept: Promise<RuntimeXRay> | null = null;

/**
 * What this machine can run; looked at once per process.
 * @throws RuntimeIntrospectionError for the GPU of a Jetson without a known version of L4T
 * @throws JetsonTypeResolutionError, InvalidEnvVariable when a setting about the device makes no sense
 */
export async function xRayRuntimeEnvironment(): Promise<RuntimeXRay> {
  kept ??= describeRuntime(openMachine()).then(toRuntimeXRay);
  try {
    return await kept;
  } catch (error) {
    // Settings may be corrected while the process runs.
    kept = null;
    throw error;
  }
}

/** For tests: the next x-ray looks again. */
export function forgetRuntimeXRay(): void {
  kept = null;
}
