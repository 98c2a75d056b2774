/** Results for people. */
import type { Detection, Detections, KeyPointInstance, Result, Timings } from "../results/index.js";
import type { LoadedModel } from "./services.js";
import { formatTable, wrapPhrases } from "./table.js";
import type { Column } from "./table.js";
import type { Style } from "./terminal.js";

const DEFAULT_WIDTH = 100;

/** What was loaded and what runs it. */
export function formatModel({ task, info }: LoadedModel, style: Style): string[] {
  const providers = info.executionProviders.length === 0 ? info.device : info.executionProviders.join(", ");
  const rows: [string, string][] = [
    ["model", `${info.id} (${info.architecture}${info.variant === null ? "" : ` ${info.variant}`}, ${task})`],
    ["package", `${info.packageId} (${info.backend}), input ${info.inputSize.width}x${info.inputSize.height}`],
    ["engine", `${info.engine} ${info.engineVersion} on ${info.device}${providers === info.device ? "" : ` (${providers})`}`],
    ["executors", `preprocessing: ${info.preprocessExecutor}, decoding: ${info.decodeExecutor}`],
  ];
  return rows.map(([name, text]) => `${style("dim", name.padEnd(9))}  ${text}`);
}

const COLUMNS: readonly Column[] = [
  { title: "#", align: "right" },
  { title: "class", align: "left" },
  { title: "confidence", align: "right" },
  { title: "x1", align: "right" },
  { title: "y1", align: "right" },
  { title: "x2", align: "right" },
  { title: "y2", align: "right" },
];

const milliseconds = (value: number): string => `${value.toFixed(1)} ms`;

export function formatTimings({ decodeImageMs, preprocessMs, inferenceMs, postprocessMs, totalMs }: Timings): string {
  return [
    `decoding ${milliseconds(decodeImageMs)}`,
    `preprocessing ${milliseconds(preprocessMs)}`,
    `inference ${milliseconds(inferenceMs)}`,
    `postprocessing ${milliseconds(postprocessMs)}`,
    `total ${milliseconds(totalMs)}`,
  ].join(", ");
}

function formatNumber(value: number, whole: boolean): string {
  return whole ? String(value) : value.toFixed(1);
}

function detectionRow({ index, className, classId, confidence, box }: Detection, whole: boolean): string[] {
  const corners = [box.x1, box.y1, box.x2, box.y2].map((value) => formatNumber(value, whole));
  return [String(index), className === "" ? `class ${classId}` : className, confidence.toFixed(3), ...corners];
}

function pointPhrases({ points }: KeyPointInstance, whole: boolean): string[] {
  return points
    .filter(({ visible }) => visible)
    .map(({ index, name, x, y }) => `${name === "" ? index : name} (${formatNumber(x, whole)}, ${formatNumber(y, whole)})`);
}

function formatPicture(input: string, { image: { width, height, exifOrientation, orientationApplied } }: Result, style: Style): string {
  const orientation = exifOrientation === 1 ? "" : `, EXIF orientation ${exifOrientation} ${orientationApplied ? "applied" : "ignored"}`;
  return `${style("bold", input)}  ${style("dim", `${width}x${height}${orientation}`)}`;
}

/** Name and size of the picture, a table of detections with their key points, counts, and times. */
export function formatPrediction(input: string, result: Result, style: Style, width = DEFAULT_WIDTH): string[] {
  const detections: Detections = result.kind === "detections" ? result : result.detections;
  const whole = detections.xyxy instanceof Int32Array;
  const lines = [formatPicture(input, result, style)];
  if (detections.length > 0) {
    const [titles = "", ...rows] = formatTable(
      COLUMNS,
      Array.from(detections, (detection) => detectionRow(detection, whole)),
      style,
    );
    lines.push(`  ${titles}`);
    rows.forEach((row, index) => {
      lines.push(`  ${row}`);
      const instance = result.kind === "key-points" ? result.at(index) : undefined;
      if (instance !== undefined)
        lines.push(...wrapPhrases(pointPhrases(instance, whole), width, "       ").map((line) => style("dim", line)));
    });
  }
  const count = `${detections.length === 0 ? "no" : detections.length} detection${detections.length === 1 ? "" : "s"}`;
  lines.push(`  ${style("dim", result.timings === null ? count : `${count}; ${formatTimings(result.timings)}`)}`);
  return lines;
}
