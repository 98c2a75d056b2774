import type { Command } from "commander";
import type { EngineInspection } from "../../compilation/index.js";
import type { TensorPort } from "../../engines/types.js";
import { humanReadableSize } from "../../store/human-readable-size.js";
import { parseGpu } from "../option-values.js";
import { formatTable, type Column } from "../table.js";
import { StatusLine, styleFor, type Style } from "../terminal.js";
import type { CommandContext } from "./context.js";

interface InspectFlags {
  readonly device?: number;
  readonly allowHostCode?: boolean;
  readonly json?: boolean;
}

const PORTS: readonly Column[] = ["", "name", "type", "shape"].map((title) => ({ title, align: "left" }));
const PROFILES: readonly Column[] = ["profile", "input", "smallest", "best", "largest"].map((title) => ({ title, align: "left" }));

const shapeText = (sizes: readonly (number | string)[]): string => sizes.map((size) => (size === "" ? "?" : String(size))).join(" x ");
const portRow = (kind: string, { name, type, dims }: TensorPort): string[] => [kind, name, type ?? "?", shapeText(dims ?? [])];

function formatInspection({ path, bytes, builtByVersion, loaded, problem }: EngineInspection, style: Style): string[] {
  const rows: [string, string][] = [
    ["engine", path],
    ["size", humanReadableSize(bytes)],
    ["built by", `TensorRT ${builtByVersion}`],
  ];
  if (loaded !== null) {
    const { name, engineVersion, device, hardwareCompatibility, memory } = loaded;
    rows.push(
      ["name", name],
      ["runs on", `cuda:${device.ordinal} (${device.name}), TensorRT ${engineVersion}`],
      ["GPUs", hardwareCompatibility === "none" ? "like the one that it was built on" : hardwareCompatibility],
      ["memory", `${humanReadableSize(memory.engine)} for weights, ${humanReadableSize(memory.scratch)} of scratch for each run at once`],
    );
  }
  const facts = rows.map(([name, text]) => `${style("dim", name.padEnd(8))}  ${text}`);
  if (loaded === null)
    return [...facts, "", `It cannot be loaded here, so no more is known. ${problem?.message ?? ""} (${problem?.code ?? ""})`];
  const { inputs, outputs, profiles } = loaded;
  const ports = [...inputs.map((port) => portRow("input", port)), ...outputs.map((port) => portRow("output", port))];
  const ranges = profiles.flatMap((profile, index) =>
    Object.entries(profile).map(([input, { minimum, optimum, maximum }]) => [
      String(index),
      input,
      shapeText(minimum),
      shapeText(optimum),
      shapeText(maximum),
    ]),
  );
  return [...facts, "", ...formatTable(PORTS, ports, style), "", ...formatTable(PROFILES, ranges, style)];
}

export function addInspectCommand(program: Command, { io, services }: CommandContext): void {
  program
    .command("inspect")
    .description("show what a TensorRT engine is: who built it on any machine, and the rest where it can be loaded")
    .argument("<engine>", "path of an engine, such as engine.plan")
    .option("--device <name>", "cuda or cuda:N, the GPU to load it on", parseGpu)
    .option("--allow-host-code", "load an engine of an older TensorRT, whose machine code then runs in this process")
    .option("--json", "print one JSON document")
    .action(async (path: string, { device, allowHostCode, json = false }: InspectFlags) => {
      const status = new StatusLine(io);
      status.show(`Loading ${path} ...`);
      try {
        const inspection = await services.inspectEngine(path, {
          ...(device === undefined ? {} : { device }),
          ...(allowHostCode === undefined ? {} : { engineHostCodeAllowed: allowHostCode }),
          ...(io.signal === undefined ? {} : { signal: io.signal }),
        });
        status.clear();
        const lines = formatInspection(inspection, styleFor(io.stdout, io.env));
        io.stdout.write(`${json ? JSON.stringify(inspection, null, 2) : lines.join("\n")}\n`);
      } finally {
        status.clear();
      }
    });
}
