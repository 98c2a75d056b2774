/** YOLOv8 and v11 with key points. */
import { configuration } from "../../configuration.js";
import { anchorExtras, anchorHead, checkAnchors } from "./anchors.js";
import { keyPointFamily, NUMBERS_A_POINT, pointsLayout, slotsOf, type KeyPointContext, type KeyPointLayout } from "./key-points.js";
import { checkRows, FUSED_ROWS, fusedDefaults, ROW_EXTRAS } from "./rows.js";
import { YOLOV8_ANCHORS, YOLOV8_RULES } from "./yolov8.js";

export function yolov8KeyPointsLayout({ classNames, nmsFused, keyPoints }: KeyPointContext): KeyPointLayout {
  const { keyPointsThreshold: keyPointThreshold, ...defaults } = configuration().defaults.yoloUltralytics;
  const extras = slotsOf(keyPoints) * NUMBERS_A_POINT;
  if (nmsFused === true) {
    return pointsLayout(keyPoints, {
      defaults: { ...fusedDefaults(defaults.confidence), keyPointThreshold },
      check(outputs) {
        checkRows(outputs, extras);
      },
      head: FUSED_ROWS,
      points: ROW_EXTRAS,
    });
  }
  const { confidence, iouThreshold, maxDetections, classAgnosticNms } = defaults;
  const anchors = { ...YOLOV8_ANCHORS, extras };
  return pointsLayout(keyPoints, {
    defaults: { confidence, iouThreshold, maxDetections, classAgnosticNms, keyPointThreshold },
    check(outputs) {
      checkAnchors(outputs, anchors, classNames.length);
    },
    head: anchorHead(anchors),
    points: anchorExtras(anchors, classNames.length),
  });
}

export const family = keyPointFamily({ layout: yolov8KeyPointsLayout, ...YOLOV8_RULES });
