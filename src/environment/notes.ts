/** From findings to what somebody should know or do about them. */
import { contradictionIn } from "./contradictions.js";
import { obstacleTo, versionOf } from "./finding.js";
import { exceedsDriver } from "./parsers/nvidia.js";
import type { RuntimeReport } from "./types.js";

type Report = Omit<RuntimeReport, "notes">;

export function notesOf(report: Report): readonly string[] {
  return [addonNote, onnxRuntimeNote, probeNote, gpuNote, cudaNote, tensorRtNote, providerNote, jetsonNote]
    .map((rule) => rule(report))
    .filter((note) => note !== null);
}

function addonNote({ addon }: Report): string | null {
  if (addon.found) return null;
  return (
    `The native addon is not used (${addon.reason}): pictures are prepared in JavaScript, networks run on Node's own thread, and ` +
    'TensorRT is out of reach. "npx inference-models build-native" builds it.'
  );
}

function onnxRuntimeNote({ onnxRuntime: { library } }: Report): string | null {
  return library.found ? null : `ONNX models cannot run: ${library.reason}`;
}

function probeNote({ nvidia: { problem } }: Report): string | null {
  return problem === null ? null : `The addon could not look for GPUs, so only files were looked at: ${problem}`;
}

function gpuNote({ nvidia: { gpus } }: Report): string | null {
  if (gpus.every(({ computeCapability }) => computeCapability !== null)) return null;
  return "There is a GPU, but its compute capability, which only the addon can ask for, is not known. Packages for GPUs are not considered.";
}

function cudaNote({ nvidia }: Report): string | null {
  const [runtime, driver] = [versionOf(nvidia.cudaRuntime), versionOf(nvidia.cudaDriver)];
  if (runtime === null || driver === null || !exceedsDriver(runtime, driver)) return null;
  return `The CUDA runtime is ${runtime}, but the driver supports CUDA up to ${driver}, so that is what counts. A newer driver lifts this.`;
}

function tensorRtNote({ nvidia: { gpus, tensorRt } }: Report): string | null {
  const why = obstacleTo(tensorRt.full);
  if (gpus.length === 0 || why === null) return null;
  const lean = tensorRt.lean.found ? " The lean runtime is there, but runs version-compatible engines only." : "";
  return `There is a GPU, but TensorRT cannot be used: ${why}.${lean}`;
}

function providerNote({ nvidia: { gpus }, onnxRuntime: { executionProviders } }: Report): string | null {
  const cuda = executionProviders.find(({ name }) => name === "CUDAExecutionProvider");
  if (gpus.length === 0 || cuda?.reason == null) return null;
  return `There is a GPU, but ONNX models run without CUDA: ${cuda.reason}.`;
}

function jetsonNote(report: Report): string | null {
  const contradiction = contradictionIn(report);
  if (contradiction !== null) return contradiction;
  if (!report.jetson.detected || versionOf(report.jetson.l4t) !== null) return null;
  return "This is a Jetson of unknown L4T version, which packages for Jetsons name. Set L4T_VERSION.";
}
