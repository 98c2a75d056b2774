/** RF-DETR: a fixed number of queries, no NMS. */
import { configuration } from "../../configuration.js";
import { detectorFamily, STRETCH_RULES, type DetectorLayout, type LayoutContext, type PackageRules } from "./detector.js";
import type { QueriesLayout } from "./head.js";
import { requireOutput, wrongNetwork } from "./outputs.js";

/** Column of the logits -> reported class id. Columns beyond the class list (the "no object" column) are dropped. */
function classMapping({ classNames, remapping }: Pick<LayoutContext, "classNames" | "remapping">): Int32Array {
  return remapping === null ? Int32Array.from(classNames.keys()) : Int32Array.from(remapping.classMapping);
}

/** Boxes `[batch, queries, 4]` (centre-size, fractions) and logits `[batch, queries, columns]`, in this order, as one head. */
export function queriesLayout(context: LayoutContext): QueriesLayout {
  return { kind: "queries", boxes: 0, logits: 1, classMapping: classMapping(context) };
}

export function rfdetrLayout(context: LayoutContext): DetectorLayout {
  const { classNames } = context;
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
    head: queriesLayout(context),
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
