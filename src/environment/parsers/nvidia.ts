import { normalizeVersion, parseVersion } from "../../versions.js";

/** Version of the kernel driver out of `/proc/driver/nvidia/version`, whose first line holds it among other words; null without one. */
export function driverVersionFromFile(text: string): string | null {
  const [headline = ""] = text.split("\n", 1);
  const found = /\b\d+(?:\.\d+){1,2}\b/.exec(headline);
  return found === null ? null : normalizeVersion(found[0]);
}

/** `NVIDIA L4` is `nvidia-l4` where packages name the GPU they were compiled for. */
export function normalizeGpuName(name: string): string {
  return name.replaceAll(" ", "-").toLowerCase();
}

/** 12041, as the interfaces of CUDA write versions, is `12.4.1`. null when the call that gave it failed (status other than 0). */
export function cudaVersionFromInteger(value: number, status = 0): string | null {
  if (status !== 0) return null;
  return [Math.floor(value / 1000), Math.floor((value % 1000) / 10), value % 10].join(".");
}

/**
 * The CUDA version that counts: the runtime's, unless the driver supports only an older one (by major and minor; patch releases of
 * one minor version work together); the known one where only one is known.
 */
export function usableCudaVersion(runtime: string | null, driverSupported: string | null): string | null {
  if (runtime === null || driverSupported === null) return runtime ?? driverSupported;
  return exceedsDriver(runtime, driverSupported) ? driverSupported : runtime;
}

/** Whether a CUDA runtime is too new for the driver, by major and minor. Texts that are no versions exceed nothing. */
export function exceedsDriver(runtime: string, driverSupported: string): boolean {
  const [ours, theirs] = [parseVersion(runtime), parseVersion(driverSupported)];
  if (ours === null || theirs === null) return false;
  const [major, minor] = [0, 1].map((index) => (ours.release[index] ?? 0) - (theirs.release[index] ?? 0)) as [number, number];
  return major === 0 ? minor > 0 : major > 0;
}
