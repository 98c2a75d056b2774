/** What this machine can run, as negotiation judges it: plain values, so that a saved one can be replayed elsewhere. */
export interface RuntimeXRay {
  readonly gpuAvailable: boolean;
  /** Lower case, spaces as hyphens: `nvidia-l4`. */
  readonly gpuDevices: readonly string[];
  /** Compute capabilities `major.minor`, in the order of the devices. */
  readonly gpuDevicesCc: readonly string[];
  readonly driverVersion: string | null;
  readonly cudaVersion: string | null;
  readonly trtVersion: string | null;
  /** `nvidia-jetson-orin-nx`; null when this is no Jetson. */
  readonly jetsonType: string | null;
  readonly l4tVersion: string | null;
  /** `ubuntu-22.04`; null on a Jetson. */
  readonly osVersion: string | null;
  readonly onnxruntimeVersion: string | null;
  /** Full names (`CUDAExecutionProvider`); null when there is no ONNX Runtime. */
  readonly availableOnnxExecutionProviders: readonly string[] | null;
  /** Whether the addon is there and could open TensorRT. */
  readonly trtBindingAvailable: boolean;
  // What only Python offers; recorded machines may have it, this one never does.
  readonly torchAvailable: boolean;
  readonly torchVersion: string | null;
  readonly torchvisionVersion: string | null;
  readonly hfTransformersAvailable: boolean;
}

/** Something that was looked for. */
export type Finding =
  | {
      readonly found: true;
      /** The file; null for what has none. */
      readonly path: string | null;
      /** As it calls itself. */
      readonly version: string | null;
      /** The step that failed after it was found; null when it works as far as was tried. */
      readonly problem: string | null;
    }
  | {
      readonly found: false;
      /** Where it was looked for, or the step at which that ended. */
      readonly reason: string;
    };

export interface GpuReport {
  /** As the driver writes it: `NVIDIA L4`. */
  readonly name: string;
  /** `8.9`; null where only files could be read. */
  readonly computeCapability: string | null;
  readonly memoryBytes: number | null;
  readonly multiprocessors: number | null;
  readonly uuid: string | null;
}

export interface NvidiaReport {
  /** Which looked: the addon, which opens the libraries, or file names alone. */
  readonly source: "addon" | "files";
  /** Why the addon could not look, though it is there. */
  readonly problem: string | null;
  /** The kernel driver, `550.54.15`. */
  readonly driver: Finding;
  /** libcuda; its version is the newest CUDA that the driver supports. */
  readonly cudaDriver: Finding;
  /** libcudart. */
  readonly cudaRuntime: Finding;
  /** The runtime's, or what the driver supports where that is older. */
  readonly cudaVersion: string | null;
  readonly gpus: readonly GpuReport[];
  readonly tensorRt: { readonly full: Finding; readonly lean: Finding; readonly dispatch: Finding };
  readonly onnxParser: Finding;
}

export interface JetsonReport {
  /** Whether this machine is one; `RUNNING_ON_JETSON` decides, else whether a type was found. */
  readonly detected: boolean;
  /** `nvidia-jetson-orin-nx`. */
  readonly type: string | null;
  readonly typeSource: "JETSON_MODULE" | "device tree" | "lshw" | null;
  /** Linux for Tegra; its path is null when `L4T_VERSION` names it. */
  readonly l4t: Finding;
}

export interface OnnxRuntimeReport {
  /** The library that networks run on. */
  readonly library: Finding;
  /** Full names, those that are compiled in, in the library's order of preference. */
  readonly executionProviders: readonly ExecutionProviderReport[];
}

export interface ExecutionProviderReport {
  /** `CUDAExecutionProvider`. */
  readonly name: string;
  readonly available: boolean;
  /** What it lacks; null when nothing is known to be missing. */
  readonly reason: string | null;
}

/** What the x-ray is made from. */
export interface RuntimeReport {
  /** `ubuntu-22.04`; elsewhere than on Linux the system's own name and release. */
  readonly osVersion: string;
  readonly addon: Finding;
  readonly nvidia: NvidiaReport;
  readonly jetson: JetsonReport;
  readonly onnxRuntime: OnnxRuntimeReport;
  /** What somebody who wonders should know: what could not be found out, what does not fit together, what would help. */
  readonly notes: readonly string[];
}

export interface EnvironmentReport extends RuntimeReport {
  readonly packageVersion: string;
  readonly node: { readonly version: string; readonly nodeApi: string };
  readonly system: {
    readonly platform: string;
    readonly architecture: string;
    /** Of the kernel. */
    readonly release: string;
    /** The C library that Node runs on; null where it cannot be told (other systems than Linux, static builds). */
    readonly libc: { readonly name: "glibc" | "musl"; readonly version: string | null } | null;
    readonly memoryBytes: number;
  };
  readonly cpu: {
    readonly model: string;
    /** As the operating system counts them. */
    readonly logicalCores: number;
    /** Instruction sets that matter to this package. */
    readonly features: readonly string[];
  };
  readonly addon: AddonReport;
  readonly sharp: Finding;
}

export type AddonReport = Finding & {
  /** Instruction sets chosen for the image loops. */
  readonly simd: string | null;
  readonly compiler: string | null;
  readonly attempts: readonly { readonly path: string; readonly reason: string }[];
};
