/** RF-DETR: a fixed number of queries, no NMS. */
import { configuration } from "../../configuration.js";
import type { Tensor } from "../../engines/index.js";
import type { QueriesHead } from "../decoding/index.js";
import type { ClassRemapping } from "../../packages/index.js";
import { detectorFamily, STRETCH_RULES, type DetectorLayout, type LayoutContext, type PackageRules } from "./detector.js";
import { floatData, requireOutput, requireRank, wrongNetwork } from "./outputs.js";

/** Column of the logits -> reported class id. Columns beyond the class list (the "no object" column) are dropped. */
export function classMapping(columns: number, classNames: readonly string[], remapping: ClassRemapping | null): Int32Array {
  return Int32Array.from({ length: columns }, (_, column) => {
    if (remapping !== null) return remapping.classMapping[column] ?? -1;
    return column < classNames.length ? column : -1;
  });
}

/** Boxes `[batch, queries, 4]` (centre-size, fractions) and logits `[batch, queries, columns]`, in this order, as one head. */
export function queriesReader({ classNames, remapping }: LayoutContext): (outputs: readonly Tensor[], image: number) => QueriesHead {
  let mapping: Int32Array | null = null;
  return (outputs, image) => {
    const boxes = floatData(outputs, 0);
    const logits = floatData(outputs, 1);
    requireRank(boxes.dims, 3, "boxes [batch, queries, 4]");
    const [, queries = 0, classes = 0] = requireRank(logits.dims, 3, "logits [batch, queries, classes]");
    if (mapping?.length !== classes) mapping = classMapping(classes, classNames, remapping);
    return {
      boxes: boxes.data,
      boxesOffset: image * queries * 4,
      logits: logits.data,
      logitsOffset: image * queries * classes,
      queries,
      classes,
      classMapping: mapping,
    };
  };
}

export function rfdetrLayout(context: LayoutContext): DetectorLayout {
  const { classNames } = context;
  const read = queriesReader(context);
  return {
    defaults: { confidence: configuration().defaults.rfdetr.confidence, iouThreshold: null, maxDetections: null, classAgnosticNms: null },
    boxes: "fractions",
    check(outputs) {
      requireOutput(outputs, 0, 3, "boxes [batch, queries, 4]");
      const [, , columns] = requireOutput(outputs, 1, 3, "logits [batch, queries, classes]");
      if (columns !== null && columns !== undefined && columns < classNames.length) {
        throw wrongNetwork(`The network has ${columns} class columns but class_names.txt lists ${classNames.length}.`);
      }
    },
    read: (outputs, image) => ({ kind: "queries", head: read(outputs, image) }),
  };
}

/** Of all three tasks. */
export const RFDETR_RULES: PackageRules = {
  postProcessing: "any",
  resizeModes: STRETCH_RULES,
  pipeline: "rf-detr",
  limitsDynamicBatch: true,
  removesClasses: true,
};

export const family = detectorFamily({ layout: rfdetrLayout, ...RFDETR_RULES });
