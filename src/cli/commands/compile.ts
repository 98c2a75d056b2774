import type { Command } from "commander";
import type { CompiledModel } from "../../compilation/index.js";
import { humanReadableSize } from "../../store/human-readable-size.js";
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
    .option("--json", "print one JSON document")
    .action(async (model: string, flags: CompileFlags) => {
      const { provider, package: modelPackageId, fp16, batch, device, output, workspace, timingCache, json = false } = flags;
      const { hardwareCompatible, versionCompatible } = flags;
      const [width, height] = [flags.imageSize ?? []].flat();
      const status = new StatusLine(io);
      status.show(`Asking for ${model} ...`);
      try {
        const compiled = await services.compileModel(model, {
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
          ...(io.signal === undefined ? {} : { signal: io.signal }),
          onProgress: (event) => {
            const line = progressLine(event, io.stderr.columns);
            if (line !== null) status.show(line);
          },
        });
        status.clear();
        const lines = formatCompiled(compiled, styleFor(io.stdout, io.env));
        io.stdout.write(`${json ? JSON.stringify(compiled, null, 2) : lines.join("\n")}\n`);
      } finally {
        status.clear();
      }
    });
}
