/** Outputs of heads of every kind, as large as those of the usual models, for measuring what makes detections of them. */
import { elementTypeNumber } from "../../src/engines/element-types.js";
import type { DetectionRequest, MapRequest } from "../../src/engines/index.js";
import type { Measured } from "./kernels.js";

const NETWORK = 640;
const [CANDIDATES, CLASSES, QUERIES, SLOTS, CHANNELS, SIDE] = [8400, 80, 300, 17, 32, 160];
const FRAME = { width: 1920, height: 1080 };
const THRESHOLD = 0.25;
const SETTINGS = { thresholds: Float32Array.of(THRESHOLD), iouThreshold: 0.45, classAgnostic: false, maxDetections: 300 };

/** From 0 to 1. */
const random = (index: number): number => (Math.imul(index + 1, 2654435761) >>> 8) / 2 ** 24;

type Output = readonly [dims: readonly number[], valueAt: (index: number) => number];
type Request = Omit<DetectionRequest, "pictures" | "settings">;

function outputsOf(outputs: readonly Output[]) {
  return outputs.map(([dims, valueAt]) => {
    const length = dims.reduce((product, size) => product * size, 1);
    return { type: elementTypeNumber("float32"), dims, data: Float32Array.from({ length }, (_, index) => valueAt(index)) };
  });
}

/** @param bytes that have to be read at least, of these outputs */
function measured(name: string, outputs: readonly Output[], request: Request, bytes?: number): Measured {
  const tensors = outputsOf(outputs);
  return {
    name: `${name}, download included`,
    work: { kind: "decode", outputs: tensors, request: { ...request, settings: SETTINGS, pictures: 1, outputs: [] } },
    bytes: bytes ?? tensors.reduce((sum, { data }) => sum + data.byteLength, 0),
  };
}

const first = (from: number) => ({ output: 0, attributes: "first", from }) as const;

function denseHead(extras: number): Request["head"] {
  const boxes = { boxes: first(0), boxFormat: "cxcywh" } as const;
  return { kind: "dense", ...boxes, scores: first(4), extras, objectness: null, objectnessUse: "none" };
}

/** Of `extras` attributes behind the classes; every 40th candidate may be sure, or all are. Boxes overlap. */
function denseOutput(extras: number, sure: "few" | "all"): Output {
  const valueAt = (index: number): number => {
    const [attribute, candidate] = [Math.floor(index / CANDIDATES), index % CANDIDATES];
    const value = random(index);
    if (attribute < 2) return value * NETWORK;
    if (attribute < 4) return 40 + value * 200;
    if (attribute >= 4 + CLASSES) return value * 2 - 1;
    if (sure === "all") return THRESHOLD + 0.01 + value * 0.7;
    return candidate % 40 === 0 ? value : value * 0.2;
  };
  return [[1, 4 + CLASSES + extras, CANDIDATES], valueAt];
}

/** How many candidates of an output have a class above the threshold. */
function passing([, valueAt]: Output): number {
  let count = 0;
  for (let candidate = 0; candidate < CANDIDATES; candidate += 1) {
    const above = (_: unknown, id: number): boolean => Math.fround(valueAt((4 + id) * CANDIDATES + candidate)) > THRESHOLD;
    if (Array.from({ length: CLASSES }, above).includes(true)) count += 1;
  }
  return count;
}

function dense(sure: "few" | "all"): Measured {
  const output = denseOutput(0, sure);
  const name = `decode and suppress ${CANDIDATES} candidates of ${CLASSES} classes, ${passing(output)} above the threshold`;
  return { ...measured(name, [output], { head: denseHead(0) }), ...(sure === "few" ? { target: 60 } : {}) };
}

const queriesHead = (classes: number) =>
  ({ boxes: 0, logits: 1, classMapping: Int32Array.from({ length: classes }, (_, id) => id) }) as const;

/** Logits of which about one query in six has one above the threshold. */
const logit = (index: number): number => random(index) * 14 - (index % 500 === 0 ? 2 : 15.5);

