/**
 * YOLOv5 and v7 with masks. They differ in which output holds the prototypes.
 *
 * The reference takes the objectness for a class here: it reports class ids one too high, and the objectness as confidence
 * where that is greater. Class ids and confidences are the real ones here, as for YOLOv5 detectors.
 */
import { configuration } from "../../configuration.js";
import type { DetectionDefaults } from "../family.js";
import { anchorExtras, anchorHead, checkAnchors } from "./anchors.js";
import type { LayoutContext } from "./detector.js";
import { fixedMasks, PROTOTYPES, prototypeLayout, segmenterFamily, type SegmenterLayout } from "./segmenter.js";
import { YOLOV5_ANCHORS } from "./yolov5.js";

const ANCHORS = { ...YOLOV5_ANCHORS, extras: PROTOTYPES };

export function objectnessLayout({ classNames }: LayoutContext, defaults: DetectionDefaults, prototypes: number): SegmenterLayout {
  return prototypeLayout({
    defaults: { ...defaults, ...fixedMasks(false, 0) },
    check(outputs) {
      checkAnchors(outputs, ANCHORS, classNames.length);
    },
    head: anchorHead(ANCHORS),
    coefficients: anchorExtras(ANCHORS, classNames.length),
    prototypes,
  });
}

export function yolov5SegmentationLayout(context: LayoutContext): SegmenterLayout {
  return objectnessLayout(context, configuration().defaults.yolov5, 1);
}

export const family = segmenterFamily({ layout: yolov5SegmentationLayout, postProcessing: "any", limitsDynamicBatch: true });
