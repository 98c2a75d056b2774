/** YOLO26 with key points: end-to-end rows. */
import { configuration } from "../../configuration.js";
import { keyPointFamily, NUMBERS_A_POINT, pointsLayout, slotsOf, type KeyPointContext, type KeyPointLayout } from "./key-points.js";
import { checkRows, FUSED_ROWS, fusedDefaults, ROW_EXTRAS } from "./rows.js";
import { YOLO26_RULES } from "./yolo26.js";

export function yolo26KeyPointsLayout({ keyPoints }: KeyPointContext): KeyPointLayout {
  const { confidence, keyPointsThreshold } = configuration().defaults.yolo26;
  return pointsLayout(keyPoints, {
    defaults: { ...fusedDefaults(confidence), keyPointThreshold: keyPointsThreshold },
    check(outputs) {
      checkRows(outputs, slotsOf(keyPoints) * NUMBERS_A_POINT);
    },
    head: FUSED_ROWS,
    points: ROW_EXTRAS,
  });
}

export const family = keyPointFamily({ layout: yolo26KeyPointsLayout, ...YOLO26_RULES });
