import type { EnvironmentReport, Finding } from "../environment/index.js";
import type { Style } from "./terminal.js";

const GIBIBYTE = 2 ** 30;

/** A report for people: a line for each thing, and what they should know below. */
export function formatEnvironment(report: EnvironmentReport, style: Style): string[] {
  const rows = [...machineRows(report), ...softwareRows(report), ...nvidiaRows(report)];
  const width = Math.max(...rows.map(([title]) => title.length));
  const lines = rows.map(([title, text]) => `${style("dim", title.padEnd(width))}  ${text}`);
  return report.notes.length === 0 ? lines : [...lines, "", ...report.notes.map((note) => `${style("yellow", "note:")} ${note}`)];
}

type Row = readonly [title: string, text: string];

function machineRows({ osVersion, system, node, cpu, jetson }: EnvironmentReport): readonly Row[] {
  const libc = system.libc === null ? "" : `, ${system.libc.name} ${system.libc.version ?? ""}`.trimEnd();
  const features = cpu.features.length === 0 ? "" : ` (${cpu.features.join(" ")})`;
  const jetsonRows: readonly Row[] = [
    ["Jetson type", `${jetson.type ?? "unknown"}${jetson.typeSource === null ? "" : `, from ${jetson.typeSource}`}`],
    ["L4T", formatFinding(jetson.l4t)],
  ];
  return [
    ["OS version", `${osVersion}, ${system.platform} ${system.release} ${system.architecture}${libc}`],
    ["Processor", `${cpu.model}, ${cpu.logicalCores} logical cores${features}`],
    ["Memory", formatBytes(system.memoryBytes)],
    ...(jetson.detected ? jetsonRows : []),
    ["Node version", `${node.version}, Node-API ${node.nodeApi}`],
  ];
}

function softwareRows({ addon, onnxRuntime, sharp }: EnvironmentReport): readonly Row[] {
  const build = [addon.simd, addon.compiler].filter((text) => text !== null).join(", ");
  const { executionProviders } = onnxRuntime;
  const available = executionProviders.filter((provider) => provider.available).map(({ name }) => name);
  const others = executionProviders.flatMap(({ name, reason }) => (reason === null ? [] : [[name, `not available: ${reason}`] as const]));
  return [
    ["Native addon", `${formatFinding(addon)}${build === "" ? "" : ` (${build})`}`],
    ["ONNX Runtime", formatFinding(onnxRuntime.library)],
    ["Execution providers", available.join(", ") || "none"],
    ...others,
    ["sharp", formatFinding(sharp)],
  ];
}

function nvidiaRows({ nvidia }: EnvironmentReport): readonly Row[] {
  const { gpus, tensorRt } = nvidia;
  const gpuRows = gpus.map(({ name, computeCapability, memoryBytes }, index): Row => {
    const capability = computeCapability === null ? "" : `, compute capability ${computeCapability}`;
    return [`GPU ${index}`, `${name}${capability}${memoryBytes === null ? "" : `, ${formatBytes(memoryBytes)}`}`];
  });
  return [
    ...(gpuRows.length === 0 ? [["GPU", "none"] as const] : gpuRows),
    ["NVIDIA driver", formatFinding(nvidia.driver)],
    ["CUDA version", nvidia.cudaVersion ?? "none"],
    ["CUDA of the driver", formatFinding(nvidia.cudaDriver)],
    ["CUDA runtime", formatFinding(nvidia.cudaRuntime)],
    ["TensorRT", formatFinding(tensorRt.full)],
    ["TensorRT lean", formatFinding(tensorRt.lean)],
    ["TensorRT dispatch", formatFinding(tensorRt.dispatch)],
    ["TensorRT ONNX parser", formatFinding(nvidia.onnxParser)],
  ];
}

function formatFinding(finding: Finding): string {
  if (!finding.found) return `not found: ${finding.reason}`;
  const { path, version, problem } = finding;
  const text = [version, path].filter((part) => part !== null).join(", ") || "found";
  return problem === null ? text : `${text}; but ${problem}`;
}

function formatBytes(bytes: number): string {
  return `${(bytes / GIBIBYTE).toFixed(1)} GiB`;
}
