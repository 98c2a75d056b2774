/** Operating system, C library and processor. */
import { cpus, release, totalmem } from "node:os";

import type { Machine } from "./machine.js";
import { osVersionFromRelease } from "./parsers/os-release.js";
import type { EnvironmentReport } from "./types.js";

const RELEASE_FILES = ["/etc/os-release", "/usr/lib/os-release"];

export async function describeOsVersion(machine: Machine): Promise<string> {
  for (const path of machine.platform === "linux" ? RELEASE_FILES : []) {
    const text = await machine.readText(path);
    const version = text === null ? null : osVersionFromRelease(text);
    if (version !== null) return version;
  }
  return `${machine.platform}-${release()}-${machine.architecture}`.toLowerCase();
}

export async function describeSystem(machine: Machine): Promise<EnvironmentReport["system"]> {
  const { platform, architecture } = machine;
  return { platform, architecture, release: release(), libc: await describeLibc(machine), memoryBytes: totalmem() };
}

/**
 * From what is mapped into this process. Node's diagnostic report tells it too, but takes the event loop for 7 ms, and longer where
 * connections are open.
 */
async function describeLibc(machine: Machine): Promise<EnvironmentReport["system"]["libc"]> {
  const maps = machine.platform === "linux" ? await machine.readText("/proc/self/maps", MAXIMUM_MAPS_BYTES) : null;
  if (maps === null) return null;
  const glibc = /\s(\/\S*\/libc(?:\.so\.6|-[\d.]+\.so))$/m.exec(maps)?.[1];
  if (glibc !== undefined) return { name: "glibc", version: await readGlibcVersion(machine, glibc) };
  return /\/(?:ld-musl-|libc\.musl-)/.test(maps) ? { name: "musl", version: null } : null;
}

const MAXIMUM_MAPS_BYTES = 1024 * 1024;
const MAXIMUM_LIBRARY_BYTES = 8 * 1024 * 1024;
const BANNER = "GNU C Library";
const BANNER_BYTES = 200;

/** The library can print what it is, so the sentence stands in its file: `GNU C Library (...) stable release version 2.36.` */
async function readGlibcVersion(machine: Machine, path: string): Promise<string | null> {
  const bytes = await machine.readBytes(path, MAXIMUM_LIBRARY_BYTES);
  const start = bytes?.indexOf(BANNER) ?? -1;
  if (bytes === null || start < 0) return null;
  return /release version (\d+(?:\.\d+)+)/.exec(bytes.toString("latin1", start, start + BANNER_BYTES))?.[1] ?? null;
}

const FEATURES = ["sse4_2", "avx", "avx2", "fma", "f16c", "avx512f", "avx512_vnni", "amx_int8", "asimd", "asimddp", "bf16"];

export async function describeCpu(machine: Machine): Promise<EnvironmentReport["cpu"]> {
  const cores = cpus();
  // null elsewhere than on Linux: nothing portable tells.
  const text = await machine.readText("/proc/cpuinfo");
  const flags = new Set(/^(?:flags|Features)\s*:\s*(.*)$/m.exec(text ?? "")?.[1]?.split(" ") ?? []);
  return {
    model: cores[0]?.model.trim() ?? "unknown",
    logicalCores: cores.length,
    features: FEATURES.filter((feature) => flags.has(feature)),
  };
}
