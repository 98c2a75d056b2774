/** Where a detection head lies in the outputs of a network, as data: read out of tensors here, or decoded by a device where it is. */
import type { Tensor, TensorPort } from "../../engines/index.js";
import { ModelRuntimeError } from "../../errors.js";
import type {
  NativeDenseLayout,
  NativeHeadPart,
  NativeMatrix,
  NativePriorsLayout,
  NativeQueriesLayout,
  NativeRowsLayout,
} from "../../native/index.js";
import type { Decoder, DecodeSettings, DenseHead, DetectionRows, QueriesHead, RowsHead } from "../decoding/index.js";
import { floatData, formatDims, requireRank } from "./outputs.js";

export type HeadPart = NativeHeadPart;
export type DenseLayout = NativeDenseLayout;
export type QueriesLayout = NativeQueriesLayout;
/** Of rows that went through NMS in the graph. */
export type RowsLayout = NativeRowsLayout;

export type HeadLayout = DenseLayout | QueriesLayout | RowsLayout;

/** One picture's share of the outputs, in one of the three shapes that decoders know. */
export type DetectorHead =
  | { readonly kind: "dense"; readonly head: DenseHead }
  | { readonly kind: "rows"; readonly head: RowsHead }
  | { readonly kind: "queries"; readonly head: QueriesHead };

export const ROWS_MEANING = "[batch, rows, 6 or more]: x1, y1, x2, y2, score, class id";

/** Part of an output of its own, `[batch, candidates, attributes]`. */
export function wholeOutput(output: number): HeadPart {
  return { output, attributes: "last", from: 0 };
}

/** One picture's share of an output. */
export interface ReadPart {
  readonly candidates: number;
  readonly attributes: number;
  readonly matrix: NativeMatrix;
}

/** @throws ModelRuntimeError */
export function readPart(outputs: readonly Tensor[], image: number, { output, attributes, from }: HeadPart): ReadPart {
  const { data, dims } = floatData(outputs, output);
  const first = attributes === "first";
  const meaning = first ? "[batch, attributes, candidates]" : "[batch, candidates, attributes]";
  const [, rows = 0, columns = 0] = requireRank(dims, 3, meaning);
  const [all, candidates] = first ? [rows, columns] : [columns, rows];
  const [candidateStride, attributeStride] = first ? [1, candidates] : [all, 1];
  return {
    candidates,
    attributes: Math.max(all - from, 0),
    matrix: { data, offset: image * rows * columns + from * attributeStride, candidateStride, attributeStride },
  };
}

/** Parts of one head speak of the same candidates. */
function requireSame(parts: readonly Pick<ReadPart, "candidates">[], what: string): void {
  if (parts.every(({ candidates }) => candidates === parts[0]?.candidates)) return;
  throw new ModelRuntimeError(
    `The network returned outputs for different numbers of ${what}: ${parts.map(({ candidates }) => candidates).join(", ")}.`,
    { stage: "postprocess" },
  );
}

function readPriors({ output, inputSize }: NativePriorsLayout, outputs: readonly Tensor[]) {
  const { data } = floatData(outputs, output);
  return { candidates: data.length / 4, matrix: { data, offset: 0, candidateStride: 4, attributeStride: 1, inputSize } };
}

function readDense(layout: DenseLayout, outputs: readonly Tensor[], image: number): DenseHead {
  const boxes = readPart(outputs, image, layout.boxes);
  const scores = readPart(outputs, image, layout.scores);
  const objectness = layout.objectness === null ? null : readPart(outputs, image, layout.objectness);
  const priors = layout.priors === undefined ? null : readPriors(layout.priors, outputs);
  requireSame(
    [boxes, scores, objectness, priors].filter((part) => part !== null),
    "candidates",
  );
  return {
    candidates: boxes.candidates,
    classes: Math.max(scores.attributes - layout.extras, 0),
    boxes: boxes.matrix,
    boxFormat: layout.boxFormat,
    priors: priors?.matrix,
    scores: scores.matrix,
    objectness: objectness?.matrix ?? null,
    objectnessUse: layout.objectnessUse,
  };
}

