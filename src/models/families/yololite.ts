/** YOLOLite: boxes, objectness logits and class logits in three outputs; or NMS inside the graph. */
import { configuration } from "../../configuration.js";
import { detectorFamily, type DetectorLayout, type LayoutContext } from "./detector.js";
import { floatData, requireClassCount, requireOutput, requireRank } from "./outputs.js";
import { fusedRowsLayout } from "./rows.js";

/** Boxes `[batch, anchors, 4]` (corners, network pixels), objectness `[batch, anchors, 1]` and class logits `[batch, anchors, classes]`. */
function rawLayout({ classNames }: LayoutContext): DetectorLayout {
  return {
    defaults: configuration().defaults.yololite,
    boxes: "pixels",
    check(outputs) {
      requireOutput(outputs, 0, 3, "boxes [batch, anchors, 4]");
      requireOutput(outputs, 1, 3, "objectness logits [batch, anchors, 1]");
      const [, , classes] = requireOutput(outputs, 2, 3, "class logits [batch, anchors, classes]");
      requireClassCount(classes ?? null, classNames.length, "last dimension of the third output");
    },
    read(outputs, image) {
      const boxes = floatData(outputs, 0);
      const objectness = floatData(outputs, 1);
      const scores = floatData(outputs, 2);
      const [, anchors = 0] = requireRank(boxes.dims, 3, "boxes [batch, anchors, 4]");
      const [, , classes = 0] = requireRank(scores.dims, 3, "class logits [batch, anchors, classes]");
      const matrix = (data: Float32Array, attributes: number) => ({
        data,
        offset: image * anchors * attributes,
        candidateStride: attributes,
        attributeStride: 1,
      });
      return {
        kind: "dense",
        head: {
          candidates: anchors,
          classes,
          boxes: matrix(boxes.data, 4),
          boxFormat: "xyxy",
          objectness: matrix(objectness.data, 1),
          objectnessUse: "product",
          scores: matrix(scores.data, classes),
        },
      };
    },
  };
}

export function yololiteLayout(context: LayoutContext): DetectorLayout {
  return context.nmsFused === true ? fusedRowsLayout(configuration().defaults.yololite.confidence) : rawLayout(context);
}

export const family = detectorFamily({ layout: yololiteLayout, postProcessing: "any", acceptsImageSize: true, limitsDynamicBatch: true });
