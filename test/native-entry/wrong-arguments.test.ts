/**
 * Every argument of every function that computes, in turn replaced by everything that it should not be. What is of another kind has to be
 * refused; a number that is merely odd may be used. Nothing may end the process, hang, or change what the next good call gives.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";

import { loadAddon } from "../../src/native/index.js";
import { fakePlan, nativeEngineOptions, nvidiaFakes } from "../support/nvidia-fakes.js";

const addon = loadAddon();
if (addon === null) process.stderr.write("skipped: the addon is not available\n");
const fakes = addon === null ? null : nvidiaFakes();
const onDevice = fakes === null ? null : await addon!.openDevicePreprocessor({ cudaLibraryPath: join(fakes, "cuda"), device: 0 });

const engine =
  fakes === null
    ? null
    : await addon!.loadTensorRtEngine(
        fakePlan(
          [10, 15, 1, 1],
          [
            ...[
              "in values 0 3 1 7 2",
              "out head 0 3 1 7 2",
              "out dets 0 3 1 2 4",
              "out labels 0 3 1 2 3 at 8",
              "out planes 0 4 1 1 2 2 at 8",
              "out rows 0 3 1 2 7",
            ],
            ...["out dets_one 0 3 1 1 4", "out labels_one 0 3 1 1 1 at 4", "out points 0 4 1 1 1 7 at 5"],
          ],
        ),
        { ...nativeEngineOptions(fakes), graphs: 2, decodesOutputs: true },
        addon!.createCancelToken(),
      );

const numbers = Float32Array.of(16, 48, 16, 48, 16, 8, 16, 8, 0.1, 0.6, 0.9, 0.2);
const matrix = { data: numbers, offset: 0, candidateStride: 1, attributeStride: 2 };
const settings = { thresholds: Float32Array.of(0.4), iouThreshold: 0.5, classAgnostic: false, maxDetections: 10 };
const planes = { data: Float32Array.of(1, 1, -1, -1, 2, 2, 2, 2), offset: 0, candidateStride: 1, attributeStride: 4 };
const coefficients = { data: Float32Array.of(1, 0, 0, 1), offset: 0, candidateStride: 2, attributeStride: 1, candidates: 2 };
const trim = { left: 0, top: 0, right: 0, bottom: 0 };
const resize = { width: 2, height: 2 };
const map = { data: planes.data, offset: 0, channels: 2, width: 2, height: 2 };
const placement = { trim, resize, canvas: { ...resize, left: 0, top: 0 } };

const rowsOutput = { type: 1, dims: [1, 2, 7], data: Float32Array.of(8, 8, 24, 24, 0.9, 1, 0, 16, 16, 40, 40, 0.6, 0, 0) };
const rowsRequest = { head: { kind: "rows", output: 0, inclusive: true }, settings, pictures: 1, outputs: [] };
const scratch = mkdtempSync(join(tmpdir(), "inference-models-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));
const planPath = join(scratch, "engine.plan");
writeFileSync(planPath, fakePlan([10, 15, 1, 1], ["in values 0 2 1 3", "out same 0 2 1 3"]));

type Name =
  | "preprocess"
  | "run"
  | "run (engine)"
  | "runDetections"
  | "runDetections (queries)"
  | "runDetections (rows)"
  | "runDetections (offsets)"
  | "runDetections (masks)"
  | "runDetections (key points)"
  | "runDetections (queries with key points)"
  | "runMaps"
  | "runMaps (values)"
  | "cropQuadrilaterals"
  | "decodeDense"
  | "decodeDense (offsets)"
  | "decodeRows"
  | "decodeQueries"
  | "decodeKeyPointQueries"
  | "gatherKeyPoints"
  | "nonMaximumSuppression"
  | "decodeMasks"
  | "makeClassMap"
  | "makeValueMap"
  | "assembleMasks"
  | "measureDevice"
  | "measureTensorRtEngine"
  | "decodeOnDevice"
  | "decodeOnDevice (map)"
  | "readDeviceMemory";

interface GoodCall {
  readonly args: readonly unknown[];
  /** Paths that may be null, or left out. */
  readonly nullable?: readonly string[];
  /** Paths where other kinds are used too, or nothing is read. */
  readonly any?: readonly string[];
}

