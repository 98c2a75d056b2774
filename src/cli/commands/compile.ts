import type { Command } from "commander";
import type { CompiledModel, CompileModelOptions, CompileProgress, TensorRtBuildEstimate } from "../../compilation/index.js";
import { humanReadableSize } from "../../store/human-readable-size.js";
import { estimateLine, formatCompilationPlan, timeLeft } from "../format-estimate.js";
import { addProviderOption } from "../model-options.js";
import { parseBatchRange, parseCount, parseGpu, parseImageSize } from "../option-values.js";
import { progressLine } from "../progress.js";
import { StatusLine, styleFor, type Style } from "../terminal.js";
import type { CommandContext } from "./context.js";

interface CompileFlags {
  readonly provider?: readonly string[];
  readonly package?: string;
  readonly fp16?: boolean;
  readonly batch?: ReturnType<typeof parseBatchRange>;
  readonly imageSize?: ReturnType<typeof parseImageSize>;
  readonly device?: number;
  readonly output?: string;
  readonly workspace?: number;
  readonly timingCache?: string;
  readonly hardwareCompatible?: boolean;
  readonly versionCompatible?: boolean;
  readonly dryRun?: boolean;
  readonly json?: boolean;
}

const MEBIBYTE = 1024 * 1024;

function batchText(batch: CompiledModel["batch"]): string {
  return batch.kind === "static" ? `always ${batch.batchSize}` : `${batch.minimum} to ${batch.maximum}, fastest at ${batch.optimum}`;
}

function formatCompiled({ modelId, packageId, directory, quantization, batch, report }: CompiledModel, style: Style): string[] {
  const { tensorRtVersion, device, engineBytes, seconds, timingCache } = report;
  const rows: [string, string][] = [
    ["model", modelId],
    ["package", packageId],
    ["engine", `${humanReadableSize(engineBytes)}, ${quantization}, built in ${seconds.toFixed(1)} s by TensorRT ${tensorRtVersion}`],
    ["for", `cuda:${device.ordinal} (${device.name}, compute capability ${device.computeCapability})`],
    ["pictures", batchText(batch)],
  ];
  if (timingCache !== null) rows.push(["timings", `${timingCache.path} (${timingCache.saved ? timingCache.state : "not saved"})`]);
  rows.push(["folder", directory]);
  return [
    ...rows.map(([name, text]) => `${style("dim", name.padEnd(8))}  ${text}`),
    "",
    "No provider vouches for it, so load it with --backend trt --allow-untrusted, or by the name of its folder where you chose one.",
  ];
}

function toOptions(flags: CompileFlags): CompileModelOptions {
  const { provider, package: modelPackageId, fp16, batch, device, output, workspace, timingCache } = flags;
  const { hardwareCompatible, versionCompatible } = flags;
  const [width, height] = [flags.imageSize ?? []].flat();
  return {
    ...(provider === undefined ? {} : { weightsProvider: provider }),
    ...(modelPackageId === undefined ? {} : { modelPackageId }),
    ...(fp16 === undefined ? {} : { fp16 }),
    ...(batch === undefined ? {} : { batch }),
    ...(width === undefined ? {} : { imageSize: { width, height: height ?? width } }),
    ...(device === undefined ? {} : { device }),
    ...(output === undefined ? {} : { outputDirectory: output }),
    ...(workspace === undefined ? {} : { workspaceBytes: workspace * MEBIBYTE }),
    ...(timingCache === undefined ? {} : { timingCachePath: timingCache }),
    ...(hardwareCompatible === undefined ? {} : { hardwareCompatible }),
    ...(versionCompatible === undefined ? {} : { versionCompatible }),
  };
}

/** The estimate stays above the progress, and says how much time is left. */
function listener(status: StatusLine, width: number | undefined): (event: CompileProgress) => void {
  let begun: { readonly at: number; readonly estimate: TensorRtBuildEstimate } | null = null;
  return (event) => {
    if (event.type === "estimated") {
      begun = { at: performance.now(), estimate: event.estimate };
      status.print(estimateLine(event.estimate));
      return;
    }
    const left = begun === null ? null : timeLeft(begun.estimate, (performance.now() - begun.at) / 1000);
    const line = progressLine(event, width, left);
    if (line !== null) status.show(line);
  };
}

export function addCompileCommand(program: Command, { io, services }: CommandContext): void {
  addProviderOption(program.command("compile"))
    .description("build a TensorRT engine for this machine's GPU from a model's ONNX package; takes minutes")
    .argument("<model>", "id of a model, or the folder of an ONNX package (then with --output)")
    .option("--package <id>", "build from exactly this ONNX package of the model")
    .option("--fp16", "half precision where it is faster")
    .option("--batch <range>", "pictures at once: N, or MIN,BEST,MAX (default: 1,1,8 where the network allows it)", parseBatchRange)
    .option(
      "--image-size <px>",
      "the size that the engine takes where the network takes any: N or WIDTHxHEIGHT (default: the package's)",
      parseImageSize,
    )
    .option("--device <name>", "cuda or cuda:N, the GPU that measures and that the engine is for", parseGpu)
    .option("--output <dir>", "a folder for the package (default: the model's place in the cache)")
    .option("--workspace <mb>", "scratch memory that a part of the engine may use, MB", parseCount)
    .option("--timing-cache <file>", "keep what is measured in this file, for later builds")
    .option("--hardware-compatible", "for all GPUs of the Ampere generation and later; slower")
    .option("--version-compatible", "for newer releases of TensorRT too; carries machine code for the host")
    .option("--dry-run", "only say what the build would take; fetches the model's package, whose network has to be read")
    .option("--json", "print one JSON document")
    .action(async (model: string, flags: CompileFlags) => {
      const { dryRun = false, json = false } = flags;
      const status = new StatusLine(io);
      const style = styleFor(io.stdout, io.env);
      const options = {
        ...toOptions(flags),
        ...(io.signal === undefined ? {} : { signal: io.signal }),
        onProgress: listener(status, io.stderr.columns),
      };
      const answer = (result: object, lines: readonly string[]): void => {
        status.clear();
        io.stdout.write(`${json ? JSON.stringify(result, null, 2) : lines.join("\n")}\n`);
      };
      status.show(`Asking for ${model} ...`);
      try {
        if (dryRun) {
          const plan = await services.planCompilation(model, options);
          answer(plan, formatCompilationPlan(plan, style));
          return;
        }
        const compiled = await services.compileModel(model, options);
        answer(compiled, formatCompiled(compiled, style));
      } finally {
        status.clear();
      }
    });
}
