/** Results for people. */
import type {
  ClassScore,
  Detection,
  Detections,
  InstanceDetections,
  KeyPointInstance,
  KeyPoints,
  Result,
  SemanticSegmentation,
  Timings,
} from "../results/index.js";
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

const nameOf = (className: string, classId: number): string => (className === "" ? `class ${classId}` : className);

function detectionRow({ index, className, classId, confidence, box }: Detection, whole: boolean): string[] {
  const corners = [box.x1, box.y1, box.x2, box.y2].map((value) => formatNumber(value, whole));
  return [String(index), nameOf(className, classId), confidence.toFixed(3), ...corners];
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

function formatDetections(result: Detections | InstanceDetections | KeyPoints, style: Style, width: number): string[] {
  const detections: Detections = result.kind === "detections" ? result : result.detections;
  if (detections.length === 0) return [];
  const whole = detections.xyxy instanceof Int32Array;
  const [titles = "", ...rows] = formatTable(
    COLUMNS,
    Array.from(detections, (detection) => detectionRow(detection, whole)),
    style,
  );
  const lines = [titles];
  rows.forEach((row, index) => {
    lines.push(row);
    const instance = result.kind === "key-points" ? result.at(index) : undefined;
    if (instance !== undefined) lines.push(...wrapPhrases(pointPhrases(instance, whole), width, "     ").map((line) => style("dim", line)));
  });
  return lines;
}

const LABEL_COLUMNS: readonly Column[] = COLUMNS.slice(1, 3);
/** Classes of one picture that are worth a line. */
const SHOWN_CLASSES = 5;

function formatScores(scores: readonly ClassScore[], style: Style): string[] {
  if (scores.length === 0) return [];
  return formatTable(
    LABEL_COLUMNS,
    scores.map(({ className, classId, confidence }) => [nameOf(className, classId), confidence.toFixed(3)]),
    style,
  );
}

const SHARE_COLUMNS: readonly Column[] = [
  { title: "class", align: "left" },
  { title: "pixels", align: "right" },
  { title: "share", align: "right" },
];

/** Classes of a map by their area. */
function formatShares(map: SemanticSegmentation, style: Style): string[] {
  const all = map.classMap.length;
  const counts = [...map.pixelsPerClass().entries()].filter(([, pixels]) => pixels > 0).sort(([, a], [, b]) => b - a);
  const rows = counts.map(([id, pixels]) => [
    nameOf(map.classNames[id] ?? "", id),
    String(pixels),
    `${((100 * pixels) / all).toFixed(1)} %`,
  ]);
  return formatTable(SHARE_COLUMNS, rows, style);
}

const plural = (count: number, what: string): string => `${count === 0 ? "no" : count} ${what}${count === 1 ? "" : "s"}`;

/** What a result holds, line by line, and in a few words. */
function formatContent(result: Result, style: Style, width: number): { readonly lines: readonly string[]; readonly summary: string } {
  switch (result.kind) {
    case "detections":
    case "instance-detections":
    case "key-points":
      return { lines: formatDetections(result, style, width), summary: plural(result.length, "detection") };
    case "classification":
      return { lines: formatScores(result.top(SHOWN_CLASSES), style), summary: `of ${result.classNames.length} classes` };
    case "multi-label-classification":
      return { lines: formatScores(result.labels, style), summary: plural(result.labels.length, "label") };
    case "semantic-segmentation":
      return { lines: formatShares(result, style), summary: `of ${result.classNames.length} classes` };
    case "gaze": {
      const { yaw, pitch } = result.degrees;
      return { lines: [], summary: `yaw ${yaw.toFixed(1)}, pitch ${pitch.toFixed(1)} degrees` };
    }
    case "embedding":
      return { lines: [], summary: `embedding of ${result.dimensions} numbers (all of them with --json)` };
    case "text":
      return { lines: result.text === "" ? [] : result.text.split("\n"), summary: plural(result.lines.length, "region") };
    case "depth": {
      const { minimum, maximum } = result.range();
      return { lines: [], summary: `${result.unit} depth from ${minimum.toFixed(2)} to ${maximum.toFixed(2)}` };
    }
  }
}

/** Name and size of the picture, what was found, counts, and times. */
export function formatPrediction(input: string, result: Result, style: Style, width = DEFAULT_WIDTH): string[] {
  const { lines, summary } = formatContent(result, style, width);
  const timings = result.timings === null ? "" : `; ${formatTimings(result.timings)}`;
  return [formatPicture(input, result, style), ...lines.map((line) => `  ${line}`), `  ${style("dim", `${summary}${timings}`)}`];
}
