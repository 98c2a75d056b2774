/** Options that say where a model comes from and which of its packages is meant; the same for every command. */
import { InvalidArgumentError, type Command } from "commander";

export interface ModelFlags {
  readonly provider?: readonly string[];
  readonly package?: string;
  readonly backend?: readonly string[];
  readonly batchSize?: number | readonly [number, number];
  readonly quantization?: readonly string[];
  readonly device?: string;
  readonly allowUntrusted?: boolean;
}

/** As options of AutoModel. */
export interface ModelOptions {
  readonly weightsProvider?: readonly string[];
  readonly modelPackageId?: string;
  readonly backend?: readonly string[];
  readonly batchSize?: number | readonly [number, number];
  readonly quantization?: readonly string[];
  readonly device?: string;
  readonly allowUntrustedPackages?: boolean;
}

const list = (text: string): readonly string[] =>
  text
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "");

/** `8`, or `1-16` for a range. */
function parseBatchSize(text: string): number | readonly [number, number] {
  const [, from, to] = /^(\d{1,6})(?:-(\d{1,6}))?$/.exec(text) ?? [];
  if (from === undefined) throw new InvalidArgumentError("Expected a number of pictures, or a range such as 1-16.");
  return to === undefined ? Number(from) : [Number(from), Number(to)];
}

export function addProviderOption(command: Command): Command {
  return command.option("--provider <names>", "weights provider, or several in the order in which they are asked", list);
}

export function addModelOptions(command: Command): Command {
  return addProviderOption(command)
    .option("--package <id>", "exactly this package of the model")
    .option("--backend <names>", "only packages of these backends: onnx, trt", list)
    .option("--batch-size <n>", "only packages that run so many pictures at once: N or MIN-MAX", parseBatchSize)
    .option("--quantization <names>", "only these quantizations: fp32, fp16, bf16, int8", list)
    .option("--device <name>", "cpu, cuda or cuda:N")
    .option("--allow-untrusted", "accept packages that do not come from a trusted source");
}

export function toModelOptions(flags: ModelFlags): ModelOptions {
  const { provider, package: modelPackageId, backend, batchSize, quantization, device, allowUntrusted } = flags;
  return {
    ...(provider === undefined ? {} : { weightsProvider: provider }),
    ...(modelPackageId === undefined ? {} : { modelPackageId }),
    ...(backend === undefined ? {} : { backend }),
    ...(batchSize === undefined ? {} : { batchSize }),
    ...(quantization === undefined ? {} : { quantization }),
    ...(device === undefined ? {} : { device }),
    ...(allowUntrusted === undefined ? {} : { allowUntrustedPackages: allowUntrusted }),
  };
}
