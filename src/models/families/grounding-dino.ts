/**
 * Grounding DINO: finds what a caption names. One graph, with the ports that exports of Hugging Face's class have.
 *
 * Every box has a probability for each token of the caption. Here a box belongs to the class with the surest token, and that token's
 * probability is its confidence; marks and separators count for nothing. Published code glues the surest tokens together to a phrase instead,
 * which may mix classes: that phrase is kept beside the class.
 */
import * as z from "zod";

import { configuration } from "../../configuration.js";
import type { Tensor, TensorPort } from "../../engines/index.js";
import { CorruptedModelPackageError, ModelRuntimeError } from "../../errors.js";
import { compileCornerPlan, compileEdgePlan, roundHalfEven } from "../../imaging/index.js";
import type { Geometry, PreprocessPlan, Size } from "../../imaging/index.js";
import { bertTokenizerOfJson, bertTokenizerOfLines, type BertTokenizer } from "../../text/index.js";
import { integer, number, parseJsonAs } from "../../wire.js";
import type {
  MoreInputs,
  NetworkPorts,
  OpenVocabularyDescription,
  OpenVocabularyFamily,
  PackageContents,
  ResolvedOpenVocabularyOptions,
} from "../family.js";
import { captionOf, type Caption } from "./caption.js";
import { cornersOf, fixed, integerTensor, keepBest, requireIntegers, requirePort, type Found } from "./named-things.js";
import { floatData, formatDims, requireImageInput, requireOutput, requireRank, wrongNetwork } from "./outputs.js";

const SETTINGS_FILE = "preprocessor_config.json";
const VOCABULARY = "vocab.txt";
const TOKENIZER = "tokenizer.json";
const PICTURES = "pixel_values";
const PICTURE_MASK = "pixel_mask";
const TOKENS = "input_ids";
const TYPES = "token_type_ids";
const MASK = "attention_mask";
const BOXES = "boxes [batch, queries, 4]";
const LOGITS = "logits [batch, queries, tokens]";
const EXPORT = "Export GroundingDinoForObjectDetection of transformers to ONNX with the inputs and outputs that docs/texts.md lists.";
/** Tokens of a caption, marks included, where the network does not say. */
const CONTEXT_LENGTH = 256;

const { fround } = Math;
const sigmoid = (logit: number): number => fround(1 / (1 + Math.exp(-logit)));
const edge = integer.pipe(z.int().min(1).max(8192));
const triple = z.tuple([number, number, number]);
const schema = z.object({
  size: z.object({ shortest_edge: edge, longest_edge: edge }),
  image_mean: triple,
  image_std: triple.refine((values) => !values.includes(0), "expected deviations other than 0"),
});

interface GroundingDinoDescription extends OpenVocabularyDescription {
  /** Places of the outputs in the graph's order. */
  readonly outputs: { readonly logits: number; readonly boxes: number };
  /** Whether the network is told where the picture ends. Else boxes are fractions of all that it sees. */
  readonly masked: boolean;
  readonly tokenizer: BertTokenizer;
  /** Most tokens of a caption, marks included. */
  readonly contextLength: number;
}

/** Pictures of any shape; where the network's sides are fixed, in the upper left corner, as large as they fit. */
function planOf({ texts }: PackageContents, { dims }: TensorPort): PreprocessPlan {
  const file = texts[SETTINGS_FILE];
  if (file === undefined) throw new CorruptedModelPackageError(`Grounding DINO needs ${SETTINGS_FILE}.`, { kind: "config" });
  const { size, image_mean: mean, image_std: std } = parseJsonAs(schema, file.text, file);
  const [height, width] = [fixed(dims?.[2]), fixed(dims?.[3])];
  if (height === null && width === null) return compileEdgePlan({ shortest: size.shortest_edge, longest: size.longest_edge, mean, std });
  if (height === null || width === null)
    throw wrongNetwork(`Input "${PICTURES}" has shape ${formatDims(dims)}; either both sides of pictures are fixed, or none.`);
  const bytes = ([red, green, blue]: typeof mean) => [red * 255, green * 255, blue * 255] as const;
  return compileCornerPlan({ width, height }, bytes(mean), bytes(std));
}

