/** Heads of every kind, and key points, through the decoding kernels of a real device, compared with the CPU's decoder. */
import { float32ToFloat16, type DecodedPicture, type DetectionRequest, type Tensor } from "../../src/engines/index.js";
import { cpuDecoder, type Decoder, type DecodeSettings } from "../../src/models/decoding/index.js";
import { decodeHead, readHead, type DenseLayout, type HeadLayout, type QueriesLayout } from "../../src/models/families/head.js";
import { locateInstances, pointsRequest, type PointsLayout } from "../../src/models/families/points.js";
import type { NativeAddon } from "../../src/native/index.js";
import { bitsOf, loadIdentity, median } from "./identity.js";

const BATCH = 2;
const CLASSES = 80;
const ANCHORS = 8400;
const SLOTS = 17;
/** Of each picture in the batch. */
const GEOMETRY = [1, 0.37].map((scale) => ({
  nonsquareIntermediateSize: null,
  inferenceSize: { width: 576, height: 432 },
  scaleWidth: scale,
  scaleHeight: scale / 2,
}));

interface Kind {
  readonly head: HeadLayout;
  readonly points?: PointsLayout;
  /** Of the outputs, which are handed through from inputs. */
  readonly outputs: readonly (readonly number[])[];
  /** Whether scores are logits. */
  readonly logits: boolean;
  /** Those that are float16 instead of float32, by index. */
  readonly halves?: readonly number[];
}

const part = (output: number, attributes: "first" | "last", from: number) => ({ output, attributes, from }) as const;

function classesAlone(extras: number): DenseLayout {
  return {
    kind: "dense",
    boxes: part(0, "first", 0),
    boxFormat: "cxcywh",
    scores: part(0, "first", 4),
    extras,
    objectness: null,
    objectnessUse: "none",
  };
}

const QUERIES_HEAD: QueriesLayout = {
  kind: "queries",
  boxes: 0,
  logits: 1,
  classMapping: Int32Array.from({ length: CLASSES }, (_, id) => (id % 7 === 0 ? -1 : id)),
};

const CLASSES_ALONE: Kind = { head: classesAlone(0), outputs: [[BATCH, 4 + CLASSES, ANCHORS]], logits: false };
const CLASSES_AND_POINTS: Kind = {
  head: classesAlone(3 * SLOTS),
  points: { kind: "candidates", head: classesAlone(3 * SLOTS), points: part(0, "first", 4 + CLASSES) },
  outputs: [[BATCH, 4 + CLASSES + 3 * SLOTS, ANCHORS]],
  logits: false,
};

const QUERIES: Kind = {
  head: QUERIES_HEAD,
  outputs: [
    [BATCH, 300, 4],
    [BATCH, 300, CLASSES + 1],
  ],
  logits: true,
};
const QUERIES_WITH_POINTS: Kind = {
  head: QUERIES_HEAD,
  points: { kind: "queries", queries: QUERIES_HEAD, points: 2 },
  outputs: [
    [BATCH, 100, 4],
    [BATCH, 100, 3],
    [BATCH, 100, 3 * SLOTS, 8],
  ],
  logits: true,
};
const ROWS: HeadLayout = { kind: "rows", output: 0, inclusive: true };

const KINDS: Readonly<Record<string, Kind>> = {
  "classes alone": CLASSES_ALONE,
  "classes alone in float16": { ...CLASSES_ALONE, halves: [0] },
  "objectness as a gate": {
    head: {
      kind: "dense",
      boxes: part(0, "last", 0),
      boxFormat: "cxcywh",
      scores: part(0, "last", 5),
      extras: 0,
      objectness: part(0, "last", 4),
      objectnessUse: "gate",
    },
    outputs: [[BATCH, ANCHORS, 5 + CLASSES]],
    logits: false,
  },
  "objectness as a factor": {
    head: {
      kind: "dense",
      boxes: part(0, "last", 0),
      boxFormat: "xyxy",
      scores: part(2, "last", 0),
      extras: 0,
      objectness: part(1, "last", 0),
      objectnessUse: "product",
    },
    outputs: [
      [BATCH, ANCHORS, 4],
      [BATCH, ANCHORS, 1],
      [BATCH, ANCHORS, CLASSES],
    ],
    logits: true,
  },
  queries: QUERIES,
  "queries with logits in float16": { ...QUERIES, halves: [1] },
  "offsets from priors": {
    head: {
      kind: "dense",
      boxes: part(0, "last", 0),
      boxFormat: "offsets",
      priors: { output: 1, inputSize: { width: 550, height: 550 } },
      scores: part(2, "last", 1),
      extras: 0,
      objectness: null,
      objectnessUse: "none",
    },
    outputs: [
      [BATCH, ANCHORS, 4],
      [ANCHORS, 4],
      [BATCH, ANCHORS, CLASSES + 1],
    ],
    logits: false,
  },
  rows: { head: ROWS, outputs: [[BATCH, 300, 38]], logits: false },
  "classes and key points": CLASSES_AND_POINTS,
  "classes and key points in float16": { ...CLASSES_AND_POINTS, halves: [0] },
  "rows and key points": {
    head: ROWS,
    points: { kind: "candidates", head: ROWS, points: part(0, "last", 6) },
    outputs: [[BATCH, 300, 6 + 3 * SLOTS]],
    logits: false,
  },
  "queries with key points": QUERIES_WITH_POINTS,
  "queries with key points in float16": { ...QUERIES_WITH_POINTS, halves: [2] },
};

