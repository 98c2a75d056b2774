/** YOLOv8 and v11 with masks. */
import { configuration } from "../../configuration.js";
import type { SegmentationDefaults } from "../family.js";
import { anchorExtras, anchorHead, checkAnchors } from "./anchors.js";
import type { LayoutContext } from "./detector.js";
import { checkRows, FUSED_ROWS, fusedDefaults, ROW_EXTRAS } from "./rows.js";
import { PROTOTYPES, prototypeLayout, segmenterFamily, type SegmenterLayout } from "./segmenter.js";
import { YOLOV8_ANCHORS, YOLOV8_RULES } from "./yolov8.js";

export function yolov8SegmentationLayout({ classNames, nmsFused }: LayoutContext): SegmenterLayout {
  const { masksSmoothingEnabled, masksBinarizationThreshold, confidence, iouThreshold, maxDetections, classAgnosticNms } =
    configuration().defaults.yoloUltralytics;
  const masks = { smoothMasks: masksSmoothingEnabled, maskThreshold: masksBinarizationThreshold, masksAdjustable: true };
  if (nmsFused === true) {
    return prototypeLayout({
      defaults: { ...fusedDefaults(confidence), ...masks },
      check(outputs) {
        checkRows(outputs, PROTOTYPES);
      },
      head: FUSED_ROWS,
      coefficients: ROW_EXTRAS,
      prototypes: 1,
    });
  }
  const anchors = { ...YOLOV8_ANCHORS, extras: PROTOTYPES };
  const defaults: SegmentationDefaults = { confidence, iouThreshold, maxDetections, classAgnosticNms, ...masks };
  return prototypeLayout({
    defaults,
    check(outputs) {
      checkAnchors(outputs, anchors, classNames.length);
    },
    head: anchorHead(anchors),
    coefficients: anchorExtras(anchors, classNames.length),
    prototypes: 1,
  });
}

export const family = segmenterFamily({ layout: yolov8SegmentationLayout, ...YOLOV8_RULES });
