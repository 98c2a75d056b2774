/** A decoder whose detections come from the kernels behind an engine, on the stand-in of TensorRT, whose networks hand out their input. */
import { TensorRtEngine, type DecodedPicture, type DetectionRequest } from "../../src/engines/index.js";
import {
  cpuDecoder,
  type CandidateMatrix,
  type Decoder,
  type DecodeSettings,
  type DenseHead,
  type KeyPointQueriesHead,
  type QueriesHead,
} from "../../src/models/decoding/index.js";
import type { NativeAddon, NativeMatrix } from "../../src/native/index.js";
import { fakePlan } from "./nvidia-fakes.js";

type Run = readonly [
  lines: readonly string[],
  dims: readonly number[],
  data: Float32Array,
  request: Pick<DetectionRequest, "head" | "keyPoints">,
];

function valueAt({ data, offset, candidateStride, attributeStride }: NativeMatrix, candidate: number, attribute: number): number {
  return data[offset + candidate * candidateStride + attribute * attributeStride] ?? Number.NaN;
}

/** Boxes, objectness and classes side by side in one output, by attribute where the head is laid out so, else by candidate. */
function denseRun(head: DenseHead): Run {
  const { candidates, classes, boxes, scores, objectness } = head;
  const parts: readonly (readonly [NativeMatrix, number])[] = [
    [boxes, 4],
    ...(objectness === null ? [] : [[objectness, 1] as const]),
    [scores, classes],
  ];
  const columns = parts.flatMap(([matrix, count]) => Array.from({ length: count }, (_, attribute) => [matrix, attribute] as const));
  const first = scores.candidateStride === 1;
  const dims = first ? [1, columns.length, candidates] : [1, candidates, columns.length];
  const data = new Float32Array(columns.length * candidates);
  for (const [column, [matrix, attribute]] of columns.entries()) {
    for (let candidate = 0; candidate < candidates; candidate++)
      data[first ? column * candidates + candidate : candidate * columns.length + column] = valueAt(matrix, candidate, attribute);
  }
  const { boxFormat, priors } = head;
  // Another output, behind the first in the numbers of the input.
  const behind = priors === undefined ? [] : Array.from({ length: 4 * candidates }, (_, i) => valueAt(priors, Math.floor(i / 4), i % 4));
  const all = Float32Array.of(...data, ...behind);
  const from = (attribute: number) => ({ output: 0, attributes: first ? "first" : "last", from: attribute }) as const;
  const outputs = [`out head 0 3 ${dims.join(" ")}`, ...(priors === undefined ? [] : [`out priors 0 2 ${candidates} 4 at ${data.length}`])];
  return [
    [`in values 0 2 1 ${all.length}`, ...outputs],
    [1, all.length],
    all,
    {
      head: {
        kind: "dense",
        boxes: from(0),
        boxFormat,
        ...(priors === undefined ? {} : { priors: { output: 1, inputSize: priors.inputSize } }),
        scores: from(objectness === null ? 4 : 5),
        extras: 0,
        objectness: objectness === null ? null : from(4),
        objectnessUse: head.objectnessUse,
      },
    },
  ];
}

/** Outputs one after the other. */
function outputsRun(
  outputs: readonly (readonly [dims: readonly number[], numbers: Float32Array])[],
  request: Pick<DetectionRequest, "head" | "keyPoints">,
): Run {
  const data = new Float32Array(outputs.reduce((sum, [, numbers]) => sum + numbers.length, 0));
  let place = 0;
  const lines = outputs.map(([dims, numbers], index) => {
    data.set(numbers, place);
    const line = `out output${index} 0 ${dims.length + 1} 1 ${dims.join(" ")}${place === 0 ? "" : ` at ${place}`}`;
    place += numbers.length;
    return line;
  });
  return [[`in values 0 2 1 ${data.length}`, ...lines], [1, data.length], data, request];
}

const queriesOutputs = ({ boxes, boxesOffset, logits, logitsOffset, queries, classes }: QueriesHead) =>
  [
    [[queries, 4], boxes.subarray(boxesOffset, boxesOffset + queries * 4)],
    [[queries, classes], logits.subarray(logitsOffset, logitsOffset + queries * classes)],
  ] as const;

