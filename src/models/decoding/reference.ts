/**
 * Decoding in plain TypeScript: what the addon does, written to be read. `Math.fround` stands wherever float32 rounding
 * could change a decision, so both give the same bits.
 */

import type { NativeMatrix } from "../../native/index.js";
import { makeClassMap, makeValueMap } from "./maps.js";
import { boxFromPrior } from "./priors.js";
import { decodeKeyPointQueries, gatherKeyPoints } from "./reference-key-points.js";
import { decodeMasks } from "./reference-masks.js";
import { sigmoid } from "./sigmoid.js";
import type { DecodeSettings, DenseHead, Decoder, DetectionRows, QueriesHead, RowsHead } from "./types.js";
import {
  requireBoolean,
  requireCount,
  requireFinite,
  requireFloat32Array,
  requireInt32Array,
  requireLength,
  requireMatrix,
  requireObject,
  requireOneOf,
  requirePriors,
  requireQueries,
  requireSettings,
} from "./validation.js";

const { fround } = Math;

type Box = readonly [x1: number, y1: number, x2: number, y2: number];

interface Detection {
  readonly box: Box;
  readonly score: number;
  readonly classId: number;
  readonly index: number;
}

/** Every element that is read lies inside its array: callers have checked. NaN never passes, should that be wrong. */
function at(matrix: NativeMatrix, candidate: number, attribute: number): number {
  return matrix.data[matrix.offset + candidate * matrix.candidateStride + attribute * matrix.attributeStride] ?? Number.NaN;
}

function boxAt(matrix: NativeMatrix, candidate: number): Box {
  return [at(matrix, candidate, 0), at(matrix, candidate, 1), at(matrix, candidate, 2), at(matrix, candidate, 3)];
}

function cornersFromCenter([cx, cy, width, height]: Box): Box {
  const halfWidth = fround(width * 0.5);
  const halfHeight = fround(height * 0.5);
  return [fround(cx - halfWidth), fround(cy - halfHeight), fround(cx + halfWidth), fround(cy + halfHeight)];
}

/** Corners in network pixels. */
function candidateBox({ boxes, boxFormat, priors }: DenseHead, candidate: number): Box {
  const box = boxAt(boxes, candidate);
  if (boxFormat === "offsets" && priors !== undefined) return boxFromPrior(boxAt(priors, candidate), box, priors.inputSize);
  return boxFormat === "xyxy" ? box : cornersFromCenter(box);
}

/** NaN, above which nothing is, for a class without a threshold. */
function thresholdFor(thresholds: Float32Array, classId: number): number {
  return (thresholds.length === 1 ? thresholds[0] : thresholds[classId]) ?? Number.NaN;
}

/** The first greatest score; NaN is passed over. Null where no class has a score. */
function bestClass(head: DenseHead, candidate: number): { readonly classId: number; readonly score: number } | null {
  const object = head.objectnessUse === "product" && head.objectness !== null ? sigmoid(at(head.objectness, candidate, 0)) : null;
  let best: { readonly classId: number; readonly score: number } | null = null;
  for (let classId = 0; classId < head.classes; classId++) {
    const value = at(head.scores, candidate, classId);
    const score = object === null ? value : fround(object * sigmoid(value));
    if (score > (best?.score ?? -Infinity)) best = { classId, score };
  }
  return best;
}

function gatherDense(head: DenseHead, thresholds: Float32Array): Detection[] {
  const detections: Detection[] = [];
  for (let candidate = 0; candidate < head.candidates; candidate++) {
    const best = bestClass(head, candidate);
    if (best === null) continue;
    const judged = head.objectnessUse === "gate" && head.objectness !== null ? at(head.objectness, candidate, 0) : best.score;
    if (!(judged > thresholdFor(thresholds, best.classId))) continue;
    detections.push({ ...best, box: candidateBox(head, candidate), index: candidate });
  }
  return detections;
}

function intersectionOverUnion(a: Box, b: Box): number {
  const width = fround((a[2] < b[2] ? a[2] : b[2]) - (a[0] > b[0] ? a[0] : b[0]));
  const height = fround((a[3] < b[3] ? a[3] : b[3]) - (a[1] > b[1] ? a[1] : b[1]));
  const intersection = fround((width > 0 ? width : 0) * (height > 0 ? height : 0));
  return fround(intersection / fround(fround(area(a) + area(b)) - intersection));
}

function area([x1, y1, x2, y2]: Box): number {
  return fround(fround(x2 - x1) * fround(y2 - y1));
}

/** Best first, equal scores in their order. */
function byScore<T extends { readonly score: number }>(detections: readonly T[]): T[] {
  return detections.filter(({ score }) => !Number.isNaN(score)).sort((a, b) => (a.score === b.score ? 0 : b.score > a.score ? 1 : -1));
}

/** Greedy: best first, a box stays unless it overlaps a box of its class that stays. */
function suppress(detections: readonly Detection[], iouThreshold: number, classAgnostic: boolean, limit: number): Detection[] {
  const threshold = fround(iouThreshold);
  const kept: Detection[] = [];
  const keptByClass = new Map<number, Box[]>();
  for (const detection of byScore(detections)) {
    if (kept.length >= limit) break;
    const group = classAgnostic ? 0 : detection.classId;
    const rivals = keptByClass.get(group) ?? [];
    if (rivals.some((rival) => intersectionOverUnion(rival, detection.box) > threshold)) continue;
    keptByClass.set(group, rivals);
    rivals.push(detection.box);
    kept.push(detection);
  }
  return kept;
}

