import { join } from "node:path";
import { InvalidArgumentError, type Command } from "commander";
import type { CachedPackage, CacheListing, CacheVerification, RemovalReport } from "../../store/index.js";
import { humanReadableSize } from "../../store/human-readable-size.js";
import { formatTable, type Column } from "../table.js";
import { StatusLine, styleFor, type Style } from "../terminal.js";
import type { CommandContext } from "./context.js";

interface JsonFlag {
  readonly json?: boolean;
}

const PACKAGES: readonly Column[] = [
  { title: "model", align: "left" },
  { title: "package", align: "left" },
  { title: "backend", align: "left" },
  { title: "size", align: "right" },
  { title: "last used", align: "left" },
  { title: "in use", align: "left" },
];

function packageRow({
  canonicalModelId,
  modelId,
  packageId,
  backend,
  bytes,
  lastUsed,
  inUse,
  directory,
}: CachedPackage): readonly string[] {
  const day = lastUsed.toISOString().slice(0, 16).replace("T", " ");
  return [canonicalModelId ?? modelId ?? directory, packageId, backend ?? "-", humanReadableSize(bytes), day, inUse ? "yes" : "no"];
}

function formatListing({ home, packages, totalBytes }: CacheListing, style: Style): string[] {
  if (packages.length === 0) return [`The cache in ${home} is empty.`];
  return [
    ...formatTable(PACKAGES, packages.map(packageRow), style),
    "",
    style("dim", `${packages.length} package${packages.length === 1 ? "" : "s"}, ${humanReadableSize(totalBytes)} in ${home}`),
  ];
}

function formatRemoval({ removed, kept, freedBytes }: RemovalReport): string[] {
  return [
    ...removed.map((directory) => `removed ${directory}`),
    ...kept.map((directory) => `kept ${directory}: a running process uses it`),
    `${humanReadableSize(freedBytes)} freed`,
  ];
}

function formatVerification({ packages, files, problems }: CacheVerification): string[] {
  const lines = problems.map(({ directory, file, problem }) => `${file === null ? directory : join(directory, file)}: ${problem}`);
  const verdict = problems.length === 0 ? "all right" : `${problems.length} wrong; the next load of a package repairs it`;
  return [...lines, `${files} files of ${packages} packages checked, ${verdict}`];
}

const UNITS: Readonly<Record<string, number>> = { "": 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30, t: 2 ** 40 };

/** `500M`, `20G`, or bytes. */
export function parseSize(text: string): number {
  const [, number, unit = ""] = /^(\d+(?:\.\d+)?)([kmgt]?)(?:i?b)?$/i.exec(text.trim()) ?? [];
  if (number === undefined) throw new InvalidArgumentError("Expected a size such as 500M or 20G.");
  return Math.floor(Number(number) * (UNITS[unit.toLowerCase()] ?? 1));
}

/** Whole days before now. */
function parseAge(text: string): Date {
  const [, days] = /^(\d{1,6})d?$/.exec(text.trim()) ?? [];
  if (days === undefined) throw new InvalidArgumentError("Expected a number of days, for example 30.");
  return new Date(Date.now() - Number(days) * 24 * 3600 * 1000);
}

export function addCacheCommand(program: Command, { io, services, exitWith }: CommandContext): void {
  const style = styleFor(io.stdout, io.env);
  const print = (json: boolean | undefined, data: unknown, lines: readonly string[]): void => {
    io.stdout.write(`${json === true ? JSON.stringify(data, null, 2) : lines.join("\n")}\n`);
  };
  const cache = program.command("cache").description("look at the cache of models, check it, and make room in it");

  cache
    .command("ls")
    .description("what the cache holds, most recently used first")
    .option("--json", "print one JSON document")
    .action(async ({ json }: JsonFlag) => {
      const listing = await services.listCache();
      print(json, listing, formatListing(listing, style));
    });

  cache
    .command("verify")
    .description("compare every file with the hash it was published with; exit code 1 when one is wrong")
    .option("--json", "print one JSON document")
    .action(async ({ json }: JsonFlag) => {
      const status = new StatusLine(io);
      status.show("Verifying ...");
      try {
        const verification = await services.verifyCache(io.signal === undefined ? {} : { signal: io.signal });
        status.clear();
        print(json, verification, formatVerification(verification));
        if (verification.problems.length > 0) exitWith(1);
      } finally {
        status.clear();
      }
    });

  cache
    .command("rm")
    .description("remove a model, or one package of it")
    .argument("<model>", "id of the model")
    .option("--package <id>", "only this package")
    .option("--json", "print one JSON document")
    .action(async (model: string, { package: packageId, json }: JsonFlag & { readonly package?: string }) => {
      const report = await services.removeFromCache(model, packageId === undefined ? {} : { packageId });
      print(
        json,
        report,
        report.removed.length + report.kept.length === 0 ? [`The cache holds nothing of "${model}".`] : formatRemoval(report),
      );
      if (report.removed.length === 0) exitWith(1);
    });

  cache
    .command("prune")
    .description("remove what no package needs, and packages by age and size; never one that a running process uses")
    .option("--max-size <size>", "least recently used packages go until this is left, for example 20G", parseSize)
    .option("--older-than <days>", "packages go that were not used for so many days", parseAge)
    .option("--json", "print one JSON document")
    .action(async ({ maxSize, olderThan, json }: JsonFlag & { readonly maxSize?: number; readonly olderThan?: Date }) => {
      const report = await services.pruneCache({
        ...(maxSize === undefined ? {} : { maxBytes: maxSize }),
        ...(olderThan === undefined ? {} : { olderThan }),
        ...(io.signal === undefined ? {} : { signal: io.signal }),
      });
      print(json, report, formatRemoval(report));
    });
}
