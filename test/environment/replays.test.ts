/** Other machines, as files and as what the addon said there. */
import { afterEach, describe, expect, it, vi } from "vitest";

import { toRuntimeXRay } from "../../src/environment/index.js";
import { describeRuntime } from "../../src/environment/report.js";
import { InvalidEnvVariable, JetsonTypeResolutionError, RuntimeIntrospectionError } from "../../src/errors.js";
import { loadAddon, type NativeAddon, type NvidiaProbe } from "../../src/native/index.js";
import { L4_PROBE, missing, recordedMachine, UBUNTU } from "./recording.js";

afterEach(() => {
  vi.unstubAllEnvs();
});

/** The real addon with the eyes of another machine. */
const withProbe = (probeNvidia: NativeAddon["probeNvidia"]): NativeAddon =>
  Object.assign(Object.create(loadAddon()) as NativeAddon, { probeNvidia });
const seeing = (probe: NvidiaProbe): NativeAddon => withProbe(() => Promise.resolve(probe));

const ORIN_PROBE: NvidiaProbe = {
  ...L4_PROBE,
  driver: { path: "/usr/lib/aarch64-linux-gnu/tegra/libcuda.so.1", version: "12.6", reason: null },
  nvml: missing("libnvidia-ml.so.1: cannot open shared object file"),
  cudaRuntime: missing("libcudart.so.12: cannot open shared object file"),
  devices: [{ name: "Orin", computeCapability: "8.7", memoryBytes: 8 * 2 ** 30, multiprocessors: 8, uuid: "" }],
  tensorRt: [{ kind: "full", ...missing("libnvinfer.so.10: cannot open shared object file") }],
};

const ORIN_FILES = {
  "/etc/os-release": UBUNTU,
  "/etc/nv_tegra_release": "# R36 (release), REVISION: 4.3, GCID: 38968081, BOARD: generic, EABI: aarch64\n",
  "/proc/device-tree/model": "NVIDIA Jetson Orin NX Engineering Reference Developer Kit\0",
};

describe.skipIf(loadAddon() === null)("through the addon", () => {
  it("a server with a GPU", async () => {
    const machine = recordedMachine({ "/etc/os-release": UBUNTU });
    const report = await describeRuntime(machine, seeing(L4_PROBE));
    expect(toRuntimeXRay(report)).toMatchObject({
      gpuAvailable: true,
      gpuDevices: ["nvidia-l4"],
      gpuDevicesCc: ["8.9"],
      driverVersion: "550.54.15",
      cudaVersion: "12.4",
      trtVersion: "10.8.0",
      jetsonType: null,
      l4tVersion: null,
      osVersion: "ubuntu-22.04",
      trtBindingAvailable: true,
    });
    expect(report.nvidia.tensorRt.lean).toMatchObject({ found: false });
    expect(report.notes).toContainEqual(expect.stringMatching(/CUDA runtime is 12\.6\.0, but the driver supports CUDA up to 12\.4/));
  });

  it("a GPU whose TensorRT cannot be opened is a GPU, and a note says why", async () => {
    const broken = { path: "/opt/libnvinfer.so.10", version: null, reason: "dlopen: undefined symbol x" };
    const report = await describeRuntime(recordedMachine({}), seeing({ ...L4_PROBE, tensorRt: [{ kind: "full", ...broken }] }));
    expect(toRuntimeXRay(report)).toMatchObject({ gpuAvailable: true, trtVersion: null, trtBindingAvailable: false });
    expect(report.notes).toContainEqual(expect.stringContaining("undefined symbol x"));
  });

  it("a probe that fails is a note, and files are looked at", async () => {
    const machine = recordedMachine({ "/usr/lib64/libcudart.so.12.4.127": "" });
    const report = await describeRuntime(
      machine,
      withProbe(() => Promise.reject(new Error("no more threads"))),
    );
    expect(report.nvidia).toMatchObject({ source: "files", problem: "no more threads", cudaVersion: "12.4.127" });
    expect(report.notes).toContainEqual(expect.stringContaining("no more threads"));
    expect(toRuntimeXRay(report).trtBindingAvailable).toBe(false);
  });

  it("the kernel tells the driver's version where its library is missing", async () => {
    const machine = recordedMachine({
      "/proc/driver/nvidia/version": "NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.104.05  Sat Aug 19 01:15:15 UTC 2023\n",
    });
    const { nvidia } = await describeRuntime(machine, seeing({ ...L4_PROBE, nvml: missing("libnvidia-ml.so.1: not found") }));
    expect(nvidia.driver).toMatchObject({ found: true, version: "535.104.5", path: "/proc/driver/nvidia/version" });
  });

  it("a Jetson, its versions from files and the package list", async () => {
    const listing = [
      "un libnvinfer-bin <none> <none>",
      "ii libnvinfer-bin 10.3.0.30-1+cuda12.5 arm64",
      "ii cuda-cudart-12-6 12.6.68-1 arm64",
    ];
    const machine = recordedMachine(
      { ...ORIN_FILES, "/usr/bin/dpkg-query": { program: `printf '%s\\n' '${listing.join("' '")}' | grep "$(echo "$3" | tr -d '*')"` } },
      "arm64",
    );
    const report = await describeRuntime(machine, seeing(ORIN_PROBE));
    expect(toRuntimeXRay(report)).toMatchObject({
      gpuDevices: ["orin"],
      gpuDevicesCc: ["8.7"],
      driverVersion: "36.4.3",
      cudaVersion: "12.6.68",
      trtVersion: "10.3.0.30",
      jetsonType: "nvidia-jetson-orin-nx",
      l4tVersion: "36.4.3",
      osVersion: null,
    });
    expect(report.jetson).toMatchObject({ detected: true, typeSource: "device tree", l4t: { path: "/etc/nv_tegra_release" } });
  });

  it("a Jetson's GPU without L4T contradicts itself: the report says so, the x-ray refuses", async () => {
    const report = await describeRuntime(recordedMachine({}), seeing(ORIN_PROBE));
    expect(report.notes).toContainEqual(expect.stringContaining("L4T_VERSION"));
    expect(() => toRuntimeXRay(report)).toThrow(RuntimeIntrospectionError);
    vi.stubEnv("RUNNING_ON_JETSON", "true");
    vi.stubEnv("L4T_VERSION", "35.4.1");
    expect(toRuntimeXRay(await describeRuntime(recordedMachine({}), seeing(ORIN_PROBE)))).toMatchObject({
      l4tVersion: "35.4.1",
      jetsonType: null,
    });
  });
});

