import type { Command } from "commander";
import type { DownloadedModel, LoadingPlan } from "../../auto/index.js";
import { humanReadableSize } from "../../store/human-readable-size.js";
import { addModelOptions, toModelOptions, type ModelFlags } from "../model-options.js";
import { progressLine } from "../progress.js";
import { formatTable, type Column } from "../table.js";
import { StatusLine, styleFor, type Style } from "../terminal.js";
import type { CommandContext } from "./context.js";

interface DownloadFlags extends ModelFlags {
  readonly dryRun?: boolean;
  readonly json?: boolean;
}

const FILES: readonly Column[] = [
  { title: "file", align: "left" },
  { title: "size", align: "right" },
  { title: "cached", align: "left" },
];

function formatPlan(plan: LoadingPlan, style: Style): string[] {
  if (plan.kind === "local") return [`${plan.path} is on this machine; nothing would be downloaded.`];
  const { modelId, device, chosen, ranked, discarded, download } = plan;
  const rows = chosen.files.map(({ fileHandle, bytes, cached }) => [
    fileHandle,
    bytes === null ? "-" : humanReadableSize(bytes),
    cached ? "yes" : "no",
  ]);
  const amount =
    download.bytes === 0 && download.complete ? "nothing" : `${download.complete ? "" : "at least "}${humanReadableSize(download.bytes)}`;
  return [
    `${style("dim", "model".padEnd(10))}  ${modelId}`,
    `${style("dim", "package".padEnd(10))}  ${chosen.packageId} (${chosen.backend}, ${chosen.quantization ?? "unknown quantization"}) on ${device}`,
    `${style("dim", "download".padEnd(10))}  ${amount}`,
    `${style("dim", "then".padEnd(10))}  ${
      ranked
        .slice(1)
        .map(({ packageId }) => packageId)
        .join(", ") || "no other package fits"
    }`,
    ...discarded.map(({ packageId, message, code }) => `${style("dim", "not used".padEnd(10))}  ${packageId}: ${message} (${code})`),
    "",
    ...formatTable(FILES, rows, style),
  ];
}

function formatDownloaded({ modelId, packageId, directory, bytesDownloaded }: DownloadedModel): string[] {
  const amount = bytesDownloaded === 0 ? "everything was in the cache" : `${humanReadableSize(bytesDownloaded)} downloaded`;
  return [`${modelId}, package ${packageId}: ${amount}`, directory];
}

export function addDownloadCommand(program: Command, { io, services }: CommandContext): void {
  addModelOptions(program.command("download"))
    .description("fetch and verify the package that fits this machine, without loading it: for images, CI and slow networks")
    .argument("<model>", "id of a model")
    .option("--dry-run", "only say what would be downloaded and used")
    .option("--json", "print one JSON document")
    .action(async (model: string, { dryRun = false, json = false, ...flags }: DownloadFlags) => {
      const status = new StatusLine(io);
      const style = styleFor(io.stdout, io.env);
      const options = { ...toModelOptions(flags), ...(io.signal === undefined ? {} : { signal: io.signal }) };
      status.show(`Asking for ${model} ...`);
      try {
        if (dryRun) {
          const plan = await services.planLoading(model, options);
          status.clear();
          io.stdout.write(`${json ? JSON.stringify(plan, null, 2) : formatPlan(plan, style).join("\n")}\n`);
          return;
        }
        const downloaded = await services.downloadModel(model, {
          ...options,
          onProgress: (event) => {
            const line = progressLine(event, io.stderr.columns);
            if (line !== null) status.show(line);
          },
        });
        status.clear();
        io.stdout.write(`${json ? JSON.stringify(downloaded, null, 2) : formatDownloaded(downloaded).join("\n")}\n`);
      } finally {
        status.clear();
      }
    });
}