function queries(): Measured {
  const outputs: readonly Output[] = [
    [[1, QUERIES, 4], random],
    [[1, QUERIES, CLASSES + 11], logit],
  ];
  return measured(`the best of ${QUERIES} queries of ${CLASSES + 11} classes`, outputs, {
    head: { kind: "queries", ...queriesHead(CLASSES + 11) },
  });
}

function rows(): Measured {
  const valueAt = (index: number): number => {
    const column = index % 6;
    if (column < 4) return random(index) * NETWORK;
    return column === 4 ? random(index) : Math.floor(random(index) * CLASSES);
  };
  return measured("300 rows after NMS in the graph", [[[1, 300, 6], valueAt]], { head: { kind: "rows", output: 0, inclusive: true } });
}

function keyPointQueries(): Measured {
  const outputs: readonly Output[] = [
    [[1, QUERIES, 4], random],
    [[1, QUERIES, 2], (index) => random(index) * 4 - 2],
    [[1, QUERIES, 2 * SLOTS, 8], random],
  ];
  const head = { kind: "key-point-queries", ...queriesHead(2), points: 2, slots: SLOTS } as const;
  return measured(`the best of ${QUERIES} queries with ${SLOTS} key points`, outputs, {
    head: { ...head, scales: [{ size: FRAME, covarianceSize: FRAME }] },
  });
}

/** As YOLOv8 for poses has them. */
function keyPoints(): Measured {
  const output = denseOutput(3 * SLOTS, "few");
  // Points are read of what stays alone.
  const bytes = (4 + CLASSES) * CANDIDATES * 4 + SETTINGS.maxDetections * SLOTS * 3 * 4;
  const request = { head: denseHead(3 * SLOTS), keyPoints: { ...first(4 + CLASSES), slots: SLOTS } };
  return measured(`candidates as above, and ${SLOTS} key points of those that stay`, [output], request, bytes);
}

/** As YOLOv8 for segmentation has them, put on a frame of a camera. */
function masks(): Measured {
  const outputs: readonly Output[] = [denseOutput(CHANNELS, "few"), [[1, CHANNELS, SIDE, SIDE], (index) => random(index) * 2 - 1]];
  const trim = { left: 0, top: 35, right: 0, bottom: 35 };
  const request: Request = {
    head: denseHead(CHANNELS),
    masks: {
      ...{ planes: 1, channels: "first", coefficients: first(4 + CLASSES), sigmoid: true, boxScale: SIDE / NETWORK },
      targets: [{ trim, resize: FRAME, left: 0, top: 0, picture: FRAME, threshold: 0.5 }],
    },
  };
  return measured(`candidates as above, and masks of ${CHANNELS}x${SIDE}x${SIDE} for those that stay, on 1920x1080`, outputs, request);
}

function map(classes: MapRequest["classes"], channels: number): Measured {
  const outputs = outputsOf([[[1, channels, SIDE, SIDE], (index) => random(index) * 6 - 3]]);
  const placement = { trim: { left: 0, top: 0, right: 0, bottom: 0 }, resize: FRAME, canvas: { ...FRAME, left: 0, top: 0 } };
  const filter = classes === null ? "nearest-cubic" : "triangle";
  const pixels = FRAME.width * FRAME.height;
  return {
    name: `${channels}x${SIDE}x${SIDE} to a ${classes === null ? "value" : "class"} for each pixel of 1920x1080, download included`,
    work: { kind: "map", outputs, request: { planes: 0, placements: [placement], classes, filter, outputs: [] } },
    bytes: channels * SIDE * SIDE * 4 + pixels * (classes === null ? 4 : 5),
  };
}

/** Heads of one picture, each with what it has to read at least. */
export function decoding(): readonly Measured[] {
  const ids = Int32Array.from({ length: 20 }, (_, id) => id);
  return [
    ...[dense("few"), dense("all"), queries(), rows(), keyPoints(), keyPointQueries(), masks()],
    map({ classIds: ids, background: 0, thresholds: Float32Array.of(0.4) }, 20),
    map(null, 1),
  ];
}