/** @throws CorruptedModelPackageError */
function tokenizerOf({ texts }: PackageContents): BertTokenizer {
  const [lines, json] = [texts[VOCABULARY], texts[TOKENIZER]];
  if (lines !== undefined) return bertTokenizerOfLines(lines);
  if (json !== undefined) return bertTokenizerOfJson(json);
  throw new CorruptedModelPackageError(`Grounding DINO needs ${VOCABULARY} or ${TOKENIZER}.`, { kind: "artefact" });
}

/** Part of the network's input that the picture fills, from the upper left. */
const filled = ({ inferenceSize, padRight, padBottom }: Geometry): Size => ({
  width: inferenceSize.width - padRight,
  height: inferenceSize.height - padBottom,
});

function pictureMask(port: TensorPort, geometry: Geometry): Tensor {
  const { width, height } = geometry.inferenceSize;
  const picture = filled(geometry);
  const dims = [1, height, width];
  const rows = Array.from({ length: picture.height }, (_, row) => [row * width, row * width + picture.width] as const);
  // Filled as what it is: a million numbers would take long to become bigints.
  if (port.type === "int32") {
    const data = new Int32Array(width * height);
    for (const [start, end] of rows) data.fill(1, start, end);
    return { type: "int32", dims, data };
  }
  const data = new BigInt64Array(width * height);
  for (const [start, end] of rows) data.fill(1n, start, end);
  return { type: "int64", dims, data };
}

function inputsOf({ ids }: Caption, length: number, filling: number, inputs: readonly TensorPort[]): MoreInputs {
  const row = (data: readonly number[], rest: number): Int32Array => Int32Array.from({ length }, (_, place) => data[place] ?? rest);
  const values: Readonly<Record<string, Int32Array>> = {
    [TOKENS]: row(ids, filling),
    [TYPES]: new Int32Array(length),
    [MASK]: row(new Array<number>(ids.length).fill(1), 0),
  };
  const words = inputs.flatMap((port) => {
    const data = values[port.name];
    return data === undefined ? [] : [[port.name, integerTensor(port, [1, length], data)] as const];
  });
  const mask = inputs.find(({ name }) => name === PICTURE_MASK);
  return (geometry) => Object.fromEntries([...words, ...(mask === undefined ? [] : [[mask.name, pictureMask(mask, geometry)] as const])]);
}

function describe(contents: PackageContents, { inputs, outputs }: NetworkPorts): GroundingDinoDescription {
  const pictures = inputs[requirePort(inputs, PICTURES, "input", EXPORT)] as TensorPort;
  const plan = planOf(contents, pictures);
  requireImageInput([pictures], plan.defaultSize);
  if ((fixed(pictures.dims?.[0]) ?? 1) !== 1)
    throw wrongNetwork(
      `Input "${PICTURES}" has shape ${formatDims(pictures.dims)}; pictures have sizes of their own, so it has to be one at a time.`,
    );
  const known = { [TOKENS]: 2, [TYPES]: 2, [MASK]: 2, [PICTURE_MASK]: 3 };
  for (const port of inputs) {
    if (port === pictures) continue;
    const rank = known[port.name as keyof typeof known] as number | undefined;
    if (rank === undefined) throw wrongNetwork(`The network has an input "${port.name}" that this architecture does not know. ${EXPORT}`);
    requireIntegers(port, rank, rank === 2 ? "[batch, tokens]" : "[batch, height, width]");
  }
  const [logits, boxes] = [requirePort(outputs, "logits", "output", EXPORT), requirePort(outputs, "pred_boxes", "output", EXPORT)];
  requireOutput(outputs, boxes, 3, BOXES);
  const [, , columns = null] = requireOutput(outputs, logits, 3, LOGITS);
  const length = fixed(inputs[requirePort(inputs, TOKENS, "input", EXPORT)]?.dims?.[1]);
  const tokenizer = tokenizerOf(contents);
  const contextLength = Math.min(length ?? CONTEXT_LENGTH, columns ?? CONTEXT_LENGTH);
  return {
    plan,
    imageInput: PICTURES,
    classNames: [],
    maximumDynamicBatch: 1,
    acceptsImageSize: false,
    defaults: Object.freeze({ ...configuration().defaults.groundingDino, textConfidence: "as boxes" }),
    readClasses: async (classes) => {
      const caption = captionOf(classes, tokenizer, contextLength);
      return inputsOf(caption, length ?? caption.ids.length, tokenizer.filling, inputs);
    },
    outputs: { logits, boxes },
    masked: inputs.some(({ name }) => name === PICTURE_MASK),
    tokenizer,
    contextLength,
  };
}

