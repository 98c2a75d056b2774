import { basename, extname, join } from "node:path";
import type { Command } from "commander";
import type { Result } from "../../results/index.js";
import { formatModel, formatPrediction } from "../format-prediction.js";
import { addModelOptions, toModelOptions, type ModelFlags } from "../model-options.js";
import { parseConfidence, parseCount, parseFraction, parseImageSize, parseNames } from "../option-values.js";
import { progressLine } from "../progress.js";
import { errorToJson, reportError } from "../report-error.js";
import type { LoadedModel, PredictOptions } from "../services.js";
import { StatusLine, styleFor } from "../terminal.js";
import type { Io } from "../terminal.js";
import type { CommandContext } from "./context.js";

interface PredictFlags extends ModelFlags {
  readonly save?: string;
  readonly json?: boolean;
  readonly confidence?: number | "default" | "best";
  readonly iou?: number;
  readonly maxDetections?: number;
  readonly imageSize?: number | readonly [width: number, height: number];
  readonly classes?: readonly string[];
  /** False after --no-exif. */
  readonly exif: boolean;
}

/** What became of one picture. A result whose annotated copy could not be written has both `result` and `error`. */
interface Outcome {
  readonly input: string;
  readonly result?: Result;
  readonly saved?: string;
  readonly error?: unknown;
}

export function addPredictCommand(program: Command, context: CommandContext): void {
  addModelOptions(program.command("predict"))
    .description("run a model on pictures")
    .argument("<model>", "id of a model, or folder of a model package")
    .argument("<image...>", "picture files")
    .option("--save <dir>", "write annotated copies of the pictures into this folder")
    .option("--json", "print one JSON document")
    .option("--confidence <n>", 'least confidence, 0 to 1, or "best" (the package\'s recommendation)', parseConfidence)
    .option("--iou <n>", "boxes that overlap a better one by more than this are dropped, 0 to 1", parseFraction)
    .option("--max-detections <n>", "at most this many detections per picture", parseCount)
    .option("--image-size <size>", "size of the network's input, N or WIDTHxHEIGHT, for models that support it", parseImageSize)
    .option("--classes <names>", "what to look for, with commas between, for models that are told in words", parseNames)
    .option("--no-exif", "leave pictures as they are stored, whatever their EXIF orientation says")
    .addHelpText(
      "after",
      "\nExamples:\n  $ inference-models predict mediapipe/face-detector portrait.jpg --save annotated\n  $ inference-models predict ./my-package *.jpg --json --confidence 0.5 > results.json",
    )
    .action(async (model: string, images: readonly string[], flags: PredictFlags) =>
      context.exitWith(await predict(model, images, flags, context)),
    );
}

function toOptions({ confidence, iou, maxDetections, imageSize, classes, exif }: PredictFlags, { signal }: Io): PredictOptions {
  return {
    ...(confidence === undefined ? {} : { confidence }),
    ...(iou === undefined ? {} : { iouThreshold: iou }),
    ...(maxDetections === undefined ? {} : { maxDetections }),
    ...(imageSize === undefined ? {} : { imageSize }),
    ...(classes === undefined ? {} : { classes }),
    ...(exif ? {} : { exifOrientation: "ignore" }),
    ...(signal === undefined ? {} : { signal }),
  };
}

/** Where the annotated copy goes: never over the original, nor over a copy of an equally named picture. */
function savePath(folder: string, image: string, writable: readonly string[], taken: Set<string>): string {
  const ending = extname(image);
  const kept = writable.includes(ending.toLowerCase()) ? ending : ".png";
  const name = `${basename(image, ending)}-annotated`;
  for (let copy = 1; ; copy++) {
    const path = join(folder, `${name}${copy === 1 ? "" : `-${copy}`}${kept}`);
    if (taken.has(path)) continue;
    taken.add(path);
    return path;
  }
}

async function loadModel(name: string, flags: PredictFlags, { io, services }: CommandContext, status: StatusLine): Promise<LoadedModel> {
  status.show(`Loading ${name} ...`);
  try {
    return await services.loadModel(name, {
      ...toModelOptions(flags),
      ...(io.signal === undefined ? {} : { signal: io.signal }),
      onProgress: (event) => {
        const line = progressLine(event, io.stderr.columns);
        if (line !== null) status.show(line);
      },
    });
  } finally {
    status.clear();
  }
}

async function* outcomes(
  model: LoadedModel,
  images: readonly string[],
  flags: PredictFlags,
  io: Io,
  status: StatusLine,
): AsyncGenerator<Outcome> {
  const taken = new Set<string>();
  for (const [index, input] of images.entries()) {
    let result: Result | undefined;
    try {
      status.show(`${images.length === 1 ? "" : `${index + 1}/${images.length} `}${input} ...`);
      result = await model.predict(input, toOptions(flags, io));
      if (flags.save === undefined) {
        yield { input, result };
        continue;
      }
      const { saveAnnotated, WRITABLE_ENDINGS } = await import("../../results/drawing/index.js");
      const saved = savePath(flags.save, input, WRITABLE_ENDINGS, taken);
      await saveAnnotated(saved, input, result);
      yield { input, result, saved };
    } catch (error) {
      // Ctrl-C ends the command; anything else ends this picture only.
      io.signal?.throwIfAborted();
      yield { input, error, ...(result === undefined ? {} : { result }) };
    }
  }
}

async function predict(name: string, images: readonly string[], flags: PredictFlags, context: CommandContext): Promise<number> {
  const { io } = context;
  const status = new StatusLine(io);
  const style = styleFor(io.stdout, io.env);
  const json = flags.json === true;
  const entries: Readonly<Record<string, unknown>>[] = [];
  let failed = 0;
  let model: LoadedModel;
  try {
    model = await loadModel(name, flags, context, status);
  } catch (error) {
    io.signal?.throwIfAborted();
    if (json) io.stdout.write(`${JSON.stringify({ error: errorToJson(error) }, null, 2)}\n`);
    throw error;
  }
  try {
    if (!json) io.stdout.write(`${formatModel(model, style).join("\n")}\n`);
    for await (const { input, result, saved, error } of outcomes(model, images, flags, io, status)) {
      status.clear();
      if (json) {
        entries.push({
          input,
          ...(result === undefined ? {} : result.toJSON()),
          ...(saved === undefined ? {} : { saved }),
          ...(error === undefined ? {} : { error: errorToJson(error) }),
        });
      } else if (result !== undefined) {
        io.stdout.write(`\n${formatPrediction(input, result, style, io.stdout.columns).join("\n")}\n`);
      }
      if (saved !== undefined && !json) io.stderr.write(`saved ${saved}\n`);
      if (error !== undefined) {
        failed++;
        reportError(error, io, input);
      }
    }
    if (json) io.stdout.write(`${JSON.stringify({ model: { ...model.info, task: model.task }, results: entries }, null, 2)}\n`);
  } finally {
    status.clear();
    await model.close();
  }
  return failed === 0 ? 0 : 1;
}
