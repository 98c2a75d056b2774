import { RuntimeIntrospectionError } from "../errors.js";
import { versionOf } from "./finding.js";
import { normalizeGpuName } from "./parsers/nvidia.js";
import type { RuntimeReport } from "./types.js";

/** As the driver calls the GPU of Jetsons, and of nothing else. */
const JETSON_GPU = "orin";

const MESSAGE =
  "The GPU is that of a Jetson Orin, but the version of L4T is not known, and packages for Jetsons are chosen by it. " +
  "Set RUNNING_ON_JETSON=true and L4T_VERSION, for example to 36.4.3.";

/** What does not fit together in a report; null when all does. */
export function contradictionIn({ nvidia, jetson }: Pick<RuntimeReport, "nvidia" | "jetson">): string | null {
  const l4t = jetson.detected ? versionOf(jetson.l4t) : null;
  return l4t === null && nvidia.gpus.some(({ name }) => normalizeGpuName(name) === JETSON_GPU) ? MESSAGE : null;
}

/** @param gpuDevices normalized names. @throws RuntimeIntrospectionError for the GPU of a Jetson without a version of L4T */
export function checkL4tOfJetsonGpu(gpuDevices: readonly string[], l4tVersion: string | null): void {
  if (l4tVersion === null && gpuDevices.includes(JETSON_GPU)) throw new RuntimeIntrospectionError(MESSAGE);
}
