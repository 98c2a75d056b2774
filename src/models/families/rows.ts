import type { TensorPort } from "../../engines/index.js";
import type { DetectionDefaults } from "../family.js";
import type { DetectorLayout } from "./detector.js";
import { ROWS_MEANING, type HeadPart, type RowsLayout } from "./head.js";
import { requireOutput, wrongNetwork } from "./outputs.js";

const COLUMNS = 6;

/** @param extras columns behind the sixth; null: as many as there are. @throws CorruptedModelPackageError */
export function checkRows(outputs: readonly TensorPort[], extras: number | null = null): void {
  const [, , columns = null] = requireOutput(outputs, 0, 3, ROWS_MEANING);
  if (extras !== null && columns !== null && columns !== COLUMNS + extras) {
    throw wrongNetwork(`The rows of the network have ${columns} columns; ${COLUMNS + extras} were expected.`);
  }
}

/** What is left after NMS inside the graph, a score equal to the threshold included. */
export const FUSED_ROWS: RowsLayout = { kind: "rows", output: 0, inclusive: true };

/** What stands behind the six columns. */
export const ROW_EXTRAS: HeadPart = { output: 0, attributes: "last", from: COLUMNS };

export function rowsLayout(defaults: DetectionDefaults, inclusive: boolean): DetectorLayout {
  return {
    defaults,
    boxes: "pixels",
    check(outputs) {
      checkRows(outputs);
    },
    head: { kind: "rows", output: 0, inclusive },
  };
}

/** Defaults of a graph that NMS is baked into: only the confidence can be chosen. */
export function fusedDefaults(confidence: number): DetectionDefaults {
  return { confidence, iouThreshold: null, maxDetections: null, classAgnosticNms: null };
}

export function fusedRowsLayout(confidence: number): DetectorLayout {
  return rowsLayout(fusedDefaults(confidence), true);
}
