/** YOLOv8, v9, v11, v12: one head, anchors as columns, class scores already probabilities; or NMS inside the graph. */
import { configuration } from "../../configuration.js";
import { detectorFamily, type DetectorLayout, type LayoutContext } from "./detector.js";
import { floatData, requireClassCount, requireOutput, requireRank } from "./outputs.js";
import { fusedRowsLayout } from "./rows.js";

/** `[batch, 4 + classes, anchors]`: centre x, centre y, width, height in network pixels, then one score per class. */
function rawLayout({ classNames }: LayoutContext): DetectorLayout {
  const meaning = "[batch, 4 + classes, anchors]";
  return {
    defaults: configuration().defaults.yoloUltralytics,
    boxes: "pixels",
    check(outputs) {
      const [, attributes] = requireOutput(outputs, 0, 3, meaning);
      requireClassCount(
        attributes === null || attributes === undefined ? null : attributes - 4,
        classNames.length,
        `second dimension of the output minus 4`,
      );
    },
    read(outputs, image) {
      const { data, dims } = floatData(outputs, 0);
      const [, attributes = 0, anchors = 0] = requireRank(dims, 3, meaning);
      const offset = image * attributes * anchors;
      const matrix = { data, candidateStride: 1, attributeStride: anchors };
      return {
        kind: "dense",
        head: {
          candidates: anchors,
          classes: Math.max(attributes - 4, 0),
          boxes: { ...matrix, offset },
          boxFormat: "cxcywh",
          scores: { ...matrix, offset: offset + 4 * anchors },
          objectness: null,
          objectnessUse: "none",
        },
      };
    },
  };
}

export function yolov8Layout(context: LayoutContext): DetectorLayout {
  return context.nmsFused === true ? fusedRowsLayout(configuration().defaults.yoloUltralytics.confidence) : rawLayout(context);
}

export const family = detectorFamily({ layout: yolov8Layout, postProcessing: "nms", acceptsImageSize: true, limitsDynamicBatch: true });
