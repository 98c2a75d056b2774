/**
 * MediaPipe's short-range face detector (BlazeFace): boxes and six points per face, merged by weighted NMS.
 * The algorithm and the origin of the weights: assets/models/mediapipe-face-detector/PROVENANCE.md.
 */
import { compileSamplePlan, roundHalfEven } from "../../imaging/index.js";
import type { Geometry } from "../../imaging/index.js";
import type { Skeleton } from "../contract.js";
import type { KeyPointColumns, KeyPointDescription, KeyPointFamily, ResolvedDetectionOptions } from "../family.js";
import { floatData, requireImageInput, requireOutput, requireRank } from "./outputs.js";

const INPUT = 128;
const POINTS = ["right-eye", "left-eye", "nose", "mouth", "right-ear", "left-ear"] as const;
/** Pairs of indices into POINTS, as the reference draws them. */
const EDGES = [
  [5, 1],
  [1, 2],
  [4, 0],
  [0, 2],
  [2, 3],
] as const;
const VALUES = 4 + 2 * POINTS.length;
/** Scores saturate far earlier; the clamp keeps exp() finite. */
const SCORE_LIMIT = 100;

interface FaceDescription extends KeyPointDescription {
  /** Centres `[anchors, 2]`, fractions of the input. */
  readonly anchors: Float32Array;
}

/** 16 x 16 cells with two anchors each, then 8 x 8 cells with six; all of size 1 x 1, so only centres matter. */
function anchorCentres(): Float32Array {
  const centres: number[] = [];
  for (const [cells, perCell] of [
    [16, 2],
    [8, 6],
  ] as const) {
    for (let row = 0; row < cells; row++) {
      for (let column = 0; column < cells; column++) {
        for (let anchor = 0; anchor < perCell; anchor++) centres.push((column + 0.5) / cells, (row + 0.5) / cells);
      }
    }
  }
  return Float32Array.from(centres);
}

interface Candidate {
  readonly score: number;
  /** x1, y1, x2, y2, then the points; fractions of the input. */
  readonly values: Float64Array;
}

function candidates(regressors: Float32Array, logits: Float32Array, offset: number, anchors: Float32Array, threshold: number): Candidate[] {
  const found: Candidate[] = [];
  for (let anchor = 0; anchor * 2 < anchors.length; anchor++) {
    const logit = logits[offset + anchor] ?? -Infinity;
    const score = 1 / (1 + Math.exp(-Math.min(Math.max(logit, -SCORE_LIMIT), SCORE_LIMIT)));
    if (!(score >= threshold)) continue;
    const raw = regressors.subarray((offset + anchor) * VALUES, (offset + anchor + 1) * VALUES);
    const [ax, ay] = [anchors[2 * anchor] ?? 0, anchors[2 * anchor + 1] ?? 0];
    const values = Float64Array.from(raw, (value, index) => value / INPUT + (index === 2 || index === 3 ? 0 : index % 2 === 0 ? ax : ay));
    const [cx = 0, cy = 0, width = 0, height = 0] = values;
    if (!(width >= 0 && height >= 0)) continue;
    values.set([cx - width / 2, cy - height / 2, cx + width / 2, cy + height / 2]);
    found.push({ score, values });
  }
  return found;
}

function intersectionOverUnion(a: Float64Array, b: Float64Array): number {
  const [ax1 = 0, ay1 = 0, ax2 = 0, ay2 = 0] = a;
  const [bx1 = 0, by1 = 0, bx2 = 0, by2 = 0] = b;
  const width = Math.max(0, Math.min(ax2, bx2) - Math.max(ax1, bx1));
  const height = Math.max(0, Math.min(ay2, by2) - Math.max(ay1, by1));
  const union = (ax2 - ax1) * (ay2 - ay1) + (bx2 - bx1) * (by2 - by1) - width * height;
  return union > 0 ? (width * height) / union : 0;
}

