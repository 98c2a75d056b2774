/** What this machine offers: plain data, for bug reports and for people who wonder why something is slow. */
import { existsSync, readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { arch, cpus, platform, release, totalmem } from "node:os";

import { addonReport, loadAddon } from "../native/index.js";
import { packageVersion } from "../package-root.js";

/** Something that was looked for. */
export type Finding =
  | { readonly found: true; readonly path: string | null; readonly version: string | null }
  | { readonly found: false; readonly reason: string };

export interface EnvironmentReport {
  readonly packageVersion: string;
  readonly node: { readonly version: string; readonly nodeApi: string };
  readonly system: {
    readonly platform: string;
    readonly architecture: string;
    readonly release: string;
    /** glibc's version; null on other C libraries. */
    readonly glibc: string | null;
    readonly memoryBytes: number;
  };
  readonly cpu: {
    readonly model: string;
    /** As the operating system counts them. */
    readonly logicalCores: number;
    /** Instruction sets that matter to this package. */
    readonly features: readonly string[];
  };
  readonly addon: Finding & {
    readonly simd: string | null;
    readonly compiler: string | null;
    readonly attempts: readonly { readonly path: string; readonly reason: string }[];
  };
  readonly onnxRuntime: Finding;
  readonly sharp: Finding;
  readonly nvidiaDriver: Finding;
}

const FEATURES = ["sse4_2", "avx", "avx2", "fma", "f16c", "avx512f", "avx512_vnni", "amx_int8", "asimd", "asimddp", "bf16"];

function glibcVersion(): string | null {
  const report = process.report.getReport() as unknown as { readonly header?: { readonly glibcVersionRuntime?: string } };
  return report.header?.glibcVersionRuntime ?? null;
}

async function cpuFeatures(): Promise<readonly string[]> {
  try {
    const text = await readFile("/proc/cpuinfo", "utf8");
    const flags = new Set(/^(?:flags|Features)\s*:\s*(.*)$/m.exec(text)?.[1]?.split(" ") ?? []);
    return FEATURES.filter((feature) => flags.has(feature));
  } catch {
    // Not Linux: nothing portable tells.
    return [];
  }
}

/** Packages need not export their manifest; then it is looked for above their entry. */
function manifestPath(name: string): string {
  const require = createRequire(import.meta.url);
  try {
    return require.resolve(`${name}/package.json`);
  } catch {
    let directory = dirname(require.resolve(name));
    while (!existsSync(join(directory, "package.json"))) directory = dirname(directory);
    return join(directory, "package.json");
  }
}

function findPackage(name: string): Finding {
  try {
    const path = manifestPath(name);
    const { version } = JSON.parse(readFileSync(path, "utf8")) as { readonly version?: string };
    return { found: true, path, version: version ?? null };
  } catch (error) {
    return { found: false, reason: error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error) };
  }
}

const DRIVER_FILE = "/proc/driver/nvidia/version";
const DRIVER_LIBRARIES = [
  "/usr/lib/x86_64-linux-gnu/libcuda.so.1",
  "/usr/lib/aarch64-linux-gnu/libcuda.so.1",
  "/usr/lib64/libcuda.so.1",
  "/usr/lib/wsl/lib/libcuda.so.1",
];

function findDriver(): Finding {
  const library = DRIVER_LIBRARIES.find((path) => existsSync(path)) ?? null;
  if (existsSync(DRIVER_FILE)) {
    const version = /Kernel Module\s+(?:for \S+\s+)?([\d.]+)/.exec(readFileSync(DRIVER_FILE, "utf8"))?.[1] ?? null;
    return { found: true, path: library ?? DRIVER_FILE, version };
  }
  if (library !== null) return { found: true, path: library, version: null };
  return { found: false, reason: `neither ${DRIVER_FILE} nor libcuda.so.1 in the usual places` };
}

function describeAddon(): EnvironmentReport["addon"] {
  const addon = loadAddon();
  const { path, attempts } = addonReport();
  if (addon === null)
    return {
      found: false,
      reason: attempts.map((attempt) => attempt.reason).join("; ") || "no binary for this platform",
      simd: null,
      compiler: null,
      attempts,
    };
  const { version, simd, compiler } = addon.buildInfo();
  return { found: true, path, version, simd, compiler, attempts };
}

/** Looks at the machine; takes some milliseconds and never fails. */
export async function describeEnvironment(): Promise<EnvironmentReport> {
  const cores = cpus();
  return {
    packageVersion,
    node: { version: process.version, nodeApi: process.versions["napi"] ?? "" },
    system: { platform: platform(), architecture: arch(), release: release(), glibc: glibcVersion(), memoryBytes: totalmem() },
    cpu: { model: cores[0]?.model.trim() ?? "unknown", logicalCores: cores.length, features: await cpuFeatures() },
    addon: describeAddon(),
    onnxRuntime: findPackage("onnxruntime-node"),
    sharp: findPackage("sharp"),
    nvidiaDriver: findDriver(),
  };
}
