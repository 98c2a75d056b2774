/** GPUs, driver, CUDA and TensorRT: as the addon finds them, or by file names where there is no addon to open the libraries. */
import { configuration } from "../configuration.js";
import type { NativeAddon, NvidiaLibrary, NvidiaProbe } from "../native/index.js";
import { parseVersion } from "../versions.js";
import { versionOf } from "./finding.js";
import type { Machine } from "./machine.js";
import { probeNvidiaFiles } from "./nvidia-files.js";
import { driverVersionFromFile, usableCudaVersion } from "./parsers/nvidia.js";
import { cudaVersionFromPackageList, tensorRtVersionFromPackageList } from "./parsers/package-list.js";
import type { Finding, NvidiaReport } from "./types.js";

const DRIVER_FILE = "/proc/driver/nvidia/version";
const PACKAGE_LIST = "/usr/bin/dpkg-query";
const PACKAGE_LIST_FORMAT = "${db:Status-Abbrev} ${Package} ${Version} ${Architecture}\\n";

/** What was found, before versions are put together. */
export type NvidiaFindings = Omit<NvidiaReport, "cudaVersion">;

export async function findNvidia(machine: Machine, addon: NativeAddon | null): Promise<NvidiaFindings> {
  const [found, driverFile] = await Promise.all([lookFor(machine, addon), machine.readText(DRIVER_FILE)]);
  return { ...found, driver: withDriverFile(found.driver, driverFile) };
}

/** @param onJetson whether the package list may be asked for versions that neither libraries nor file names tell */
export async function completeNvidia(machine: Machine, found: NvidiaFindings, onJetson: boolean): Promise<NvidiaReport> {
  const [cudaRuntime, full] = onJetson
    ? await Promise.all([
        withPackageVersion(machine, found.cudaRuntime, "*cuda-cudart*", cudaVersionFromPackageList),
        withPackageVersion(machine, found.tensorRt.full, "libnvinfer-bin", tensorRtVersionFromPackageList),
      ])
    : [found.cudaRuntime, found.tensorRt.full];
  const cudaVersion = usableCudaVersion(versionOf(cudaRuntime), versionOf(found.cudaDriver));
  return { ...found, cudaRuntime, cudaVersion, tensorRt: { ...found.tensorRt, full } };
}

async function lookFor(machine: Machine, addon: NativeAddon | null): Promise<NvidiaFindings> {
  const { cudaLibraryPath, tensorRtLibraryPath } = configuration().device;
  const folders = { cudaLibraryPath, tensorRtLibraryPath };
  if (addon === null) return { ...(await probeNvidiaFiles(machine, folders)), problem: null };
  try {
    return fromProbe(await addon.probeNvidia(folders));
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    return { ...(await probeNvidiaFiles(machine, folders)), problem };
  }
}

function fromProbe({ driver, nvml, cudaRuntime, devices, tensorRt, onnxParser }: NvidiaProbe): NvidiaFindings {
  const kind = (wanted: NvidiaProbe["tensorRt"][number]["kind"]): Finding => {
    const library = tensorRt.find((one) => one.kind === wanted);
    return library === undefined ? { found: false, reason: "no such library was found" } : toFinding(library);
  };
  return {
    source: "addon",
    problem: null,
    driver: toFinding(nvml),
    cudaDriver: toFinding(driver),
    cudaRuntime: toFinding(cudaRuntime),
    gpus: devices,
    tensorRt: { full: kind("full"), lean: kind("lean"), dispatch: kind("dispatch") },
    onnxParser: toFinding(onnxParser),
  };
}

function toFinding({ path, version, reason }: NvidiaLibrary): Finding {
  return path === null ? { found: false, reason: reason ?? "it was not found" } : { found: true, path, version, problem: reason };
}

/** The driver's own library may be missing, as on a Jetson or in a container; the kernel still tells the version. */
function withDriverFile(driver: Finding, text: string | null): Finding {
  const version = text === null ? null : driverVersionFromFile(text);
  if (text === null || (driver.found && driver.version !== null)) return driver;
  return { found: true, path: driver.found ? driver.path : DRIVER_FILE, version, problem: driver.found ? driver.problem : null };
}

/** The version of a Debian package where the library does not tell its own. */
async function withPackageVersion(
  machine: Machine,
  library: Finding,
  packageName: string,
  parse: (listing: string) => string | null,
): Promise<Finding> {
  if (versionOf(library) !== null) return library;
  const listing = await machine.run(PACKAGE_LIST, ["--show", `--showformat=${PACKAGE_LIST_FORMAT}`, packageName]);
  const installed = (listing ?? "").split("\n").filter((line) => /^[a-z]i /.test(line));
  const version = installed.length === 0 ? null : parse(installed.join("\n"));
  if (version === null) return library;
  // What Debian adds for its own revisions is no part of the library's version.
  const release = parseVersion(version)?.release.join(".") ?? null;
  return { found: true, path: library.found ? library.path : null, version: release, problem: library.found ? library.problem : null };
}