const pixels = new Uint8Array(36).fill(51);
const image = { width: 4, height: 3, channels: 3, colorFormat: "rgb" };
const steps = {
  source: { width: 4, height: 3 },
  crop: { left: 0, top: 0, width: 4, height: 3 },
  grayscale: false,
  contrast: "adaptive-equalization",
  geometry: [{ kind: "resize", filter: "linear", ...resize, canvas: { ...resize, left: 0, top: 0, fill: 0 } }],
  swapChannels: false,
  normalization: { divisor: 255, factor: null, mean: [0, 0, 0], std: [1, 1, 1] },
  output: resize,
};
const forSteps = {
  nullable: ["2.contrast", "2.normalization.factor", "2.normalization.mean", "2.normalization.std", "2.normalization.divisor"],
  // All of it may be left out, so any object will do.
  any: ["2.normalization", "2.normalization.factor"],
};

const GOOD: Readonly<Record<Name, GoodCall>> = {
  preprocess: { args: [pixels, { ...image, borrowed: true }, steps, new Float32Array(12)], ...forSteps },
  run: { args: [pixels, { ...image, borrowed: true }, { ...steps, contrast: null }], ...forSteps },
  "run (engine)": {
    args: [
      [{ name: "values", type: 1, dims: [1, 7, 2], data: new Float32Array(14) }],
      ["download", "ignore", "download", "ignore", "ignore", "ignore", "ignore", "ignore"],
    ],
    nullable: ["1"],
  },
  runDetections: {
    args: [
      [{ name: "values", type: 1, dims: [1, 7, 2], data: Float32Array.of(16, 48, 16, 48, 16, 8, 16, 8, 0.9, 0.6, 0.1, 0.6, 0.9, 0.2) }],
      {
        head: {
          kind: "dense",
          boxes: { output: 0, attributes: "first", from: 0 },
          boxFormat: "cxcywh",
          scores: { output: 0, attributes: "first", from: 5 },
          extras: 0,
          objectness: { output: 0, attributes: "first", from: 4 },
          objectnessUse: "gate",
        },
        settings,
        pictures: 1,
        outputs: [0],
      },
    ],
    nullable: ["1.settings.iouThreshold", "1.settings.maxDetections"],
  },
  "runDetections (queries)": {
    args: [
      [{ name: "values", type: 1, dims: [1, 7, 2], data: Float32Array.of(0.5, 0.5, 0.1, 0.1, 0.2, 0.2, 0.1, 0.1, 1, -1, 2, 0, 3, -2) }],
      {
        head: { kind: "queries", boxes: 1, logits: 2, classMapping: Int32Array.of(0, -1, 1) },
        settings,
        pictures: 1,
        outputs: [],
      },
    ],
    nullable: ["1.settings.iouThreshold", "1.settings.maxDetections"],
  },
  "runDetections (rows)": {
    args: [
      [{ name: "values", type: 1, dims: [1, 7, 2], data: Float32Array.of(8, 8, 24, 24, 0.9, 1, 0, 16, 16, 40, 40, 0.6, 0, 0) }],
      { head: { kind: "rows", output: 4, inclusive: true }, settings, pictures: 1, outputs: [] },
    ],
    nullable: ["1.settings.iouThreshold", "1.settings.maxDetections"],
  },
  "runDetections (offsets)": {
    args: [
      [{ name: "values", type: 1, dims: [1, 7, 2], data: Float32Array.of(0, 0, 1, 1, 0, 0, 1, 1, 0.9, 0.6, 0.1, 0.7, 0, 0) }],
      {
        head: {
          kind: "dense",
          boxes: { output: 0, attributes: "first", from: 0 },
          boxFormat: "offsets",
          priors: { output: 1, inputSize: { width: 64, height: 48 } },
          scores: { output: 0, attributes: "first", from: 4 },
          extras: 1,
          objectness: null,
          objectnessUse: "none",
        },
        settings,
        pictures: 1,
        outputs: [],
      },
    ],
    nullable: ["1.settings.iouThreshold", "1.settings.maxDetections"],
    any: ["1.head.objectness"],
  },
  "runDetections (masks)": {
    args: [
      [{ name: "values", type: 1, dims: [1, 7, 2], data: Float32Array.of(4, 4, 4, 4, 6, 6, 6, 6, 0.9, 0.6, 0.1, 0.7, 2, -1) }],
      {
        head: {
          kind: "dense",
          boxes: { output: 0, attributes: "first", from: 0 },
          boxFormat: "cxcywh",
          scores: { output: 0, attributes: "first", from: 4 },
          extras: 1,
          objectness: null,
          objectnessUse: "none",
        },
        settings,
        masks: {
          planes: 3,
          channels: "first",
          coefficients: { output: 0, attributes: "first", from: 6 },
          sigmoid: false,
          boxScale: 0.25,
          targets: [{ trim, resize, left: 0, top: 0, picture: resize, threshold: 0 }],
        },
        pictures: 1,
        outputs: [],
      },
    ],
    nullable: ["1.settings.iouThreshold", "1.settings.maxDetections", "1.masks", "1.masks.boxScale"],
    any: ["1.head.objectness"],
  },
  "runDetections (key points)": {
    args: [
      [{ name: "values", type: 1, dims: [1, 7, 2], data: Float32Array.of(4, 4, 4, 4, 6, 6, 0.9, 0.6, 1, 2, 3, 4, 0.5, 0.7) }],
      {
        head: {
          kind: "dense",
          boxes: { output: 0, attributes: "first", from: 0 },
          boxFormat: "cxcywh",
          scores: { output: 0, attributes: "first", from: 3 },
          extras: 3,
          objectness: null,
          objectnessUse: "none",
        },
        settings,
        keyPoints: { output: 0, attributes: "first", from: 4, slots: 1 },
        pictures: 1,
        outputs: [],
      },
    ],
    nullable: ["1.settings.iouThreshold", "1.settings.maxDetections", "1.keyPoints"],
    any: ["1.head.objectness"],
  },
  "runDetections (queries with key points)": {
    args: [
      [{ name: "values", type: 1, dims: [1, 7, 2], data: Float32Array.of(0.5, 0.5, 0.2, 0.2, 3, 0.5, 0.25, 2, 0, 3, 0.1, 3, 0, 0) }],
      {
        head: {
          kind: "key-point-queries",
          boxes: 5,
          logits: 6,
          classMapping: Int32Array.of(0),
          points: 7,
          slots: 1,
          scales: [{ size: resize, covarianceSize: { width: 100, height: 50 } }],
        },
        settings,
        pictures: 1,
        outputs: [],
      },
    ],
    nullable: ["1.settings.iouThreshold", "1.settings.maxDetections"],
  },
  runMaps: {
    args: [
      [{ name: "values", type: 1, dims: [1, 7, 2], data: new Float32Array(14).fill(1) }],
      {
        planes: 3,
        filter: "triangle",
        classes: { classIds: Int32Array.of(1), background: 0, thresholds: Float32Array.of(0.5) },
        placements: [placement],
        outputs: [],
      },
    ],
    nullable: ["1.classes"],
  },
  "runMaps (values)": {
    args: [
      [{ name: "values", type: 1, dims: [1, 7, 2], data: new Float32Array(14).fill(1) }],
      { planes: 3, filter: "nearest-cubic", classes: null, placements: [placement], outputs: [0] },
    ],
  },
  cropQuadrilaterals: {
    args: [pixels, { ...image, borrowed: true }, [{ corners: Float64Array.of(0, 0, 3, 0, 3, 2, 0, 2), width: 3, height: 2 }]],
  },
  decodeDense: {
    args: [
      {
        candidates: 2,
        classes: 2,
        boxes: matrix,
        boxFormat: "cxcywh",
        scores: { ...matrix, offset: 8 },
        objectness: { ...matrix, offset: 8 },
        objectnessUse: "gate",
      },
      settings,
    ],
    nullable: ["1.iouThreshold", "1.maxDetections"],
  },
  "decodeDense (offsets)": {
    args: [
      {
        candidates: 2,
        classes: 2,
        boxes: matrix,
        boxFormat: "offsets",
        priors: { ...matrix, offset: 4, inputSize: { width: 64, height: 48 } },
        scores: { ...matrix, offset: 8 },
        objectness: null,
        objectnessUse: "none",
      },
      settings,
    ],
    nullable: ["1.iouThreshold", "1.maxDetections"],
    any: ["0.objectness"],
  },
  decodeRows: {
    args: [{ data: numbers, offset: 0, rows: 2, columns: 6, inclusive: true }, settings],
    nullable: ["1.iouThreshold", "1.maxDetections"],
    // Rows went through NMS already.
    any: ["1.iouThreshold", "1.classAgnostic"],
  },
  decodeQueries: {
    args: [
      { boxes: numbers, boxesOffset: 0, logits: numbers, logitsOffset: 8, queries: 2, classes: 2, classMapping: Int32Array.of(0, 1) },
      settings,
    ],
    nullable: ["1.iouThreshold", "1.maxDetections"],
    any: ["1.iouThreshold", "1.classAgnostic"],
  },
  decodeKeyPointQueries: {
    args: [
      {
        ...{ boxes: numbers, boxesOffset: 0, logits: numbers, logitsOffset: 8, queries: 1, classes: 2, classMapping: Int32Array.of(0, 1) },
        ...{ points: new Float32Array(14), pointsOffset: 0, slots: 1, numbers: 7 },
        ...{ size: { width: 64, height: 64 }, covarianceSize: { width: 64, height: 64 } },
      },
      settings,
    ],
    nullable: ["1.iouThreshold", "1.maxDetections"],
    any: ["1.iouThreshold", "1.classAgnostic"],
  },
  gatherKeyPoints: {
    args: [{ data: numbers, offset: 0, candidateStride: 6, attributeStride: 1, candidates: 2 }, Int32Array.of(1, 0), 2],
  },
  nonMaximumSuppression: { args: [numbers.slice(0, 8), Float32Array.of(0.9, 0.8), Int32Array.of(0, 0), 0.5] },
  decodeMasks: {
    args: [
      { width: 2, height: 2, channels: 2, planes, coefficients, sigmoid: false },
      { indices: Int32Array.of(0, 1), boxes: Float32Array.of(0, 0, 8, 8, 0, 0, 8, 8), boxScale: 0.25 },
      { trim, resize, left: 0, top: 0, picture: resize, threshold: 0 },
    ],
    nullable: ["0.coefficients", "1.boxes"],
  },
  assembleMasks: {
    args: [
      { cudaLibraryPath: join(fakes ?? "", "cuda"), device: 0 },
      { width: 2, height: 2, channels: 2, planes, coefficients, sigmoid: false },
      { indices: Int32Array.of(0, 1), boxes: Float32Array.of(0, 0, 8, 8, 0, 0, 8, 8), boxScale: 0.25 },
      { trim, resize, left: 0, top: 0, picture: resize, threshold: 0 },
    ],
    nullable: ["1.coefficients", "2.boxes"],
  },
  makeClassMap: {
    args: [map, placement, { classIds: Int32Array.of(0, 1), background: 0, thresholds: Float32Array.of(0.5) }],
  },
  makeValueMap: { args: [map, placement, "nearest-cubic"] },
  measureDevice: {
    args: [
      { cudaLibraryPath: join(fakes ?? "", "cuda"), device: 0, rounds: 1, together: 1 },
      { kind: "decode", outputs: [rowsOutput], request: rowsRequest },
    ],
    nullable: ["1.request.settings.iouThreshold", "1.request.settings.maxDetections"],
  },
  decodeOnDevice: {
    args: [
      { cudaLibraryPath: join(fakes ?? "", "cuda"), device: 0 },
      { kind: "decode", outputs: [rowsOutput], request: rowsRequest },
    ],
    nullable: ["1.request.settings.iouThreshold", "1.request.settings.maxDetections"],
  },
  "decodeOnDevice (map)": {
    args: [
      { cudaLibraryPath: join(fakes ?? "", "cuda"), device: 0 },
      {
        kind: "map",
        outputs: [{ type: 1, dims: [1, 2, 2, 2], data: planes.data }],
        request: {
          planes: 0,
          classes: { classIds: Int32Array.of(0, 1), background: 0, thresholds: Float32Array.of(0.5) },
          filter: "triangle",
          placements: [placement],
          outputs: [],
        },
      },
    ],
    nullable: ["1.request.classes"],
  },
  measureTensorRtEngine: {
    args: [
      planPath,
      {
        cudaLibraryPath: join(fakes ?? "", "cuda"),
        tensorRtLibraryPath: join(fakes ?? "", "trt10"),
        ...{ device: 0, profile: 0, engineHostCodeAllowed: false, rounds: 1, together: 1 },
      },
      [{ dims: [1, 3], data: new Float32Array(3) }],
    ],
  },
  readDeviceMemory: { args: [{ cudaLibraryPath: join(fakes ?? "", "cuda"), device: 0 }] },
};

