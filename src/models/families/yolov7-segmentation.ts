/** YOLOv7 with masks: as YOLOv5, but the prototypes are the fifth output (those between belong to training). */
import { configuration } from "../../configuration.js";
import type { LayoutContext } from "./detector.js";
import { segmenterFamily, type SegmenterLayout } from "./segmenter.js";
import { objectnessLayout } from "./yolov5-segmentation.js";

export function yolov7SegmentationLayout(context: LayoutContext): SegmenterLayout {
  return objectnessLayout(context, configuration().defaults.yolov7, 4);
}

export const family = segmenterFamily({ layout: yolov7SegmentationLayout, postProcessing: "any", limitsDynamicBatch: true });
