/** RF-DETR with masks: each query has a plane of its own, which nothing is cut from. */
import { configuration } from "../../configuration.js";
import type { LayoutContext } from "./detector.js";
import { decodeHead, readHead } from "./head.js";
import { floatData, requireOutput, requireRank } from "./outputs.js";
import { RFDETR_RULES, rfdetrLayout } from "./rfdetr.js";
import { fixedMasks, segmenterFamily, type SegmenterLayout } from "./segmenter.js";

const MEANING = "masks [batch, queries, height, width]";

export function rfdetrSegmentationLayout(context: LayoutContext): SegmenterLayout {
  const detector = rfdetrLayout(context);
  const { maxDetections } = configuration().defaults.rfdetr;
  return {
    defaults: { ...detector.defaults, maxDetections, ...fixedMasks(false, 0) },
    boxes: detector.boxes,
    cutsToBoxes: false,
    check(outputs) {
      detector.check(outputs);
      requireOutput(outputs, 2, 4, MEANING);
    },
    read(outputs, image) {
      const head = readHead(detector.head, outputs, image);
      const { data, dims } = floatData(outputs, 2);
      const [, channels = 0, height = 0, width = 0] = requireRank(dims, 4, MEANING);
      const cells = width * height;
      const planes = { data, offset: image * channels * cells, candidateStride: 1, attributeStride: cells };
      return {
        select: (settings, decoder) => decodeHead(head, settings, decoder),
        masks: { width, height, channels, planes, coefficients: null },
      };
    },
  };
}

export const family = segmenterFamily({ layout: rfdetrSegmentationLayout, acceptsImageSize: true, ...RFDETR_RULES });
