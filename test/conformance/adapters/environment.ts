/** What the machine is: texts of files and commands to versions and names. */
import { checkL4tOfJetsonGpu } from "../../../src/environment/contradictions.js";
import {
  jetsonTypeFromDeviceTree,
  jetsonTypeFromHardwareListing,
  l4tVersionFromRelease,
  resolveJetsonType,
} from "../../../src/environment/parsers/jetson.js";
import { withoutLocalVersion } from "../../../src/environment/parsers/library-version.js";
import {
  cudaVersionFromInteger,
  driverVersionFromFile,
  normalizeGpuName,
  usableCudaVersion,
} from "../../../src/environment/parsers/nvidia.js";
import { osVersionFromRelease } from "../../../src/environment/parsers/os-release.js";
import { cudaVersionFromPackageList, tensorRtVersionFromPackageList } from "../../../src/environment/parsers/package-list.js";
import type { AdapterTable } from "../adapter.js";

interface FileText {
  /** null when there is no such file. */
  readonly file: string | null;
}

interface CommandOutput {
  readonly stdout: string;
  readonly returncode?: number;
}

const readFile = (parse: (text: string) => string | null, { file }: FileText): string | null => (file === null ? null : parse(file));

const readOutput = (parse: (text: string) => string | null, { stdout, returncode = 0 }: CommandOutput): string | null =>
  returncode === 0 ? parse(stdout) : null;

export const adapters: AdapterTable = {
  "xray-check-jetson-l4t": {
    "": (input: { readonly gpu_devices: readonly string[]; readonly l4t_version: string | null }) => {
      checkL4tOfJetsonGpu(input.gpu_devices, input.l4t_version);
      return { ok: true };
    },
  },
  "xray-cuda-version-from-dpkg": { "": (input: CommandOutput) => ({ version: readOutput(cudaVersionFromPackageList, input) }) },
  "xray-cuda-version-from-integer": {
    "": (input: { readonly value: number; readonly status?: number }) => ({ version: cudaVersionFromInteger(input.value, input.status) }),
  },
  "xray-driver-version": {
    "": (input: FileText & { readonly l4t_version?: string }) => ({
      version: readFile(driverVersionFromFile, input) ?? input.l4t_version ?? null,
    }),
  },
  "xray-jetson-type": { "": (input: { readonly value: string }) => ({ jetson_type: resolveJetsonType(input.value) }) },
  "xray-jetson-type-from-device-tree": { "": (input: FileText) => ({ jetson_type: readFile(jetsonTypeFromDeviceTree, input) }) },
  "xray-jetson-type-from-lshw": { "": (input: CommandOutput) => ({ jetson_type: readOutput(jetsonTypeFromHardwareListing, input) }) },
  "xray-l4t-version-from-release-file": { "": (input: FileText) => ({ version: readFile(l4tVersionFromRelease, input) }) },
  "xray-normalize-gpu-devices": {
    "": (input: { readonly devices: readonly { readonly name: string; readonly capability: readonly number[] }[] }) => ({
      gpu_devices: input.devices.map(({ name }) => normalizeGpuName(name)),
      gpu_devices_cc: input.devices.map(({ capability }) => capability.join(".")),
    }),
  },
  "xray-os-version-from-os-release": { "": (input: FileText) => ({ os_version: readFile(osVersionFromRelease, input) }) },
  "xray-strip-local-version": { "": (input: { readonly value: string }) => ({ version: withoutLocalVersion(input.value) }) },
  "xray-trt-version-from-dpkg": { "": (input: CommandOutput) => ({ version: readOutput(tensorRtVersionFromPackageList, input) }) },
  "xray-usable-cuda-version": {
    "": (input: { readonly runtime_version: string | null; readonly driver_supported_version: string | null }) => ({
      version: usableCudaVersion(input.runtime_version, input.driver_supported_version),
    }),
  },
};
