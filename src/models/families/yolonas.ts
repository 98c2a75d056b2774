/** YOLO-NAS: corner boxes and class probabilities in two outputs. */
import { configuration } from "../../configuration.js";
import { detectorFamily, type DetectorLayout, type LayoutContext } from "./detector.js";
import { floatData, requireClassCount, requireOutput, requireRank } from "./outputs.js";

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
    read(outputs, image) {
      const boxes = floatData(outputs, 0);
      const scores = floatData(outputs, 1);
      const [, anchors = 0, corners = 0] = requireRank(boxes.dims, 3, "boxes [batch, anchors, 4]");
      const [, , classes = 0] = requireRank(scores.dims, 3, "scores [batch, anchors, classes]");
      return {
        kind: "dense",
        head: {
          candidates: anchors,
          classes,
          boxes: { data: boxes.data, offset: image * anchors * corners, candidateStride: corners, attributeStride: 1 },
          boxFormat: "xyxy",
          scores: { data: scores.data, offset: image * anchors * classes, candidateStride: classes, attributeStride: 1 },
          objectness: null,
          objectnessUse: "none",
        },
      };
    },
  };
}

export const family = detectorFamily({ layout: yolonasLayout, postProcessing: "nms-unfused" });
