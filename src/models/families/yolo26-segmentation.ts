/** YOLO26 with masks: end-to-end rows; masks are what the network's numbers make positive. */
import { configuration } from "../../configuration.js";
import { checkRows, FUSED_ROWS, fusedDefaults, ROW_EXTRAS } from "./rows.js";
import { fixedMasks, PROTOTYPES, prototypeLayout, segmenterFamily, type SegmenterLayout } from "./segmenter.js";
import { YOLO26_RULES } from "./yolo26.js";

export function yolo26SegmentationLayout(): SegmenterLayout {
  return prototypeLayout({
    defaults: { ...fusedDefaults(configuration().defaults.yolo26.confidence), ...fixedMasks(false, 0) },
    check(outputs) {
      checkRows(outputs, PROTOTYPES);
    },
    head: FUSED_ROWS,
    coefficients: ROW_EXTRAS,
    prototypes: 1,
  });
}

export const family = segmenterFamily({ layout: yolo26SegmentationLayout, ...YOLO26_RULES });
