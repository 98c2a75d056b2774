import type { Command } from "commander";
import type { ModelDescription, ModelPackageDescription, PackageSummary } from "../../auto/index.js";
import { humanReadableSize } from "../../store/human-readable-size.js";
import { addProviderOption } from "../model-options.js";
import { formatTable, type Column } from "../table.js";
import { StatusLine, styleFor, type Style } from "../terminal.js";
import type { CommandContext } from "./context.js";

interface DescribeFlags {
  readonly provider?: readonly string[];
  readonly package?: string;
  readonly sizes?: boolean;
  readonly json?: boolean;
}

const COLUMNS: readonly Column[] = [
  { title: "package", align: "left" },
  { title: "backend", align: "left" },
  { title: "batch", align: "right" },
  { title: "quantization", align: "left" },
  { title: "size", align: "right" },
  { title: "trusted", align: "left" },
];

function packageRow({ packageId, backend, batchSize, quantization, size, trustedSource }: PackageSummary): readonly string[] {
  const sizeText = size === null ? "-" : `${size.complete ? "" : ">= "}${humanReadableSize(size.bytes)}`;
  return [packageId, backend, String(batchSize ?? "-"), quantization ?? "-", sizeText, trustedSource ? "yes" : "no"];
}

function formatModelDescription(model: ModelDescription, style: Style): string[] {
  const { requestedId, modelId, architecture, variant, task, providers, dependencies, packages } = model;
  const rows: [string, string][] = [
    ["model", requestedId === modelId ? modelId : `${modelId} (asked for as ${requestedId})`],
    ["architecture", variant === null ? architecture : `${architecture}, ${variant}`],
    ["task", task ?? "-"],
    ["provider", providers.join(", ")],
  ];
  if (dependencies.length > 0) rows.push(["needs", dependencies.map(({ name, modelId: id }) => `${name}: ${id}`).join(", ")]);
  return [
    ...rows.map(([name, text]) => `${style("dim", name.padEnd(12))}  ${text}`),
    "",
    ...formatTable(COLUMNS, packages.map(packageRow), style),
  ];
}

/** Records of a package, one line each; nested values as JSON. */
function fieldLines(record: Readonly<Record<string, unknown>>, style: Style): string[] {
  const known = Object.entries(record).filter(([, value]) => value !== null);
  const width = Math.max(...known.map(([name]) => name.length));
  const text = (value: unknown): string => (typeof value === "string" ? value : JSON.stringify(value));
  return known.map(([name, value]) => `${style("dim", name.padEnd(width))}  ${text(value)}`);
}

function formatPackageDescription({ files, size, ...rest }: ModelPackageDescription, style: Style): string[] {
  const rows = files.map(({ fileHandle, bytes, md5Hash }) => [
    fileHandle,
    bytes === null ? "-" : humanReadableSize(bytes),
    md5Hash ?? "none",
  ]);
  const columns: readonly Column[] = [
    { title: "file", align: "left" },
    { title: "size", align: "right" },
    { title: "md5", align: "left" },
  ];
  const total = size === null ? {} : { size: `${size.complete ? "" : "at least "}${humanReadableSize(size.bytes)}` };
  return [...fieldLines({ ...rest, ...total }, style), "", ...formatTable(columns, rows, style)];
}

export function addDescribeCommand(program: Command, { io, services }: CommandContext): void {
  addProviderOption(program.command("describe"))
    .description("show what a provider has of a model: its packages, or one of them in full")
    .argument("<model>", "id of a model")
    .option("--package <id>", "everything about this package")
    .option("--sizes", "ask how large the files are")
    .option("--json", "print one JSON document")
    .action(async (model: string, { provider, package: packageId, sizes, json = false }: DescribeFlags) => {
      const status = new StatusLine(io);
      const style = styleFor(io.stdout, io.env);
      const options = {
        ...(provider === undefined ? {} : { weightsProvider: provider }),
        ...(sizes === undefined ? {} : { pullArtefactsSize: sizes }),
        ...(io.signal === undefined ? {} : { signal: io.signal }),
      };
      status.show(`Asking for ${model} ...`);
      try {
        const [data, lines] =
          packageId === undefined
            ? await services.describeModel(model, options).then((one) => [one, formatModelDescription(one, style)] as const)
            : await services
                .describeModelPackage(model, packageId, options)
                .then((one) => [one, formatPackageDescription(one, style)] as const);
        status.clear();
        io.stdout.write(`${json ? JSON.stringify(data, null, 2) : lines.join("\n")}\n`);
      } finally {
        status.clear();
      }
    });
}
