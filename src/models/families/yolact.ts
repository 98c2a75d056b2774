/** YOLACT: boxes relative to priors, class probabilities with the background first, prototypes with their channels last. */
import { configuration } from "../../configuration.js";
import type { Tensor } from "../../engines/index.js";
import type { Geometry } from "../../imaging/index.js";
import type { Decoder, DecodeSettings, DetectionRows } from "../decoding/index.js";
import type { LayoutContext } from "./detector.js";
import { wholeOutput } from "./head.js";
import { floatData, requireClassCount, requireOutput, requireRank } from "./outputs.js";
import { fixedMasks, PROTOTYPES, segmenterFamily, type SegmenterLayout } from "./segmenter.js";

const { fround } = Math;

const MEANINGS = {
  offsets: "box offsets [batch, priors, 4]",
  scores: "class scores [batch, priors, 1 + classes]",
  coefficients: `mask coefficients [batch, priors, ${PROTOTYPES}]`,
  prototypes: `prototypes [batch, height, width, ${PROTOTYPES}]`,
} as const;
/** How far offsets move centres, and stretch sides (the variances of SSD). */
const [CENTRE_VARIANCE, SIZE_VARIANCE] = [fround(0.1), fround(0.2)];

/** Corners in network pixels from a prior (centre-size, fractions) and its offsets. */
function boxFromPrior(prior: Float32Array, offset: Float32Array, { width, height }: Geometry["inferenceSize"]): readonly number[] {
  const [px = 0, py = 0, pw = 0, ph = 0] = prior;
  const [ox = 0, oy = 0, ow = 0, oh = 0] = offset;
  const side = (size: number, stretch: number): number => fround(size * fround(Math.exp(fround(stretch * SIZE_VARIANCE))));
  const [boxWidth, boxHeight] = [side(pw, ow), side(ph, oh)];
  const start = (centre: number, shift: number, priorSize: number, size: number): number =>
    fround(fround(centre + fround(fround(shift * CENTRE_VARIANCE) * priorSize)) - fround(size / 2));
  const [x1, y1] = [start(px, ox, pw, boxWidth), start(py, oy, ph, boxHeight)];
  return [fround(x1 * width), fround(y1 * height), fround(fround(x1 + boxWidth) * width), fround(fround(y1 + boxHeight) * height)];
}

/** Candidates above their threshold first: only their boxes are worth computing. */
async function selectInstances(
  outputs: readonly Tensor[],
  image: number,
  { inferenceSize }: Geometry,
  settings: DecodeSettings,
  decoder: Decoder,
): Promise<DetectionRows> {
  const [offsets, scores, priors] = [floatData(outputs, 0), floatData(outputs, 1), floatData(outputs, 3)];
  const [, candidates = 0, columns = 0] = requireRank(scores.dims, 3, MEANINGS.scores);
  requireRank(offsets.dims, 3, MEANINGS.offsets);
  const matrix = { candidateStride: columns, attributeStride: 1 };
  const boxes = { data: offsets.data, offset: image * candidates * 4, candidateStride: 4, attributeStride: 1 };
  const above = await decoder.decodeDense(
    {
      candidates,
      classes: Math.max(columns - 1, 0),
      boxes,
      boxFormat: "xyxy",
      scores: { data: scores.data, offset: image * candidates * columns + 1, ...matrix },
      objectness: null,
      objectnessUse: "none",
    },
    { ...settings, iouThreshold: null, maxDetections: null },
  );
  const xyxy = Float32Array.from(
    [...above.indices].flatMap((index) =>
      boxFromPrior(
        priors.data.subarray(4 * index, 4 * index + 4),
        offsets.data.subarray(boxes.offset + 4 * index, boxes.offset + 4 * index + 4),
        inferenceSize,
      ),
    ),
  );
  const competing = settings.classAgnostic ? new Int32Array(above.classIds.length) : above.classIds;
  const kept = await decoder.nonMaximumSuppression(xyxy, above.scores, competing, settings.iouThreshold ?? 1);
  const rows = [...kept.subarray(0, settings.maxDetections ?? undefined)];
  return {
    xyxy: Float32Array.from(rows.flatMap((row) => [...xyxy.subarray(4 * row, 4 * row + 4)])),
    scores: Float32Array.from(rows, (row) => above.scores[row] ?? 0),
    classIds: Int32Array.from(rows, (row) => above.classIds[row] ?? 0),
    indices: Int32Array.from(rows, (row) => above.indices[row] ?? 0),
  };
}

export function yolactLayout({ classNames }: LayoutContext): SegmenterLayout {
  return {
    defaults: { ...configuration().defaults.yolact, ...fixedMasks(true, 0.5) },
    boxes: "pixels",
    check(outputs) {
      requireOutput(outputs, 0, 3, MEANINGS.offsets);
      const [, , columns = null] = requireOutput(outputs, 1, 3, MEANINGS.scores);
      requireClassCount(columns === null ? null : columns - 1, classNames.length, `of ${MEANINGS.scores}`);
      requireOutput(outputs, 2, 3, MEANINGS.coefficients);
      requireOutput(outputs, 4, 4, MEANINGS.prototypes);
    },
    head: selectInstances,
    masks: { planes: 4, channels: "last", coefficients: wholeOutput(2) },
    cutsToBoxes: true,
  };
}

export const family = segmenterFamily({ layout: yolactLayout, postProcessing: "any" });