describe("through files alone", () => {
  it("a machine with nothing", async () => {
    const report = await describeRuntime(recordedMachine({}), null);
    expect(toRuntimeXRay(report)).toMatchObject({ gpuAvailable: false, driverVersion: null, cudaVersion: null, trtVersion: null });
    expect(report.osVersion).toMatch(/^linux-/);
    for (const finding of [report.nvidia.driver, report.nvidia.cudaRuntime, report.nvidia.tensorRt.full]) {
      expect(finding).toMatchObject({ found: false, reason: expect.stringContaining("/usr/lib/x86_64-linux-gnu") as string });
    }
  });

  it("libraries by name, versions behind links, GPUs without capabilities", async () => {
    const folder = "/usr/lib/x86_64-linux-gnu";
    const machine = recordedMachine({
      "/proc/driver/nvidia/gpus/0000:01:00.0/information": "Model: \t\t NVIDIA GeForce RTX 4090\nIRQ:   \t\t 16\nGPU UUID: \t GPU-abc\n",
      [`${folder}/libcuda.so.1`]: { linkTo: "libcuda.so.550.54.15" },
      [`${folder}/libcuda.so.550.54.15`]: "",
      [`${folder}/libnvidia-ml.so.550.54.15`]: "",
      "/usr/local/cuda/lib64/libcudart.so.12": { linkTo: "libcudart.so.12.4.127" },
      "/usr/local/cuda/lib64/libcudart.so.12.4.127": "",
      [`${folder}/libnvinfer.so.10`]: { linkTo: "libnvinfer.so.10.8.0" },
      [`${folder}/libnvinfer.so.10.8.0`]: "",
      [`${folder}/libnvinfer_lean.so.10.8.0`]: "",
      [`${folder}/libnvinfer_plugin.so.99.0.0`]: "",
    });
    const report = await describeRuntime(machine, null);
    const { nvidia } = report;
    expect(nvidia).toMatchObject({
      source: "files",
      driver: { version: "550.54.15" },
      cudaDriver: { found: true, version: null },
      cudaRuntime: { path: "/usr/local/cuda/lib64/libcudart.so.12.4.127", version: "12.4.127" },
      cudaVersion: "12.4.127",
      gpus: [{ name: "NVIDIA GeForce RTX 4090", uuid: "GPU-abc", computeCapability: null }],
      tensorRt: { full: { version: "10.8.0" }, lean: { version: "10.8.0" }, dispatch: { found: false } },
    });
    // Nothing can be chosen by a capability that is not known, and nothing opens TensorRT.
    expect(toRuntimeXRay(report)).toMatchObject({ gpuAvailable: false, gpuDevices: [], trtBindingAvailable: false });
    expect(report.notes).toContainEqual(expect.stringContaining("compute capability"));
  });

  it("folders that are named are searched instead of the usual ones", async () => {
    const machine = recordedMachine({ "/usr/lib64/libnvinfer.so.8.6.1": "", "/opt/trt/libnvinfer.so.10.8.0": "" });
    vi.stubEnv("INFERENCE_MODELS_TENSORRT_LIBRARY_PATH", "/opt/trt");
    expect((await describeRuntime(machine, null)).nvidia.tensorRt.full).toMatchObject({ path: "/opt/trt/libnvinfer.so.10.8.0" });
    vi.stubEnv("INFERENCE_MODELS_TENSORRT_LIBRARY_PATH", "/opt/other");
    expect((await describeRuntime(machine, null)).nvidia.tensorRt.full).toMatchObject({ found: false });
  });
});