const typeOf = ({ halves = [] }: Kind, output: number) => (halves.includes(output) ? "float16" : "float32");

/** Few candidates are sure of anything, as in a picture; positions are pixels of a network. */
function fill(dims: readonly number[], { logits }: Kind): Float32Array {
  return Float32Array.from({ length: dims.reduce((product, size) => product * size, 1) }, (_, index) => {
    const number = (Math.imul(index + 1, 2654435761) >>> 8) / 2 ** 24;
    return logits ? number * 14 - 12 : number ** 400;
  });
}

/** Of 6400, where a coordinate lies. */
const positionOf = (index: number): number => (Math.imul(index + 1, 40503) >>> 4) % 6400;

/** Boxes, and of rows the scores and class ids, too. */
function fillBoxes(data: Float32Array, [, rows = 0, columns = 0]: readonly number[], head: HeadLayout): void {
  const first = head.kind === "dense" && head.boxes.attributes === "first";
  for (let index = 0; index < data.length; index += 1) {
    const attribute = first ? Math.floor(index / columns) % rows : index % columns;
    const position = positionOf(index);
    if (attribute < 4) data[index] = position / 10;
    else if (head.kind === "rows" && attribute < 6) data[index] = attribute === 4 ? position / 6400 : position % CLASSES;
  }
}

function tensorsOf(kind: Kind): readonly Tensor[] {
  return kind.outputs.map((dims, index) => {
    const data = fill(dims, kind);
    const { head } = kind;
    if (head.kind === "dense" && head.boxFormat === "offsets") {
      // Offsets from -2 to 2, and priors as fractions.
      if (index < 2) for (let i = 0; i < data.length; i += 1) data[i] = index === 0 ? positionOf(i) / 1600 - 2 : positionOf(i) / 6400;
    } else if (index === 0) {
      fillBoxes(data, dims, head);
    } else if (dims.length === 4) {
      // Nobody would believe in queries that are too unsure of their points.
      for (let i = 0; i < data.length; i += 1) data[i] = positionOf(i) / 3200 - 1;
    }
    const type = typeOf(kind, index);
    return { type, dims, data: type === "float16" ? float32ToFloat16(data) : data };
  });
}

const resultBits = ({ rows, keyPoints }: DecodedPicture): string =>
  bitsOf(rows.xyxy, rows.scores, rows.classIds, rows.indices, ...(Object.values(keyPoints ?? {}) as Float32Array[]));

function requestOf({ head, points }: Kind, settings: DecodeSettings): DetectionRequest {
  return {
    ...(points === undefined ? { head: head, settings } : pointsRequest(points, SLOTS, GEOMETRY, settings)),
    pictures: BATCH,
  };
}

async function expectedOf(
  { head, points }: Kind,
  outputs: readonly Tensor[],
  image: number,
  settings: DecodeSettings,
  decoder: Decoder,
): Promise<DecodedPicture> {
  if (points === undefined) return { rows: await decodeHead(readHead(head, outputs, image), settings, decoder) };
  return locateInstances(points, SLOTS, outputs, image, GEOMETRY[image] ?? GEOMETRY[0]!, settings, decoder);
}

export async function checkDetections(
  addon: NativeAddon,
  { device, rounds }: { readonly device: number; readonly rounds: number },
  expectThat: (holds: boolean, what: string) => void,
  say: (text: string) => void,
): Promise<void> {
  const decoder = cpuDecoder(addon);
  for (const [name, kind] of Object.entries(KINDS)) {
    const ports = kind.outputs.map((dims, index) => ({ type: typeOf(kind, index), dims }) as const);
    await using engine = await loadIdentity(ports, device);
    const inputs = Object.fromEntries(tensorsOf(kind).map((tensor, index) => [`values${index}`, tensor]));
    const handed = await engine.run(inputs);
    const outputs = engine.outputs.map((port) => handed[port.name] as Tensor);
    let [differing, found] = [0, 0];
    // Runs after the second are launches of a graph, with other thresholds than it was captured with.
    for (const threshold of [0.5, 0.3, 0.25, 0.1, 0.01]) {
      const settings = { thresholds: Float32Array.of(threshold), iouThreshold: 0.5, classAgnostic: threshold < 0.2, maxDetections: 300 };
      const { pictures } = await engine.runDetections!(inputs, requestOf(kind, settings));
      for (const [image, picture] of pictures.entries()) {
        const expected = await expectedOf(kind, outputs, image, settings, decoder);
        if (resultBits(picture) !== resultBits(expected)) differing += 1;
        found += expected.rows.scores.length;
      }
    }
    expectThat(differing === 0 && found > 100, `${name}: ${differing} of 10 results differ from the CPU's, with ${found} detections`);
    const settings = { thresholds: Float32Array.of(0.25), iouThreshold: 0.5, classAgnostic: false, maxDetections: 300 };
    const request = requestOf(kind, settings);
    say(
      `${name}, batch ${BATCH}, upload included: ${await median(rounds, () => engine.runDetections!(inputs, request))} with detections, ` +
        `${await median(rounds, () => engine.run(inputs))} with the outputs`,
    );
  }
}