function toRows(detections: readonly Detection[]): DetectionRows {
  return {
    xyxy: Float32Array.from(detections.flatMap(({ box }) => box)),
    scores: Float32Array.from(detections, ({ score }) => score),
    classIds: Int32Array.from(detections, ({ classId }) => classId),
    indices: Int32Array.from(detections, ({ index }) => index),
  };
}

function decodeDense(head: DenseHead, settings: DecodeSettings): DetectionRows {
  requireObject(head, "head");
  requireCount(head.candidates, "head.candidates");
  requireCount(head.classes, "head.classes", 1);
  requireOneOf(head.boxFormat, "head.boxFormat", ["cxcywh", "xyxy", "offsets"]);
  requireOneOf(head.objectnessUse, "head.objectnessUse", ["none", "gate", "product"]);
  requireMatrix(head.boxes, "head.boxes", head.candidates, 4);
  if (head.boxFormat === "offsets") requirePriors(head.priors, "head.priors", head.candidates);
  requireMatrix(head.scores, "head.scores", head.candidates, head.classes);
  if (head.objectnessUse !== "none") requireMatrix(head.objectness as NativeMatrix, "head.objectness", head.candidates, 1);
  requireSettings(settings);

  const limit = settings.maxDetections ?? Infinity;
  const candidates = gatherDense(head, settings.thresholds);
  if (settings.iouThreshold === null) return toRows(byScore(candidates).slice(0, limit));
  return toRows(suppress(candidates, settings.iouThreshold, settings.classAgnostic, limit));
}

function decodeRows(head: RowsHead, settings: DecodeSettings): DetectionRows {
  requireObject(head, "head");
  requireCount(head.rows, "head.rows");
  requireCount(head.columns, "head.columns", 6);
  requireBoolean(head.inclusive, "head.inclusive");
  const rows: NativeMatrix = { data: head.data, offset: head.offset, candidateStride: head.columns, attributeStride: 1 };
  requireMatrix(rows, "head", head.rows, head.columns);
  requireSettings(settings);

  const limit = settings.maxDetections ?? Infinity;
  const detections: Detection[] = [];
  for (let index = 0; index < head.rows && detections.length < limit; index++) {
    const score = at(rows, index, 4);
    const classId = Math.trunc(at(rows, index, 5));
    if (!(classId >= -(2 ** 31) && classId < 2 ** 31)) continue;
    const threshold = thresholdFor(settings.thresholds, classId);
    if (head.inclusive ? score >= threshold : score > threshold) detections.push({ box: boxAt(rows, index), score, classId, index });
  }
  return toRows(detections);
}

function decodeQueries(head: QueriesHead, settings: DecodeSettings): DetectionRows {
  const { boxes, logits } = requireQueries(head);
  requireSettings(settings);

  const pairs = Array.from({ length: head.queries * head.classes }, (_, position) => {
    const query = Math.trunc(position / head.classes);
    const column = position % head.classes;
    return { query, column, score: sigmoid(at(logits, query, column)) };
  });
  const detections: Detection[] = [];
  // Classes that are not reported still take places among the best: they are dropped afterwards.
  for (const { query, column, score } of byScore(pairs).slice(0, head.queries)) {
    const classId = head.classMapping[column] ?? -1;
    if (classId < 0 || !(score > thresholdFor(settings.thresholds, classId))) continue;
    detections.push({ box: cornersFromCenter(boxAt(boxes, query)), score, classId, index: query });
  }
  return toRows(detections.slice(0, settings.maxDetections ?? Infinity));
}

function nonMaximumSuppression(xyxy: Float32Array, scores: Float32Array, classIds: Int32Array, iouThreshold: number): Int32Array {
  requireFinite(iouThreshold, "iouThreshold");
  const { length } = requireFloat32Array(scores, "scores");
  requireLength(requireFloat32Array(xyxy, "xyxy"), "xyxy", 4 * length);
  requireLength(requireInt32Array(classIds, "classIds"), "classIds", length);
  const boxes: NativeMatrix = { data: xyxy, offset: 0, candidateStride: 4, attributeStride: 1 };
  const detections = Array.from(scores, (score, index) => ({ box: boxAt(boxes, index), score, classId: classIds[index] ?? 0, index }));
  return Int32Array.from(suppress(detections, iouThreshold, false, Infinity), ({ index }) => index);
}

/** Needs nothing but JavaScript; works on the calling thread. */
export const referenceDecoder: Decoder = {
  name: "reference",
  decodeDense: async (head, settings) => decodeDense(head, settings),
  decodeRows: async (head, settings) => decodeRows(head, settings),
  decodeQueries: async (head, settings) => decodeQueries(head, settings),
  decodeKeyPointQueries: async (head, settings) => decodeKeyPointQueries(head, settings),
  gatherKeyPoints: async (attributes, indices, slots) => gatherKeyPoints(attributes, indices, slots),
  decodeMasks: async (head, selection, target) => decodeMasks(head, selection, target),
  nonMaximumSuppression: async (xyxy, scores, classIds, iouThreshold) => nonMaximumSuppression(xyxy, scores, classIds, iouThreshold),
  makeClassMap: async (map, placement, settings) => makeClassMap(map, placement, settings),
  makeValueMap: async (map, placement, filter) => makeValueMap(map, placement, filter),
};
