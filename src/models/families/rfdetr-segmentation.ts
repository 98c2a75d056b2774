/** RF-DETR with masks: each query has a plane of its own, which nothing is cut from. */
import { configuration } from "../../configuration.js";
import type { LayoutContext } from "./detector.js";
import { requireOutput } from "./outputs.js";
import { RFDETR_RULES, rfdetrLayout } from "./rfdetr.js";
import { fixedMasks, segmenterFamily, type SegmenterLayout } from "./segmenter.js";

export function rfdetrSegmentationLayout(context: LayoutContext): SegmenterLayout {
  const detector = rfdetrLayout(context);
  const { maxDetections } = configuration().defaults.rfdetr;
  return {
    defaults: { ...detector.defaults, maxDetections, ...fixedMasks(false, 0) },
    boxes: detector.boxes,
    check(outputs) {
      detector.check(outputs);
      requireOutput(outputs, 2, 4, "masks [batch, queries, height, width]");
    },
    head: detector.head,
    masks: { planes: 2, channels: "first", coefficients: null },
    cutsToBoxes: false,
  };
}

export const family = segmenterFamily({ layout: rfdetrSegmentationLayout, acceptsImageSize: true, ...RFDETR_RULES });