/** Untyped on purpose: what the compiler forbids is what is tested. */
type Untyped = Readonly<Record<string, (...args: readonly unknown[]) => Promise<unknown>>>;

async function call(name: Name, args: readonly unknown[]): Promise<unknown> {
  // Methods want their objects as receivers.
  const [method = "", of] = name.split(" ");
  const receiver = (name === "run"
    ? onDevice
    : of === "(engine)" || /^run(Detections|Maps)$/.test(method)
      ? engine
      : addon) as unknown as Untyped;
  return receiver[method]!(...args);
}

const isPlain = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !ArrayBuffer.isView(value);

/** `1.iouThreshold` and its like, parents before what is in them. */
function paths(value: unknown, prefix = ""): readonly string[] {
  if (!isPlain(value)) return [];
  return Object.entries(value).flatMap(([key, child]) => [`${prefix}${key}`, ...paths(child, `${prefix}${key}.`)]);
}

function replace(value: unknown, [key = "", ...rest]: readonly string[], replacement: unknown): unknown {
  const copy: Record<string, unknown> | unknown[] = Array.isArray(value) ? [...(value as unknown[])] : { ...(value as object) };
  const target = copy as Record<string, unknown>;
  target[key] = rest.length === 0 ? replacement : replace(target[key], rest, replacement);
  return copy;
}

