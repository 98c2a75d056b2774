/** Something that answers pictures, run over a list of them: printing, saving, and what to do about those that fail. */
import { basename, extname, join } from "node:path";
import type { Result } from "../results/index.js";
import type { CommandContext } from "./commands/context.js";
import { formatPrediction } from "./format-prediction.js";
import { errorToJson, reportError } from "./report-error.js";
import { StatusLine, styleFor, type Style } from "./terminal.js";

export interface PictureRunner {
  /** What answers, for people. */
  title(style: Style): readonly string[];
  /** The same in the JSON document, beside `results`. */
  readonly description: Readonly<Record<string, unknown>>;
  predict(image: string): Promise<Result>;
  close(): Promise<void>;
}

export interface PictureRunFlags {
  readonly save?: string;
  readonly json?: boolean;
}

/** What became of one picture. A result whose annotated copy could not be written has both `result` and `error`. */
interface Outcome {
  readonly input: string;
  readonly result?: Result;
  readonly saved?: string;
  readonly error?: unknown;
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

async function* outcomes(
  runner: PictureRunner,
  images: readonly string[],
  { save }: PictureRunFlags,
  { io }: CommandContext,
  status: StatusLine,
): AsyncGenerator<Outcome> {
  const taken = new Set<string>();
  for (const [index, input] of images.entries()) {
    let result: Result | undefined;
    try {
      status.show(`${images.length === 1 ? "" : `${index + 1}/${images.length} `}${input} ...`);
      result = await runner.predict(input);
      if (save === undefined) {
        yield { input, result };
        continue;
      }
      const { saveAnnotated, WRITABLE_ENDINGS } = await import("../results/drawing/index.js");
      const saved = savePath(save, input, WRITABLE_ENDINGS, taken);
      await saveAnnotated(saved, input, result);
      yield { input, result, saved };
    } catch (error) {
      // Ctrl-C ends the command; anything else ends this picture only.
      io.signal?.throwIfAborted();
      yield { input, error, ...(result === undefined ? {} : { result }) };
    }
  }
}

/**
 * @param open what answers; it may tell how far it is.
 * @returns the exit code: 1 when one picture or more failed.
 * @throws what `open` throws.
 */
export async function runOnPictures(
  open: (status: StatusLine) => Promise<PictureRunner>,
  images: readonly string[],
  flags: PictureRunFlags,
  context: CommandContext,
): Promise<number> {
  const { io } = context;
  const status = new StatusLine(io);
  const style = styleFor(io.stdout, io.env);
  const json = flags.json === true;
  const entries: Readonly<Record<string, unknown>>[] = [];
  let failed = 0;
  let runner: PictureRunner;
  try {
    runner = await open(status);
  } catch (error) {
    io.signal?.throwIfAborted();
    if (json) io.stdout.write(`${JSON.stringify({ error: errorToJson(error) }, null, 2)}\n`);
    throw error;
  } finally {
    status.clear();
  }
  try {
    if (!json) io.stdout.write(`${runner.title(style).join("\n")}\n`);
    for await (const { input, result, saved, error } of outcomes(runner, images, flags, context, status)) {
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
    if (json) io.stdout.write(`${JSON.stringify({ ...runner.description, results: entries }, null, 2)}\n`);
  } finally {
    status.clear();
    await runner.close();
  }
  return failed === 0 ? 0 : 1;
}
