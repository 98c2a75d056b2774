/** YOLO-NAS: corner boxes and class probabilities in two outputs. */
import { configuration } from "../../configuration.js";
import { detectorFamily, type DetectorLayout, type LayoutContext } from "./detector.js";
import { wholeOutput } from "./head.js";
import { requireClassCount, requireOutput } from "./outputs.js";

/** Boxes `[batch, anchors, 4]` (x1, y1, x2, y2, network pixels) and scores `[batch, anchors, classes]`, in this order. */
export function yolonasLayout({ classNames }: LayoutContext): DetectorLayout {
  return {
    defaults: configuration().defaults.yolonas,
    boxes: "pixels",
    check(outputs) {
      requireOutput(outputs, 0, 3, "boxes [batch, anchors, 4]");
      const [, , classes] = requireOutput(outputs, 1, 3, "scores [batch, anchors, classes]");
      requireClassCount(classes ?? null, classNames.length, "last dimension of the second output");
    },
    head: {
      kind: "dense",
      boxes: wholeOutput(0),
      boxFormat: "xyxy",
      scores: wholeOutput(1),
      extras: 0,
      objectness: null,
      objectnessUse: "none",
    },
  };
}

export const family = detectorFamily({ layout: yolonasLayout, postProcessing: "nms-unfused" });