describe("Jetsons", () => {
  const jetsonOf = async (files: Parameters<typeof recordedMachine>[0], architecture = "arm64") =>
    (await describeRuntime(recordedMachine(files, architecture), null)).jetson;

  it("the declared module wins over the machine; an unknown one is an error", async () => {
    vi.stubEnv("JETSON_MODULE", "NVIDIA Jetson AGX Orin Developer Kit");
    expect(await jetsonOf(ORIN_FILES)).toMatchObject({ type: "nvidia-jetson-agx-orin", typeSource: "JETSON_MODULE" });
    vi.stubEnv("JETSON_MODULE", "Jetson");
    await expect(jetsonOf(ORIN_FILES)).rejects.toBeInstanceOf(JetsonTypeResolutionError);
    vi.stubEnv("RUNNING_ON_JETSON", "false");
    expect(await jetsonOf(ORIN_FILES)).toMatchObject({ detected: false, type: null });
  });

  it("settings that make no sense are named", async () => {
    vi.stubEnv("RUNNING_ON_JETSON", "perhaps");
    await expect(jetsonOf({})).rejects.toBeInstanceOf(InvalidEnvVariable);
    vi.stubEnv("RUNNING_ON_JETSON", "");
    vi.stubEnv("L4T_VERSION", "the newest");
    await expect(jetsonOf({})).rejects.toMatchObject({ variable: "L4T_VERSION" });
  });

  it("in a container, the listing of hardware names the board", async () => {
    const listing = "echo '   product: NVIDIA Jetson Orin Nano Developer Kit HDA [HDMI/DP]'";
    const files = { "/etc/nv_tegra_release": ORIN_FILES["/etc/nv_tegra_release"], "/usr/bin/lshw": { program: listing } };
    expect(await jetsonOf(files)).toMatchObject({ detected: true, type: "nvidia-jetson-orin-nano", typeSource: "lshw" });
    // Elsewhere the program is not even started.
    expect(await jetsonOf({ "/usr/bin/lshw": { program: listing } })).toMatchObject({ detected: false, type: null });
    expect(await jetsonOf({ ...files, "/usr/bin/lshw": { program: "echo half; exit 1" } })).toMatchObject({ detected: false });
  });

  it("a program that does not end is given up", async () => {
    const files = { "/etc/nv_tegra_release": ORIN_FILES["/etc/nv_tegra_release"], "/usr/bin/lshw": { program: "exec sleep 600" } };
    expect(await jetsonOf(files)).toMatchObject({ detected: false, type: null, l4t: { version: "36.4.3" } });
  });

  it("another board with a device tree is none", async () => {
    expect(await jetsonOf({ "/proc/device-tree/model": "Raspberry Pi 5 Model B Rev 1.0\0" })).toMatchObject({ detected: false });
  });
});