/** Each group of boxes overlapping its best member becomes the score-weighted mean of the group, with the best one's score. */
function weightedNonMaximumSuppression(all: readonly Candidate[], iouThreshold: number): Candidate[] {
  // Array.prototype.sort is stable: ties keep the order of the anchors.
  let remaining = [...all].sort((a, b) => b.score - a.score);
  const merged: Candidate[] = [];
  for (let best = remaining[0]; best !== undefined; best = remaining[0]) {
    const leader = best;
    const group: Candidate[] = [];
    const others: Candidate[] = [];
    for (const candidate of remaining) {
      const belongs = candidate === leader || intersectionOverUnion(leader.values, candidate.values) > iouThreshold;
      (belongs ? group : others).push(candidate);
    }
    const total = group.reduce((sum, { score }) => sum + score, 0);
    const mean = new Float64Array(VALUES);
    for (const { score, values } of group) values.forEach((value, index) => (mean[index] = (mean[index] ?? 0) + (value * score) / total));
    merged.push({ score: leader.score, values: mean });
    remaining = others;
  }
  return merged;
}

function toPicture(faces: readonly Candidate[], geometry: Geometry, { rounding }: ResolvedDetectionOptions): KeyPointColumns {
  const finish = (value: number): number => (rounding === "none" ? value : roundHalfEven(value));
  const make = (length: number): Int32Array | Float32Array => (rounding === "none" ? new Float32Array(length) : new Int32Array(length));
  const xyxy = make(faces.length * 4);
  const points = make(faces.length * POINTS.length * 2);
  faces.forEach(({ values }, face) => {
    values.forEach((value, index) => {
      // Faces at the border reach past the picture; nothing is clipped.
      const position =
        index % 2 === 0
          ? (value * geometry.inferenceSize.width - geometry.padLeft) / geometry.scaleWidth
          : (value * geometry.inferenceSize.height - geometry.padTop) / geometry.scaleHeight;
      if (index < 4) xyxy[face * 4 + index] = finish(position);
      else points[face * POINTS.length * 2 + index - 4] = finish(position);
    });
  });
  return {
    xyxy,
    points,
    classId: new Int32Array(faces.length),
    confidence: Float32Array.from(faces, ({ score }) => score),
    // The network says nothing about single points.
    pointConfidence: new Float32Array(faces.length * POINTS.length).fill(1),
    covariance: null,
  };
}

const SKELETON: Skeleton = { name: "face", points: POINTS, edges: EDGES };

export const family: KeyPointFamily<FaceDescription> = {
  task: "keypoint-detection",
  files: [],
  weights: "weights.onnx",
  resizeModes: null,
  describe(_contents, network) {
    requireImageInput(network.inputs, { width: INPUT, height: INPUT });
    requireOutput(network.outputs, 0, 3, `regressors [batch, anchors, ${VALUES}]`);
    requireOutput(network.outputs, 1, 3, "classificators [batch, anchors, 1]");
    return {
      plan: compileSamplePlan({ width: INPUT, height: INPUT, divisor: 127.5, mean: [1, 1, 1], std: [1, 1, 1] }),
      anchors: anchorCentres(),
      classNames: ["face"],
      skeletons: [SKELETON],
      slots: POINTS.length,
      maximumDynamicBatch: null,
      acceptsImageSize: false,
      defaults: { confidence: 0.5, iouThreshold: 0.3, maxDetections: 300, classAgnosticNms: null, keyPointThreshold: null },
    };
  },
  decode(outputs, image, geometry, { anchors }, options) {
    const regressors = floatData(outputs, 0);
    const logits = floatData(outputs, 1);
    const [, count = 0] = requireRank(logits.dims, 3, "classificators [batch, anchors, 1]");
    const found = candidates(regressors.data, logits.data, image * count, anchors, options.thresholds[0] ?? 1);
    const faces = weightedNonMaximumSuppression(found, options.iouThreshold ?? 0.3).slice(0, options.maxDetections ?? undefined);
    return Promise.resolve(toPicture(faces, geometry, options));
  },
};
