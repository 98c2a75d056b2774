/** A decoder whose detections, masks and maps come from the kernels of a device. */
import { elementTypeNumber } from "../../src/engines/element-types.js";
import type { DecodedPicture, DetectionRequest, MapRequest, MapRun } from "../../src/engines/index.js";
import {
  cpuDecoder,
  type CandidateMatrix,
  type ClassMap,
  type Decoder,
  type DecodeSettings,
  type DenseHead,
  type DenseMap,
  type KeyPointQueriesHead,
  type QueriesHead,
} from "../../src/models/decoding/index.js";
import { callNative, type NativeAddon, type NativeMatrix } from "../../src/native/index.js";

/** Of a network, float32; `dims` begin with a batch of 1. */
export interface NetworkOutput {
  readonly dims: readonly number[];
  readonly data: Float32Array;
}

/** Where the outputs are decoded. */
export interface DecodingDevice extends AsyncDisposable {
  decode(outputs: readonly NetworkOutput[], request: DetectionRequest): Promise<DecodedPicture>;
  makeMap(output: NetworkOutput, request: MapRequest): Promise<MapRun["pictures"][number]>;
}

/** By the driver alone, without an engine. */
export function driverAlone(addon: NativeAddon, options: { readonly cudaLibraryPath: string; readonly device: number }): DecodingDevice {
  const typed = ({ dims, data }: NetworkOutput) => ({ type: elementTypeNumber("float32"), dims, data });
  return {
    async decode(outputs, request) {
      const work = { kind: "decode", outputs: outputs.map(typed), request: { ...request, outputs: [] } } as const;
      return (await callNative(() => addon.decodeOnDevice(options, work)))[0]!;
    },
    async makeMap(output, request) {
      const work = { kind: "map", outputs: [typed(output)], request: { ...request, outputs: [] } } as const;
      return (await callNative(() => addon.decodeOnDevice(options, work)))[0]!;
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

type Run = readonly [outputs: readonly NetworkOutput[], request: Pick<DetectionRequest, "head" | "keyPoints">];

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
  const behind =
    priors === undefined ? null : Float32Array.from({ length: 4 * candidates }, (_, i) => valueAt(priors, Math.floor(i / 4), i % 4));
  const from = (attribute: number) => ({ output: 0, attributes: first ? "first" : "last", from: attribute }) as const;
  return [
    [{ dims, data }, ...(behind === null ? [] : [{ dims: [candidates, 4], data: behind }])],
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

function outputsRun(
  outputs: readonly (readonly [dims: readonly number[], numbers: Float32Array])[],
  request: Pick<DetectionRequest, "head" | "keyPoints">,
): Run {
  return [outputs.map(([dims, data]) => ({ dims: [1, ...dims], data })), request];
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
  /** How much the device has done, by kind: "dense xyxy", "rows", "masks", "maps" and so on. */
  readonly decoded: ReadonlyMap<string, number>;
}

/** @param masks where masks are made; left out on the CPU */
export function deviceDecoder(addon: NativeAddon, device: DecodingDevice, masks?: Decoder["decodeMasks"]): DeviceDecoder {
  const decoded = new Map<string, number>();
  const count = (kind: string): void => void decoded.set(kind, (decoded.get(kind) ?? 0) + 1);
  const cpu = cpuDecoder(addon);
  async function run([outputs, request]: Run, settings: DecodeSettings): Promise<DecodedPicture> {
    const picture = await device.decode(outputs, { ...request, settings, pictures: 1 });
    const { head } = request;
    count(head.kind === "dense" ? `dense ${head.boxFormat}` : head.kind);
    return picture;
  }
  async function makeMap({ data, offset, channels, width, height }: DenseMap, request: Omit<MapRequest, "planes">): Promise<unknown> {
    const output = { dims: [1, channels, height, width], data: data.slice(offset, offset + channels * height * width) };
    const map = await device.makeMap(output, { planes: 0, ...request });
    count("maps");
    return map;
  }
  return {
    ...cpu,
    name: "cuda",
    decoded,
    async decodeMasks(...args) {
      if (masks === undefined) return cpu.decodeMasks(...args);
      const runs = await masks(...args);
      count("masks");
      return runs;
    },
    makeClassMap: async (map, placement, classes) =>
      (await makeMap(map, { placements: [placement], classes, filter: "triangle" })) as ClassMap,
    makeValueMap: async (map, placement, filter) =>
      (await makeMap(map, { placements: [placement], classes: null, filter })) as Float32Array,
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
    [Symbol.asyncDispose]: () => device[Symbol.asyncDispose](),
  };
}
