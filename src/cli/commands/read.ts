import type { Command } from "commander";
import { runOnPictures, type PictureRunFlags, type PictureRunner } from "../picture-run.js";
import type { Io, StatusLine } from "../terminal.js";
import type { CommandContext } from "./context.js";

interface ReadFlags extends PictureRunFlags {
  readonly pipeline: string;
  /** False after --no-exif. */
  readonly exif: boolean;
}

const withSignal = ({ signal }: Io): { readonly signal?: AbortSignal } => (signal === undefined ? {} : { signal });

async function openReader({ pipeline, exif }: ReadFlags, { io, services }: CommandContext, status: StatusLine): Promise<PictureRunner> {
  status.show(`Loading ${pipeline} ...`);
  const reader = await services.loadReader(pipeline, withSignal(io));
  return {
    title: (style) => [`${style("dim", "pipeline".padEnd(9))}  ${pipeline}`],
    description: { pipeline },
    predict: (image) => reader.predict(image, { ...withSignal(io), exifOrientation: exif ? "apply" : "ignore" }),
    close: () => reader.close(),
  };
}

export function addReadCommand(program: Command, context: CommandContext): void {
  program
    .command("read")
    .description("find and read the text in pictures")
    .argument("<image...>", "picture files")
    .option("--pipeline <id>", "which models do it: pp-ocr-latin needs no download, pp-ocrv6 comes from the provider", "pp-ocr-latin")
    .option("--save <dir>", "write annotated copies of the pictures into this folder")
    .option("--json", "print one JSON document")
    .option("--no-exif", "leave pictures as they are stored, whatever their EXIF orientation says")
    .action(async (images: readonly string[], flags: ReadFlags) =>
      context.exitWith(await runOnPictures((status) => openReader(flags, context, status), images, flags, context)),
    );
}