function keyPointQueriesRun(head: KeyPointQueriesHead): Run {
  const { queries, classes, slots, numbers, pointsOffset, size, covarianceSize, classMapping } = head;
  const rows = classes * slots;
  const points = head.points.subarray(pointsOffset, pointsOffset + queries * rows * numbers);
  return outputsRun([...queriesOutputs(head), [[queries, rows, numbers], points]], {
    head: { kind: "key-point-queries", boxes: 0, logits: 1, classMapping, points: 2, slots, scales: [{ size, covarianceSize }] },
  });
}

/**
 * The points of some candidates, by a head that finds just these, the first of them best: scores stand beside the points, in the
 * layout of the points.
 */
function gatherRun({ candidates, ...points }: CandidateMatrix, indices: Int32Array, slots: number): Run {
  const scores = new Float32Array(candidates);
  indices.forEach((candidate, rank) => (scores[candidate] = 1 - rank / (indices.length + 1)));
  const first = points.candidateStride === 1;
  const attributes = 5 + 3 * slots;
  const data = new Float32Array(attributes * candidates);
  for (let candidate = 0; candidate < candidates; candidate++) {
    for (let attribute = 4; attribute < attributes; attribute++) {
      const value = attribute === 4 ? scores[candidate] : valueAt(points, candidate, attribute - 5);
      data[first ? attribute * candidates + candidate : candidate * attributes + attribute] = value ?? Number.NaN;
    }
  }
  const from = (attribute: number) => ({ output: 0, attributes: first ? "first" : "last", from: attribute }) as const;
  return outputsRun([[first ? [attributes, candidates] : [candidates, attributes], data]], {
    head: {
      kind: "dense",
      boxes: from(0),
      boxFormat: "xyxy",
      scores: from(4),
      extras: 3 * slots,
      objectness: null,
      objectnessUse: "none",
    },
    keyPoints: { ...from(5), slots },
  });
}

const EVERYTHING: DecodeSettings = { thresholds: Float32Array.of(0), iouThreshold: null, classAgnostic: false, maxDetections: null };

export interface DeviceDecoder extends Decoder, AsyncDisposable {
  /** How many heads the device has decoded, by kind: "dense xyxy", "rows" and so on. */
  readonly decoded: ReadonlyMap<string, number>;
}

export function deviceDecoder(addon: NativeAddon): DeviceDecoder {
  const engines = new Map<string, Promise<TensorRtEngine>>();
  const decoded = new Map<string, number>();
  async function run([lines, dims, data, request]: Run, settings: DecodeSettings): Promise<DecodedPicture> {
    const key = lines.join("\n");
    const engine = engines.get(key) ?? TensorRtEngine.load(fakePlan([10, 15, 1, 29], lines), { decodesDetections: true });
    engines.set(key, engine);
    const { runDetections } = await engine;
    const { pictures } = await runDetections!({ values: { type: "float32", dims, data } }, { ...request, settings, pictures: 1 });
    const { head } = request;
    const kind = head.kind === "dense" ? `dense ${head.boxFormat}` : head.kind;
    decoded.set(kind, (decoded.get(kind) ?? 0) + 1);
    return pictures[0]!;
  }
  return {
    ...cpuDecoder(addon),
    name: "cuda",
    decoded,
    decodeDense: async (head, settings) => (await run(denseRun(head), settings)).rows,
    async decodeQueries(head, settings) {
      const request = { head: { kind: "queries", boxes: 0, logits: 1, classMapping: head.classMapping } } as const;
      return (await run(outputsRun(queriesOutputs(head), request), settings)).rows;
    },
    async decodeKeyPointQueries(head, settings) {
      const { rows, keyPoints } = await run(keyPointQueriesRun(head), settings);
      return { rows, keyPoints: keyPoints! };
    },
    async gatherKeyPoints(attributes, indices, slots) {
      const { rows, keyPoints } = await run(gatherRun(attributes, indices, slots), EVERYTHING);
      if (rows.indices.join() !== indices.join()) throw new Error("The head has found other candidates.");
      return keyPoints!;
    },
    async decodeRows({ data, offset, rows, columns, inclusive }, settings) {
      const outputs = [[[rows, columns], data.subarray(offset, offset + rows * columns)]] as const;
      return (await run(outputsRun(outputs, { head: { kind: "rows", output: 0, inclusive } }), settings)).rows;
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([...engines.values()].map(async (engine) => (await engine).close()));
    },
  };
}
