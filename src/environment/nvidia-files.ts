/** NVIDIA's libraries by their file names: less than opening them tells, but it needs no addon. */
import type { Machine } from "./machine.js";
import type { NvidiaFindings } from "./nvidia.js";
import type { Finding, GpuReport } from "./types.js";

const GPU_FOLDER = "/proc/driver/nvidia/gpus";

/** As GNU and as CUDA call the processors. */
const PROCESSORS: Readonly<Record<string, readonly [gnu: string, cuda: string]>> = {
  x64: ["x86_64-linux-gnu", "x86_64-linux"],
  arm64: ["aarch64-linux-gnu", "aarch64-linux"],
};

/** Where packages of distributions, CUDA's installer, containers and WSL put libraries. */
function usualFolders(architecture: string): readonly string[] {
  const [gnu, cuda] = PROCESSORS[architecture] ?? [];
  return [
    ...(gnu === undefined ? [] : [`/usr/lib/${gnu}`, `/usr/lib/${gnu}/nvidia`, `/usr/lib/${gnu}/tegra`]),
    "/usr/lib64",
    "/usr/local/cuda/lib64",
    ...(cuda === undefined ? [] : [`/usr/local/cuda/targets/${cuda}/lib`]),
    "/usr/local/tensorrt/lib",
    "/usr/lib/wsl/lib",
  ];
}

/** Folders of libraries hold thousands. */
const OURS = /^lib(?:cuda|nv).*\.so/;

interface Folder {
  readonly path: string;
  readonly files: readonly string[];
}

/** Folders that were named are looked into instead of the usual ones; an empty text names none. */
export async function probeNvidiaFiles(
  machine: Machine,
  named: { readonly cudaLibraryPath: string; readonly tensorRtLibraryPath: string },
): Promise<Omit<NvidiaFindings, "problem">> {
  const read = async (path: string): Promise<Folder> => ({ path, files: (await machine.list(path)).filter((file) => OURS.test(file)) });
  const usual = await Promise.all(usualFolders(machine.architecture).map(read));
  const folders = async (path: string): Promise<readonly Folder[]> => (path === "" ? usual : [await read(path)]);
  const [forCuda, forTensorRt, gpus] = await Promise.all([
    folders(named.cudaLibraryPath),
    folders(named.tensorRtLibraryPath),
    listGpus(machine),
  ]);
  const cuda = (name: string): Promise<Finding> => findLibrary(machine, forCuda, name);
  const tensorRt = (name: string): Promise<Finding> => findLibrary(machine, forTensorRt, name);
  const [driver, cudaDriver, cudaRuntime, full, lean, dispatch, onnxParser] = await Promise.all([
    cuda("libnvidia-ml"),
    cuda("libcuda"),
    cuda("libcudart"),
    tensorRt("libnvinfer"),
    tensorRt("libnvinfer_lean"),
    tensorRt("libnvinfer_dispatch"),
    tensorRt("libnvonnxparser"),
  ]);
  return {
    source: "files",
    driver,
    // Its file is named after the driver; which CUDA that supports only the library itself could tell.
    cudaDriver: cudaDriver.found ? { ...cudaDriver, version: null } : cudaDriver,
    cudaRuntime,
    gpus,
    tensorRt: { full, lean, dispatch },
    onnxParser,
  };
}

/** The longest name carries the most of the version: `libcudart.so.12` is a link to `libcudart.so.12.4.127`. */
async function findLibrary(machine: Machine, folders: readonly Folder[], name: string): Promise<Finding> {
  const pattern = new RegExp(`^${name}\\.so(?:\\.[\\d.]+)?$`);
  for (const { path: folder, files } of folders) {
    const longest = files.filter((file) => pattern.test(file)).reduce((best, file) => (file.length > best.length ? file : best), "");
    if (longest === "") continue;
    const path = await machine.resolve(`${folder}/${longest}`);
    const version = /\.so\.(\d+(?:\.\d+)+)$/.exec(path)?.[1] ?? null;
    return { found: true, path, version, problem: null };
  }
  const [first, ...others] = folders;
  const where = `${first?.path ?? "any folder"}${others.length === 0 ? "" : ` and ${others.length} other usual folders`}`;
  return { found: false, reason: `no file ${name}.so in ${where}` };
}

/** One folder a GPU, with a file of lines such as `Model: 		 NVIDIA L4`. */
async function listGpus(machine: Machine): Promise<readonly GpuReport[]> {
  const addresses = [...(await machine.list(GPU_FOLDER))].sort();
  const texts = await Promise.all(addresses.map((address) => machine.readText(`${GPU_FOLDER}/${address}/information`)));
  return texts.flatMap((text) => {
    const field = (name: string): string | null => new RegExp(`^${name}:\\s*(.*\\S)\\s*$`, "m").exec(text ?? "")?.[1] ?? null;
    const name = field("Model");
    if (name === null) return [];
    return [{ name, computeCapability: null, memoryBytes: null, multiprocessors: null, uuid: field("GPU UUID") }];
  });
}
