/** OWLv2: finds what is named in words. One graph for pictures and words, as Hugging Face's Optimum exports it. */
import * as z from "zod";

import { configuration } from "../../configuration.js";
import type { Tensor, TensorPort } from "../../engines/index.js";
import { ModelInputError, ModelRuntimeError } from "../../errors.js";
import { compileSmoothPlan } from "../../imaging/index.js";
import type { Geometry, SmoothPlan } from "../../imaging/index.js";
import { loadOwlTokenizer } from "../../text/index.js";
import { integer, number, parseJsonAs } from "../../wire.js";
import type {
  NetworkPorts,
  OpenVocabularyDescription,
  OpenVocabularyFamily,
  PackageContents,
  ResolvedOpenVocabularyOptions,
} from "../family.js";
import { cornersOf, fixed, integerTensor, keepBest, requireIntegers, requirePort, type Found } from "./named-things.js";
import { floatData, formatDims, requireImageInput, requireOutput, requireRank, wrongNetwork } from "./outputs.js";

const SETTINGS_FILE = "preprocessor_config.json";
const PICTURES = "pixel_values";
const TOKENS = "input_ids";
const MASK = "attention_mask";
/** Tokens per class, where the network does not say. */
const CONTEXT_LENGTH = 16;
const EXPORT = "Export it with Optimum, task zero-shot-object-detection.";
const BOXES = "boxes [batch, cells, 4]";
const LOGITS = "logits [batch, cells, classes]";

const { fround } = Math;
/** Published networks take 960 or 1008 pixels; four times as much already fills memories. */
const side = integer.pipe(z.int().min(1).max(4096));
const triple = z.tuple([number, number, number]);
const schema = z.object({
  size: z.object({ height: side, width: side }).refine(({ height, width }) => height === width, "expected a square"),
  image_mean: triple,
  image_std: triple.refine((values) => !values.includes(0), "expected deviations other than 0"),
});

interface Owlv2Description extends OpenVocabularyDescription {
  /** Places of the outputs in the graph's order. */
  readonly outputs: { readonly logits: number; readonly boxes: number };
}

function planOf({ texts }: PackageContents): SmoothPlan {
  const file = texts[SETTINGS_FILE];
  if (file === undefined) throw new ModelInputError(`OWLv2 needs ${SETTINGS_FILE}.`);
  const { size, image_mean: mean, image_std: std } = parseJsonAs(schema, file.text, file);
  return compileSmoothPlan({ mode: "padded-square", ...size, mean, std });
}

/** @throws CorruptedModelPackageError for ports that tokens do not fit into. */
function classReader(inputs: readonly TensorPort[]): OpenVocabularyDescription["readClasses"] {
  const ports = inputs.filter(({ name }) => name === TOKENS || name === MASK);
  for (const port of ports) requireIntegers(port, 2, "[classes, tokens]");
  const [places, length] = inputs[requirePort(inputs, TOKENS, "input", EXPORT)]?.dims ?? [];
  const [limit, contextLength] = [fixed(places), fixed(length) ?? CONTEXT_LENGTH];
  return async (classes) => {
    if (limit !== null && classes.length > limit) {
      throw new ModelInputError(
        `${classes.length} classes were given; this network was exported for ${limit}. Export it with a free number of them, or ask several times.`,
      );
    }
    const dims = [limit ?? classes.length, contextLength];
    // Places without a class keep zeros, which the network takes for nothing.
    const tokens = new Int32Array((limit ?? classes.length) * contextLength);
    tokens.set((await loadOwlTokenizer()).encodeAll(classes, contextLength));
    const values: Readonly<Record<string, Int32Array>> = { [TOKENS]: tokens, [MASK]: attention(tokens, contextLength) };
    const inputs = Object.fromEntries(ports.map((port) => [port.name, integerTensor(port, dims, values[port.name] ?? tokens)]));
    return () => inputs;
  };
}

