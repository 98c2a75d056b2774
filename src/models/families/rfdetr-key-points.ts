/**
 * RF-DETR with key points. Every query has a block of points for each class column, and says of each point how precisely it
 * knows it: as the logarithmic diagonal and the lower element of the Cholesky factor of the precision matrix.
 */
import { configuration } from "../../configuration.js";
import { keyPointFamily, slotsOf, type KeyPointContext, type KeyPointLayout } from "./key-points.js";
import { requireOutput } from "./outputs.js";
import { checkQueryPoints, QUERY_POINTS_MEANING } from "./points.js";
import { queriesLayout, RFDETR_RULES, rfdetrLayout } from "./rfdetr.js";

export function rfdetrKeyPointsLayout({ keyPoints, ...context }: KeyPointContext): KeyPointLayout {
  const detector = rfdetrLayout(context);
  const slots = slotsOf(keyPoints);
  return {
    defaults: { ...detector.defaults, keyPointThreshold: configuration().defaults.rfdetr.keyPointsThreshold },
    boxes: detector.boxes,
    clampsPoints: true,
    saysCovariance: true,
    keyPoints,
    check(outputs) {
      detector.check(outputs);
      const [, , columns = null] = requireOutput(outputs, 1, 3, "logits [batch, queries, classes]");
      const [, , rows = null, numbers = null] = requireOutput(outputs, 2, 4, QUERY_POINTS_MEANING);
      checkQueryPoints(rows, columns, slots, numbers);
    },
    points: { kind: "queries", queries: queriesLayout(context), points: 2 },
  };
}

export const family = keyPointFamily({ layout: rfdetrKeyPointsLayout, ...RFDETR_RULES });
