/** What this machine offers: plain data, for bug reports, for people who wonder why something is slow, and for negotiation. */
import { addonReport, loadAddon, type NativeAddon } from "../native/index.js";
import { packageVersion } from "../package-root.js";
import { describeJetson } from "./jetson.js";
import { openMachine, type Machine } from "./machine.js";
import { notesOf } from "./notes.js";
import { completeNvidia, findNvidia } from "./nvidia.js";
import { findOnnxRuntime, judgeProviders } from "./onnx-runtime.js";
import { findPackage } from "./packages.js";
import { describeCpu, describeOsVersion, describeSystem } from "./system.js";
import type { AddonReport, EnvironmentReport, RuntimeReport } from "./types.js";

function describeAddon(addon: NativeAddon | null): AddonReport {
  const { path, attempts } = addonReport();
  if (addon === null) {
    const reason = attempts.map((attempt) => attempt.reason).join("; ") || "no binary for this platform";
    return { found: false, reason, simd: null, compiler: null, attempts };
  }
  const { version, simd, compiler } = addon.buildInfo();
  return { found: true, path, version, problem: null, simd, compiler, attempts };
}

/**
 * The part of the report that decides what can run.
 * @throws JetsonTypeResolutionError, InvalidEnvVariable when a setting about the device makes no sense
 */
export async function describeRuntime(
  machine: Machine,
  addon: NativeAddon | null = loadAddon(),
): Promise<RuntimeReport & Pick<EnvironmentReport, "addon">> {
  const [osVersion, jetson, nvidiaFound, onnxRuntimeFound] = await Promise.all([
    describeOsVersion(machine),
    describeJetson(machine),
    findNvidia(machine, addon),
    // Last: it opens the library on this thread, while others read the files.
    findOnnxRuntime(machine, addon),
  ]);
  const nvidia = await completeNvidia(machine, nvidiaFound, jetson.detected);
  const onnxRuntime = judgeProviders(onnxRuntimeFound, nvidia.gpus.length > 0);
  const report = { osVersion, addon: describeAddon(addon), nvidia, jetson, onnxRuntime };
  return { ...report, notes: notesOf(report) };
}

/**
 * Looks at the machine, which takes some milliseconds, and longer where NVIDIA's libraries are there to be opened. What is missing is
 * part of the answer and no error. Plain data: `JSON.stringify` keeps all of it, and `parseRuntimeXRay` reads it back.
 *
 * @throws JetsonTypeResolutionError when `JETSON_MODULE` names no known module
 * @throws InvalidEnvVariable when another setting about the device is malformed
 */
export async function describeEnvironment(): Promise<EnvironmentReport> {
  const machine = openMachine();
  const [runtime, system, cpu] = await Promise.all([describeRuntime(machine), describeSystem(machine), describeCpu(machine)]);
  return {
    packageVersion,
    node: { version: process.version, nodeApi: process.versions["napi"] ?? "" },
    system,
    cpu,
    ...runtime,
    sharp: findPackage("sharp"),
  };
}
