/** YOLACT: boxes relative to priors, class probabilities with the background first, prototypes with their channels last. */
import { configuration } from "../../configuration.js";
import type { SizedContext } from "./detector.js";
import { wholeOutput } from "./head.js";
import { requireClassCount, requireOutput } from "./outputs.js";
import { fixedMasks, PROTOTYPES, segmenterFamily, type SegmenterLayout } from "./segmenter.js";

const MEANINGS = {
  offsets: "box offsets [batch, priors, 4]",
  scores: "class scores [batch, priors, 1 + classes]",
  coefficients: `mask coefficients [batch, priors, ${PROTOTYPES}]`,
  prototypes: `prototypes [batch, height, width, ${PROTOTYPES}]`,
} as const;

export function yolactLayout({ classNames, inputSize }: SizedContext): SegmenterLayout {
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
    head: {
      kind: "dense",
      boxes: wholeOutput(0),
      boxFormat: "offsets",
      priors: { output: 3, inputSize },
      // Behind the background.
      scores: { output: 1, attributes: "last", from: 1 },
      extras: 0,
      objectness: null,
      objectnessUse: "none",
    },
    masks: { planes: 4, channels: "last", coefficients: wholeOutput(2) },
    cutsToBoxes: true,
  };
}

export const family = segmenterFamily({ layout: yolactLayout, postProcessing: "any" });
