/** YOLOv5: one row per anchor, with objectness. */
import { configuration } from "../../configuration.js";
import { detectorFamily, type DetectorLayout, type LayoutContext } from "./detector.js";
import { floatData, requireClassCount, requireOutput, requireRank } from "./outputs.js";

/**
 * `[batch, anchors, 5 + classes]`: centre-size box in network pixels, objectness, class scores. The threshold applies to
 * the objectness; the reported confidence is the best class score alone, as in the reference.
 */
export function yolov5Layout({ classNames }: LayoutContext): DetectorLayout {
  const meaning = "[batch, anchors, 5 + classes]";
  return {
    defaults: configuration().defaults.yolov5,
    boxes: "pixels",
    check(outputs) {
      const [, , attributes] = requireOutput(outputs, 0, 3, meaning);
      requireClassCount(
        attributes === null || attributes === undefined ? null : attributes - 5,
        classNames.length,
        "last dimension of the output minus 5",
      );
    },
    read(outputs, image) {
      const { data, dims } = floatData(outputs, 0);
      const [, anchors = 0, attributes = 0] = requireRank(dims, 3, meaning);
      const offset = image * anchors * attributes;
      const matrix = { data, candidateStride: attributes, attributeStride: 1 };
      return {
        kind: "dense",
        head: {
          candidates: anchors,
          classes: Math.max(attributes - 5, 0),
          boxes: { ...matrix, offset },
          boxFormat: "cxcywh",
          objectness: { ...matrix, offset: offset + 4 },
          objectnessUse: "gate",
          scores: { ...matrix, offset: offset + 5 },
        },
      };
    },
  };
}

export const family = detectorFamily({ layout: yolov5Layout, postProcessing: "any" });
