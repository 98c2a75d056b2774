/** YOLOv8, v9, v11, v12: one head, anchors as columns, class scores already probabilities; or NMS inside the graph. */
import { configuration } from "../../configuration.js";
import { anchorHead, checkAnchors, type AnchorLayout } from "./anchors.js";
import { detectorFamily, type DetectorLayout, type LayoutContext, type PackageRules } from "./detector.js";
import { fusedRowsLayout } from "./rows.js";

/** Of all three tasks. */
export const YOLOV8_ANCHORS: AnchorLayout = { attributes: "first", objectness: false, extras: 0 };
export const YOLOV8_RULES: PackageRules = { postProcessing: "nms", acceptsImageSize: true, limitsDynamicBatch: true };

export function yolov8Layout({ classNames, nmsFused }: LayoutContext): DetectorLayout {
  const defaults = configuration().defaults.yoloUltralytics;
  if (nmsFused === true) return fusedRowsLayout(defaults.confidence);
  return {
    defaults,
    boxes: "pixels",
    check(outputs) {
      checkAnchors(outputs, YOLOV8_ANCHORS, classNames.length);
    },
    head: anchorHead(YOLOV8_ANCHORS),
  };
}

export const family = detectorFamily({ layout: yolov8Layout, ...YOLOV8_RULES });