/** What boxes are fractions of, in pixels of the picture. */
function areaOf(geometry: Geometry, masked: boolean): Size {
  const { originalSize, inferenceSize, scaleWidth, scaleHeight } = geometry;
  return masked ? originalSize : { width: inferenceSize.width / scaleWidth, height: inferenceSize.height / scaleHeight };
}

/** The surest token of a class. */
function scoreOf(logits: Float32Array, start: number, places: readonly number[]): number {
  return places.reduce((best, place) => Math.max(best, logits[start + place]!), -Infinity);
}

function findQueries(
  outputs: readonly Tensor[],
  image: number,
  geometry: Geometry,
  { outputs: at, masked, tokenizer, contextLength }: GroundingDinoDescription,
  { classes, thresholds, textConfidence }: ResolvedOpenVocabularyOptions,
): Found {
  const [logits, boxes] = [floatData(outputs, at.logits), floatData(outputs, at.boxes)];
  const [, queries = 0, columns = 0] = requireRank(logits.dims, 3, LOGITS);
  const [, boxCount, corners] = requireRank(boxes.dims, 3, BOXES);
  const caption = captionOf(classes, tokenizer, contextLength);
  if (boxCount !== queries || corners !== 4 || columns < caption.ids.length - 1) {
    throw new ModelRuntimeError(
      `The network returned boxes of shape ${formatDims(boxes.dims)} and logits of shape ${formatDims(logits.dims)} for a caption of ${caption.ids.length} tokens.`,
      { stage: "postprocess" },
    );
  }
  const area = areaOf(geometry, masked);
  const words = caption.places.flat();
  const [xyxy, scores, classIds, data]: [number[], number[], number[], { phrase: string }[]] = [[], [], [], []];
  for (let query = 0; query < queries; query++) {
    const start = (image * queries + query) * columns;
    const ofClasses = caption.places.map((places) => scoreOf(logits.data, start, places));
    const best = ofClasses.reduce((found, score, id) => (score > ofClasses[found]! ? id : found), 0);
    const score = sigmoid(ofClasses[best]!);
    const threshold = thresholds[thresholds.length === 1 ? 0 : best] ?? Number.NaN;
    if (!(score > threshold)) continue;
    const least = textConfidence ?? threshold;
    const said = words.filter((place) => sigmoid(logits.data[start + place]!) > least);
    xyxy.push(...cornersOf(boxes.data, (image * queries + query) * 4, area));
    scores.push(score);
    classIds.push(best);
    data.push({ phrase: tokenizer.decode(said.map((place) => caption.ids[place]!)) });
  }
  return { xyxy: Float32Array.from(xyxy), scores: Float32Array.from(scores), classIds: Int32Array.from(classIds), data };
}

export const family: OpenVocabularyFamily<GroundingDinoDescription> = {
  task: "open-vocabulary-object-detection",
  files: [SETTINGS_FILE],
  oneOf: [VOCABULARY, TOKENIZER],
  weights: "weights.onnx",
  resizeModes: null,
  describe,
  decode: (outputs, image, geometry, description, options, decoder) =>
    keepBest(findQueries(outputs, image, geometry, description, options), options, roundHalfEven, decoder),
};
