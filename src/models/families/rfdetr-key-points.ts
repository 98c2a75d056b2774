/**
 * RF-DETR with key points. Every query has a block of points for each class column, and says of each point how precisely it
 * knows it: as the logarithmic diagonal and the lower element of the Cholesky factor of the precision matrix.
 */
import { configuration } from "../../configuration.js";
import type { Tensor } from "../../engines/index.js";
import type { Geometry } from "../../imaging/index.js";
import { sigmoid, type DetectionRows } from "../decoding/index.js";
import type { ResolvedKeyPointOptions } from "../family.js";
import { keyPointFamily, slotsOf, type KeyPointContext, type KeyPointLayout, type NetworkKeyPoints } from "./key-points.js";
import { floatData, requireOutput, requireRank, wrongNetwork } from "./outputs.js";
import { classMapping, RFDETR_RULES, rfdetrLayout } from "./rfdetr.js";

const MEANING = "key points [batch, queries, classes x slots, 7 or more]";
/** Places of a point's numbers: position, whether it can be found, and the factor. */
const [X, Y, FINDABLE, LOG_L11, L21, LOG_L22, LEAST_NUMBERS] = [0, 1, 2, 4, 5, 6, 7];
/** How much uncertain points lower the score of their instance. */
const FUSION_EXPONENT = 0.2;
const TINY = 1e-12;

function logSumExp(values: readonly number[]): number {
  const greatest = Math.max(...values);
  return greatest + Math.log(values.reduce((sum, value) => sum + Math.exp(value - greatest), 0));
}

/**
 * The covariance of a point, row by row, from its precision's factor in fractions.
 *
 * @param width @param height pixels of the picture that the fraction 1 stands for.
 * @returns NaN four times where something is not finite.
 */
export function pointCovariance(logL11: number, l21: number, logL22: number, width: number, height: number): readonly number[] {
  const [l11, l22] = [Math.exp(logL11), Math.exp(logL22)];
  const determinant = (l11 * l22) ** 2;
  const covariance = [
    ((l21 ** 2 + l22 ** 2) / determinant) * width ** 2,
    ((-l11 * l21) / determinant) * width * height,
    ((-l11 * l21) / determinant) * width * height,
    (l11 ** 2 / determinant) * height ** 2,
  ].map(Math.fround);
  return covariance.every(Number.isFinite) ? covariance : [Number.NaN, Number.NaN, Number.NaN, Number.NaN];
}

/** The numbers of one instance's points: `count` times `numbers` from `start` on. */
interface PointBlock {
  readonly data: Float32Array;
  readonly start: number;
  readonly count: number;
  readonly numbers: number;
}

function numberAt({ data, start, numbers }: PointBlock, point: number, which: number): number {
  return data[start + point * numbers + which] ?? Number.NaN;
}

/** The class probability, lowered by the mean uncertainty of those points that can be found. */
function fusedScore(probability: number, block: PointBlock): number {
  const weights: number[] = [];
  const uncertainties: number[] = [];
  for (let point = 0; point < block.count; point++) {
    const weight = Math.log(Math.max(sigmoid(numberAt(block, point, FINDABLE)), TINY));
    const [a, b, c] = [LOG_L11, L21, LOG_L22].map((which) => numberAt(block, point, which)) as [number, number, number];
    // The logarithm of the covariance's trace.
    const logTrace = logSumExp([-2 * a, -2 * c, 2 * Math.log(Math.max(Math.abs(b), TINY)) - 2 * a - 2 * c]);
    weights.push(weight);
    uncertainties.push(logTrace + weight);
  }
  const certain = probability * Math.exp(-FUSION_EXPONENT * (logSumExp(uncertainties) - logSumExp(weights)));
  return Math.fround(certain === Infinity ? 1 : certain / (1 + certain));
}

interface Pair {
  readonly score: number;
  readonly classId: number;
  readonly query: number;
  readonly block: PointBlock;
}