const kindOf = (value: unknown): string => {
  if (value === null) return "null";
  return typeof value === "object" ? Object.prototype.toString.call(value) : typeof value;
};

function detached(): Float32Array {
  const array = new Float32Array(12);
  structuredClone(array.buffer, { transfer: [array.buffer] });
  return array;
}

const HOSTILE: readonly unknown[] = [
  undefined,
  null,
  true,
  "",
  "linear",
  10n,
  Symbol("x"),
  () => 1,
  {},
  [],
  [1, 2, 3],
  new Date(0),
  new Map(),
  new Proxy({}, { get: () => ({}) }),
  new ArrayBuffer(48),
  new DataView(new ArrayBuffer(48)),
  new Float64Array(12),
  new Uint8ClampedArray(36),
  new BigInt64Array(4),
  new Float32Array(0),
  new Int32Array(0),
  detached(),
  NaN,
  Infinity,
  -Infinity,
  -1,
  0.5,
  2 ** 31,
  2 ** 32,
  2 ** 53,
  -(2 ** 53),
  1e308,
];

const NEEDS_DEVICE = /^run|^assembleMasks$|^decodeOnDevice|^measure|^readDeviceMemory$/;
const calls = (Object.entries(GOOD) as [Name, GoodCall][]).filter(([name]) => !NEEDS_DEVICE.test(name) || onDevice !== null);

