/** YOLOLite: boxes, objectness logits and class logits in three outputs; or NMS inside the graph. */
import { configuration } from "../../configuration.js";
import { detectorFamily, type DetectorLayout, type LayoutContext } from "./detector.js";
import { wholeOutput } from "./head.js";
import { requireClassCount, requireOutput } from "./outputs.js";
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
    head: {
      kind: "dense",
      boxes: wholeOutput(0),
      boxFormat: "xyxy",
      scores: wholeOutput(2),
      extras: 0,
      objectness: wholeOutput(1),
      objectnessUse: "product",
    },
  };
}

export function yololiteLayout(context: LayoutContext): DetectorLayout {
  return context.nmsFused === true ? fusedRowsLayout(configuration().defaults.yololite.confidence) : rawLayout(context);
}

export const family = detectorFamily({ layout: yololiteLayout, postProcessing: "any", acceptsImageSize: true, limitsDynamicBatch: true });
