import type { DetectionDefaults } from "../family.js";
import type { DetectorLayout } from "./detector.js";
import { floatData, requireOutput, requireRank } from "./outputs.js";

const MEANING = "[batch, rows, 6 or more]: x1, y1, x2, y2, score, class id";

/** `[batch, rows, 6 + extras]` in network pixels, best first: what is left after NMS inside the graph. */
export function rowsLayout(defaults: DetectionDefaults, inclusive: boolean): DetectorLayout {
  return {
    defaults,
    boxes: "pixels",
    check(outputs) {
      requireOutput(outputs, 0, 3, MEANING);
    },
    read(outputs, image) {
      const { data, dims } = floatData(outputs, 0);
      const [, rows = 0, columns = 0] = requireRank(dims, 3, MEANING);
      return { kind: "rows", head: { data, offset: image * rows * columns, rows, columns, inclusive } };
    },
  };
}

/** NMS settings are baked into the graph: only the confidence can be chosen. */
export function fusedRowsLayout(confidence: number): DetectorLayout {
  return rowsLayout({ confidence, iouThreshold: null, maxDetections: null, classAgnosticNms: null }, true);
}
