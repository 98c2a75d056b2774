/** YOLO26 with masks: end-to-end rows; masks are what the network's numbers make positive. */
import { configuration } from "../../configuration.js";
import { checkRows, fusedDefaults, readRows } from "./rows.js";
import { fixedMasks, PROTOTYPES, prototypeLayout, segmenterFamily, type SegmenterLayout } from "./segmenter.js";

export function yolo26SegmentationLayout(): SegmenterLayout {
  return prototypeLayout({
    defaults: { ...fusedDefaults(configuration().defaults.yolo26.confidence), ...fixedMasks(false, 0) },
    prototypes: 1,
    check(outputs) {
      checkRows(outputs, PROTOTYPES);
    },
    read: readRows,
  });
}

export const family = segmenterFamily({
  layout: yolo26SegmentationLayout,
  postProcessing: "any",
  acceptsImageSize: true,
  limitsDynamicBatch: true,
});
