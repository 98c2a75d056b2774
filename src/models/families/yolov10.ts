/** YOLOv10: end-to-end rows, cut to the best few. */
import { configuration } from "../../configuration.js";
import { detectorFamily, type DetectorLayout } from "./detector.js";
import { rowsLayout } from "./rows.js";

export function yolov10Layout(): DetectorLayout {
  const { confidence, maxDetections } = configuration().defaults.yolov10;
  return rowsLayout({ confidence, maxDetections, iouThreshold: null, classAgnosticNms: null }, false);
}

export const family = detectorFamily({ layout: yolov10Layout, postProcessing: "any" });
