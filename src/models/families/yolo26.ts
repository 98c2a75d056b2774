/** YOLO26: end-to-end rows, threshold inclusive. */
import { configuration } from "../../configuration.js";
import { detectorFamily, type DetectorLayout } from "./detector.js";
import { fusedRowsLayout } from "./rows.js";

export function yolo26Layout(): DetectorLayout {
  return fusedRowsLayout(configuration().defaults.yolo26.confidence);
}

export const family = detectorFamily({ layout: yolo26Layout, postProcessing: "any", acceptsImageSize: true, limitsDynamicBatch: true });
