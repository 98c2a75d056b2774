/** YOLO26: end-to-end rows, threshold inclusive. */
import { configuration } from "../../configuration.js";
import { detectorFamily, type DetectorLayout, type PackageRules } from "./detector.js";
import { fusedRowsLayout } from "./rows.js";

export function yolo26Layout(): DetectorLayout {
  return fusedRowsLayout(configuration().defaults.yolo26.confidence);
}

/** Of all tasks with boxes. */
export const YOLO26_RULES: PackageRules = { postProcessing: "any", acceptsImageSize: true, limitsDynamicBatch: true };

export const family = detectorFamily({ layout: yolo26Layout, ...YOLO26_RULES });
