import type { Command } from "commander";
import { formatModel } from "../format-prediction.js";
import { addModelOptions, toModelOptions, type ModelFlags } from "../model-options.js";
import { parseConfidence, parseCount, parseFraction, parseImageSize, parseNames } from "../option-values.js";
import { runOnPictures, type PictureRunFlags, type PictureRunner } from "../picture-run.js";
import { progressLine } from "../progress.js";
import type { PredictOptions } from "../services.js";
import type { Io, StatusLine } from "../terminal.js";
import type { CommandContext } from "./context.js";

interface PredictFlags extends ModelFlags, PictureRunFlags {
  readonly confidence?: number | "default" | "best";
  readonly iou?: number;
  readonly maxDetections?: number;
  readonly imageSize?: number | readonly [width: number, height: number];
  readonly classes?: readonly string[];
  /** False after --no-exif. */
  readonly exif: boolean;
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
      context.exitWith(await runOnPictures((status) => openModel(model, flags, context, status), images, flags, context)),
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

async function openModel(name: string, flags: PredictFlags, { io, services }: CommandContext, status: StatusLine): Promise<PictureRunner> {
  status.show(`Loading ${name} ...`);
  const model = await services.loadModel(name, {
    ...toModelOptions(flags),
    ...(io.signal === undefined ? {} : { signal: io.signal }),
    onProgress: (event) => {
      const line = progressLine(event, io.stderr.columns);
      if (line !== null) status.show(line);
    },
  });
  return {
    title: (style) => formatModel(model, style),
    description: { model: { ...model.info, task: model.task } },
    predict: (image) => model.predict(image, toOptions(flags, io)),
    close: () => model.close(),
  };
}
