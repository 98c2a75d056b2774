/** YOLOv5: one row per anchor, with objectness. */
import { configuration } from "../../configuration.js";
import { anchorHead, checkAnchors, type AnchorLayout } from "./anchors.js";
import { detectorFamily, type DetectorLayout, type LayoutContext } from "./detector.js";

/** Also of YOLOv7. */
export const YOLOV5_ANCHORS: AnchorLayout = { attributes: "last", objectness: true, extras: 0 };

/** The threshold applies to the objectness; the reported confidence is the best class score alone, as in the reference. */
export function yolov5Layout({ classNames }: LayoutContext): DetectorLayout {
  return {
    defaults: configuration().defaults.yolov5,
    boxes: "pixels",
    check(outputs) {
      checkAnchors(outputs, YOLOV5_ANCHORS, classNames.length);
    },
    head: anchorHead(YOLOV5_ANCHORS),
  };
}

export const family = detectorFamily({ layout: yolov5Layout, postProcessing: "any" });