/** @throws ModelRuntimeError */
export function readQueries(layout: QueriesLayout, outputs: readonly Tensor[], image: number): QueriesHead {
  const boxes = readPart(outputs, image, wholeOutput(layout.boxes));
  const logits = readPart(outputs, image, wholeOutput(layout.logits));
  requireSame([boxes, logits], "queries");
  if (boxes.attributes !== 4) {
    const { dims } = outputs[layout.boxes] as Tensor;
    throw new ModelRuntimeError(`The network returned boxes of shape ${formatDims(dims)}; expected [batch, queries, 4].`, {
      stage: "postprocess",
    });
  }
  return {
    boxes: boxes.matrix.data,
    boxesOffset: boxes.matrix.offset,
    logits: logits.matrix.data,
    logitsOffset: logits.matrix.offset,
    queries: logits.candidates,
    classes: logits.attributes,
    classMapping: Int32Array.from({ length: logits.attributes }, (_, column) => layout.classMapping[column] ?? -1),
  };
}

function readRows({ output, inclusive }: RowsLayout, outputs: readonly Tensor[], image: number): RowsHead {
  const { data, dims } = floatData(outputs, output);
  const [, rows = 0, columns = 0] = requireRank(dims, 3, ROWS_MEANING);
  return { data, offset: image * rows * columns, rows, columns, inclusive };
}

/** @throws ModelRuntimeError when the outputs have other shapes than the layout says. */
export function readHead(layout: HeadLayout, outputs: readonly Tensor[], image: number): DetectorHead {
  switch (layout.kind) {
    case "dense":
      return { kind: "dense", head: readDense(layout, outputs, image) };
    case "queries":
      return { kind: "queries", head: readQueries(layout, outputs, image) };
    case "rows":
      return { kind: "rows", head: readRows(layout, outputs, image) };
  }
}

export function decodeHead({ kind, head }: DetectorHead, settings: DecodeSettings, decoder: Decoder): Promise<DetectionRows> {
  switch (kind) {
    case "dense":
      return decoder.decodeDense(head, settings);
    case "rows":
      return decoder.decodeRows(head, settings);
    case "queries":
      return decoder.decodeQueries(head, settings);
  }
}

function outputsRead(layout: HeadLayout): readonly number[] {
  if (layout.kind === "queries") return [layout.boxes, layout.logits];
  if (layout.kind === "rows") return [layout.output];
  const { boxes, scores, objectness, priors } = layout;
  return [boxes, scores, objectness, priors].flatMap((part) => part?.output ?? []);
}

/** Why a device cannot decode a head where the network leaves it; null: it can. */
export function obstacleToDevice(layout: HeadLayout, outputs: readonly TensorPort[]): string | null {
  const ofTypes = outputsRead(layout)
    .map((index) => obstacleOfType(index, outputs))
    .find((obstacle) => obstacle !== null);
  if (ofTypes !== undefined) return ofTypes;
  return layout.kind === "rows" ? obstacleToRows(layout, outputs) : null;
}

/** A graph that hands out as many rows as it has found. */
function obstacleToRows({ output }: RowsLayout, outputs: readonly TensorPort[]): string | null {
  const { name = "", dims = null } = outputs[output] ?? {};
  if (typeof dims?.[1] === "number") return null;
  return `output ${output} "${name}", ${formatDims(dims)}, has as many rows as the network finds, which is known only after a run`;
}

/** Devices read float32 and float16. */
export function obstacleOfType(index: number, outputs: readonly TensorPort[]): string | null {
  const { name = "", type = null } = outputs[index] ?? {};
  if (type === "float32" || type === "float16") return null;
  return `output ${index} "${name}" is ${String(type)}, and the device decodes float32 and float16`;
}