function toRows(pairs: readonly Pair[], boxes: Float32Array, offset: number): DetectionRows {
  const corners = pairs.flatMap(({ query }) => {
    const [cx = 0, cy = 0, width = 0, height = 0] = boxes.subarray(offset + 4 * query, offset + 4 * query + 4);
    return [cx - Math.fround(width / 2), cy - Math.fround(height / 2), cx + Math.fround(width / 2), cy + Math.fround(height / 2)];
  });
  return {
    xyxy: Float32Array.from(corners),
    scores: Float32Array.from(pairs, ({ score }) => score),
    classIds: Int32Array.from(pairs, ({ classId }) => classId),
    indices: Int32Array.from(pairs, ({ query }) => query),
  };
}

function locatePoints(
  outputs: readonly Tensor[],
  image: number,
  geometry: Geometry,
  { thresholds }: ResolvedKeyPointOptions,
  slots: number,
  mapping: Int32Array,
): NetworkKeyPoints {
  const [boxes, logits, points] = [floatData(outputs, 0), floatData(outputs, 1), floatData(outputs, 2)];
  const [, queries = 0, columns = 0] = requireRank(logits.dims, 3, "logits [batch, queries, classes]");
  const [, , pointRows = 0, numbers = 0] = requireRank(points.dims, 4, MEANING);
  const pairs: Pair[] = [];
  for (let place = 0; place < queries * columns; place++) {
    const [query, column] = [Math.floor(place / columns), place % columns];
    const classId = mapping[column] ?? -1;
    if (classId < 0) continue;
    const start = ((image * queries + query) * pointRows + column * slots) * numbers;
    const block: PointBlock = { data: points.data, start, count: slots, numbers };
    const score = fusedScore(sigmoid(logits.data[image * queries * columns + place] ?? Number.NaN), block);
    const threshold = (thresholds.length === 1 ? thresholds[0] : thresholds[classId]) ?? Number.NaN;
    if (score > threshold) pairs.push({ score, classId, query, block });
  }
  pairs.sort((a, b) => b.score - a.score);

  const { width, height } = geometry.nonsquareIntermediateSize ?? geometry.inferenceSize;
  const [scaleX, scaleY] = [width / geometry.scaleWidth, height / geometry.scaleHeight];
  const ofPoints = <T>(make: (block: PointBlock, point: number) => T): T[] =>
    pairs.flatMap(({ block }) => Array.from({ length: slots }, (_, point) => make(block, point)));
  return {
    rows: toRows(pairs, boxes.data, image * queries * 4),
    points: Float32Array.from(ofPoints((block, point) => [numberAt(block, point, X) * width, numberAt(block, point, Y) * height]).flat()),
    confidence: Float32Array.from(ofPoints((block, point) => sigmoid(numberAt(block, point, FINDABLE)))),
    covariance: Float32Array.from(
      ofPoints((block, point) =>
        pointCovariance(numberAt(block, point, LOG_L11), numberAt(block, point, L21), numberAt(block, point, LOG_L22), scaleX, scaleY),
      ).flat(),
    ),
  };
}

export function rfdetrKeyPointsLayout({ keyPoints, ...context }: KeyPointContext): KeyPointLayout {
  const detector = rfdetrLayout(context);
  const slots = slotsOf(keyPoints);
  const mapping = classMapping(context);
  return {
    defaults: { ...detector.defaults, keyPointThreshold: configuration().defaults.rfdetr.keyPointsThreshold },
    boxes: detector.boxes,
    clampsPoints: true,
    keyPoints,
    check(outputs) {
      detector.check(outputs);
      const columns = outputs[1]?.dims?.[2];
      const [, , rows = null, numbers = null] = requireOutput(outputs, 2, 4, MEANING);
      if (rows !== null && typeof columns === "number" && rows !== columns * slots)
        throw wrongNetwork(`The network has ${rows} rows of key points; ${columns} class columns of ${slots} points were expected.`);
      if (numbers !== null && numbers < LEAST_NUMBERS)
        throw wrongNetwork(`The network has ${numbers} numbers a key point; at least ${LEAST_NUMBERS} were expected.`);
    },
    locate: (outputs, image, geometry, options) => Promise.resolve(locatePoints(outputs, image, geometry, options, slots, mapping)),
  };
}

export const family = keyPointFamily({ layout: rfdetrKeyPointsLayout, ...RFDETR_RULES });