describe.skipIf(addon === null).each(calls)("%s", (name, { args, nullable = [], any = [] }) => {
  const places = paths(args);
  const at = (path: string): unknown => path.split(".").reduce<unknown>((value, key) => (value as Record<string, unknown>)[key], args);

  it("refuses what is of another kind, in every place, and is unharmed", async () => {
    // The network input is both argument and answer.
    const answer = async (): Promise<unknown> => [await call(name, args), name === "preprocess" ? args[3] : null];
    const before = structuredClone(await answer());
    const accepted: string[] = [];
    for (const path of places) {
      for (const value of HOSTILE) {
        const outcome = await call(name, replace(args, path.split("."), value) as readonly unknown[]).then(
          () => "accepted" as const,
          (error: unknown) => error,
        );
        if (outcome !== "accepted") expect(outcome).toBeInstanceOf(Error);
        const isOdd = kindOf(value) === kindOf(at(path)) || ((value ?? null) === null && nullable.includes(path)) || any.includes(path);
        if (outcome === "accepted" && !isOdd) accepted.push(`${path}: ${kindOf(value)}`);
      }
    }
    expect(accepted).toEqual([]);
    expect(await answer()).toEqual(before);
  });

  it("refuses too few arguments", async () => {
    for (let count = 0; count < args.length; count++) await expect(call(name, args.slice(0, count))).rejects.toThrow(Error);
  });

  it("passes on what a getter throws, in every place", async () => {
    for (const path of places.filter((one) => one.includes("."))) {
      const keys = path.split(".");
      const holder = keys.slice(0, -1).join(".");
      const trapped = Object.defineProperty({ ...(at(holder) as object) }, keys.at(-1) ?? "", {
        get: () => {
          throw new RangeError(`at ${path}`);
        },
      });
      if (Array.isArray(at(holder))) continue;
      await expect(call(name, replace(args, keys.slice(0, -1), trapped) as readonly unknown[])).rejects.toThrow(`at ${path}`);
    }
  });
});