/** 1 up to the end mark of each class; a filling 0 and the token 0 (an exclamation mark) look alike, so the last other one is looked for. */
function attention(tokens: Int32Array, contextLength: number): Int32Array {
  const mask = new Int32Array(tokens.length);
  for (let start = 0; start < tokens.length; start += contextLength) {
    const last = tokens.subarray(start, start + contextLength).findLastIndex((token) => token !== 0);
    // A place without a class attends to one token: to none would be a division by zero.
    mask.fill(1, start, start + Math.max(last, 0) + 1);
  }
  return mask;
}

/** The best class of every cell, as the logistic function of its logit; strictly above the threshold. All in float32. */
function findCells(
  outputs: readonly Tensor[],
  image: number,
  side: number,
  { outputs: at }: Owlv2Description,
  options: ResolvedOpenVocabularyOptions,
): Found {
  const [logits, boxes] = [floatData(outputs, at.logits), floatData(outputs, at.boxes)];
  const [, cells = 0, columns = 0] = requireRank(logits.dims, 3, LOGITS);
  const [, boxCount, corners] = requireRank(boxes.dims, 3, BOXES);
  if (boxCount !== cells || corners !== 4) {
    throw new ModelRuntimeError(`The network returned boxes of shape ${formatDims(boxes.dims)} for ${cells} cells.`, {
      stage: "postprocess",
    });
  }
  const classes = Math.min(columns, options.classes.length);
  const { thresholds } = options;
  const [xyxy, scores, classIds]: [number[], number[], number[]] = [[], [], []];
  for (let cell = 0; cell < cells; cell++) {
    const start = (image * cells + cell) * columns;
    let best = 0;
    for (let id = 1; id < classes; id++) if (logits.data[start + id]! > logits.data[start + best]!) best = id;
    const score = fround(1 / (1 + Math.exp(-logits.data[start + best]!)));
    if (!(score > (thresholds[thresholds.length === 1 ? 0 : best] ?? Number.NaN))) continue;
    xyxy.push(...cornersOf(boxes.data, (image * cells + cell) * 4, { width: side, height: side }));
    scores.push(score);
    classIds.push(best);
  }
  return { xyxy: Float32Array.from(xyxy), scores: Float32Array.from(scores), classIds: Int32Array.from(classIds) };
}

function describe(contents: PackageContents, { inputs, outputs }: NetworkPorts): Owlv2Description {
  const plan = planOf(contents);
  const pictures = inputs[requirePort(inputs, PICTURES, "input", EXPORT)] as TensorPort;
  requireImageInput([pictures], plan.defaultSize);
  if ((fixed(pictures.dims?.[0]) ?? 1) !== 1) {
    throw wrongNetwork(
      `Input "${PICTURES}" has shape ${formatDims(pictures.dims)}; words are shared out among the pictures of a run, so it has to be one at a time.`,
    );
  }
  const [logits, boxes] = [requirePort(outputs, "logits", "output", EXPORT), requirePort(outputs, "pred_boxes", "output", EXPORT)];
  requireOutput(outputs, logits, 3, LOGITS);
  requireOutput(outputs, boxes, 3, BOXES);
  return {
    plan,
    imageInput: PICTURES,
    classNames: [],
    maximumDynamicBatch: 1,
    acceptsImageSize: false,
    defaults: Object.freeze({ ...configuration().defaults.owlv2, textConfidence: null }),
    readClasses: classReader(inputs),
    outputs: { logits, boxes },
  };
}

/** Boxes are fractions of the square that was made of the picture. */
const squareSide = ({ originalSize: { width, height } }: Geometry): number => Math.max(width, height);

export const family: OpenVocabularyFamily<Owlv2Description> = {
  task: "open-vocabulary-object-detection",
  files: [SETTINGS_FILE],
  weights: "weights.onnx",
  resizeModes: null,
  describe,
  decode: (outputs, image, geometry, description, options, decoder) =>
    // Truncated, not rounded, as in the reference.
    keepBest(findCells(outputs, image, squareSide(geometry), description, options), options, Math.trunc, decoder),
};
