/**
 * Key points in plain TypeScript: what native/detection/key_points.cc does, written to be read, with the same bits.
 */
import { exp, log } from "./exponential.js";
import { sigmoid } from "./sigmoid.js";
import type { CandidateMatrix, DecodeSettings, KeyPointQueriesHead, LocatedInstances, LocatedPoints } from "./types.js";
import {
  requireCount,
  requireIndices,
  requireMatrix,
  requireObject,
  requireQueries,
  requireSettings,
  requireSize,
  requireSlots,
} from "./validation.js";

/** What a YOLO head has for a point: x, y, confidence. */
const NUMBERS_A_POINT = 3;
/** Places of a query point's numbers: position, whether it can be found, and the factor. */
const [X, Y, FINDABLE, LOG_L11, L21, LOG_L22, LEAST_NUMBERS] = [0, 1, 2, 4, 5, 6, 7];
/** How much uncertain points lower the score of their instance. */
const FUSION_EXPONENT = 0.2;
const TINY = 1e-12;

function logSumExp(values: readonly number[]): number {
  const greatest = Math.max(...values);
  return greatest + log(values.reduce((sum, value) => sum + exp(value - greatest), 0));
}

/**
 * The covariance of a point, row by row, from its precision's factor in fractions.
 *
 * @param width @param height pixels of the picture that the fraction 1 stands for.
 * @returns NaN four times where something is not finite.
 */
export function pointCovariance(logL11: number, l21: number, logL22: number, width: number, height: number): readonly number[] {
  const [l11, l22] = [exp(logL11), exp(logL22)];
  // Not with `**`, which engines may round otherwise than a product.
  const square = (value: number): number => value * value;
  const determinant = square(l11 * l22);
  const covariance = [
    ((square(l21) + square(l22)) / determinant) * square(width),
    ((-l11 * l21) / determinant) * width * height,
    ((-l11 * l21) / determinant) * width * height,
    (square(l11) / determinant) * square(height),
  ].map(Math.fround);
  return covariance.every(Number.isFinite) ? covariance : [Number.NaN, Number.NaN, Number.NaN, Number.NaN];
}

/** The numbers of one point; its `which`. */
type Point = (which: number) => number;

/** The class probability, lowered by the mean uncertainty of those points that can be found. */
function fusedScore(probability: number, points: readonly Point[]): number {
  const weights = points.map((number) => log(Math.max(sigmoid(number(FINDABLE)), TINY)));
  const uncertainties = points.map((number, i) => {
    const [a, b, c] = [number(LOG_L11), number(L21), number(LOG_L22)];
    // The logarithm of the covariance's trace.
    return logSumExp([-2 * a, -2 * c, 2 * log(Math.max(Math.abs(b), TINY)) - 2 * a - 2 * c]) + (weights[i] ?? 0);
  });
  const certain = probability * exp(-FUSION_EXPONENT * (logSumExp(uncertainties) - logSumExp(weights)));
  return Math.fround(certain === Infinity ? 1 : certain / (1 + certain));
}

export function decodeKeyPointQueries(head: KeyPointQueriesHead, settings: DecodeSettings): LocatedInstances {
  const { boxes, logits } = requireQueries(head);
  const { queries, classes, classMapping, numbers } = head;
  const slots = requireSlots(head.slots, "head.slots");
  requireCount(numbers, "head.numbers", LEAST_NUMBERS);
  const matrix = { data: head.points, offset: head.pointsOffset, candidateStride: numbers, attributeStride: 1 };
  requireMatrix(matrix, "head.points", queries * classes * slots, numbers);
  requireSize(head.size, "head.size");
  requireSize(head.covarianceSize, "head.covarianceSize");
  requireSettings(settings);

  const { thresholds } = settings;
  const pairs = Array.from({ length: queries * classes }, (_, place) => {
    const points = Array.from({ length: slots }, (__, slot): Point => {
      const start = matrix.offset + (place * slots + slot) * numbers;
      return (which) => matrix.data[start + which] ?? Number.NaN;
    });
    const classId = classMapping[place % classes] ?? -1;
    const score = fusedScore(sigmoid(logits.data[logits.offset + place] ?? Number.NaN), points);
    return { query: Math.trunc(place / classes), classId, score, points };
  })
    .filter(({ classId, score }) => classId >= 0 && score > ((thresholds.length === 1 ? thresholds[0] : thresholds[classId]) ?? Number.NaN))
    .sort((a, b) => b.score - a.score)
    .slice(0, settings.maxDetections ?? Infinity);

  const corners = pairs.flatMap(({ query }) => {
    const [cx = 0, cy = 0, width = 0, height = 0] = boxes.data.subarray(boxes.offset + 4 * query, boxes.offset + 4 * query + 4);
    return [cx - Math.fround(width / 2), cy - Math.fround(height / 2), cx + Math.fround(width / 2), cy + Math.fround(height / 2)];
  });
  const all = pairs.flatMap(({ points }) => points);
  const { size, covarianceSize } = head;
  return {
    rows: {
      xyxy: Float32Array.from(corners),
      scores: Float32Array.from(pairs, ({ score }) => score),
      classIds: Int32Array.from(pairs, ({ classId }) => classId),
      indices: Int32Array.from(pairs, ({ query }) => query),
    },
    keyPoints: {
      points: Float32Array.from(all.flatMap((number) => [number(X) * size.width, number(Y) * size.height])),
      confidence: Float32Array.from(all, (number) => sigmoid(number(FINDABLE))),
      covariance: Float32Array.from(
        all.flatMap((number) =>
          pointCovariance(number(LOG_L11), number(L21), number(LOG_L22), covarianceSize.width, covarianceSize.height),
        ),
      ),
    },
  };
}

export function gatherKeyPoints(attributes: CandidateMatrix, indices: Int32Array, slots: number): LocatedPoints {
  requireSlots(slots, "slots");
  requireObject(attributes, "attributes");
  requireCount(attributes.candidates, "attributes.candidates");
  requireMatrix(attributes, "attributes", attributes.candidates, slots * NUMBERS_A_POINT);
  requireIndices(indices, "indices", attributes.candidates);
  const { data, offset, candidateStride, attributeStride } = attributes;
  const read = (...numbers: readonly number[]): Float32Array =>
    Float32Array.from(
      [...indices].flatMap((candidate) =>
        Array.from({ length: slots }, (_, slot) =>
          numbers.map(
            (number) => data[offset + candidate * candidateStride + (slot * NUMBERS_A_POINT + number) * attributeStride] ?? Number.NaN,
          ),
        ).flat(),
      ),
    );
  return { points: read(0, 1), confidence: read(2), covariance: new Float32Array(0) };
}
