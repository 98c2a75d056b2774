/** YOLOv8 and v11 with masks. */
import { configuration } from "../../configuration.js";
import type { SegmentationDefaults } from "../family.js";
import { checkAnchors, readAnchors } from "./anchors.js";
import type { LayoutContext } from "./detector.js";
import { checkRows, fusedDefaults, readRows } from "./rows.js";
import { PROTOTYPES, prototypeLayout, segmenterFamily, type SegmenterLayout } from "./segmenter.js";
import { YOLOV8_ANCHORS, YOLOV8_RULES } from "./yolov8.js";

export function yolov8SegmentationLayout({ classNames, nmsFused }: LayoutContext): SegmenterLayout {
  const { masksSmoothingEnabled, masksBinarizationThreshold, confidence, iouThreshold, maxDetections, classAgnosticNms } =
    configuration().defaults.yoloUltralytics;
  const masks = { smoothMasks: masksSmoothingEnabled, maskThreshold: masksBinarizationThreshold, masksAdjustable: true };
  if (nmsFused === true) {
    return prototypeLayout({
      defaults: { ...fusedDefaults(confidence), ...masks },
      prototypes: 1,
      check(outputs) {
        checkRows(outputs, PROTOTYPES);
      },
      read: readRows,
    });
  }
  const anchors = { ...YOLOV8_ANCHORS, extras: PROTOTYPES };
  const defaults: SegmentationDefaults = { confidence, iouThreshold, maxDetections, classAgnosticNms, ...masks };
  return prototypeLayout({
    defaults,
    prototypes: 1,
    check(outputs) {
      checkAnchors(outputs, anchors, classNames.length);
    },
    read: (outputs, image) => readAnchors(outputs, image, anchors),
  });
}

export const family = segmenterFamily({ layout: yolov8SegmentationLayout, ...YOLOV8_RULES });
