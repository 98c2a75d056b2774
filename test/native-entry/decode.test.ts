import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { loadAddon } from "../../src/native/index.js";
import type {
  NativeDecodeSettings,
  NativeDenseHead,
  NativeKeyPointQueriesHead,
  NativeQueriesHead,
  NativeRowsHead,
} from "../../src/native/index.js";

const addon = loadAddon();
if (addon === null) process.stderr.write("skipped: the addon is not available\n");

const data = Float32Array.of(16, 48, 16, 48, 16, 8, 16, 8, 0.1, 0.6, 0.9, 0.2);
const matrix = { data, offset: 0, candidateStride: 1, attributeStride: 2 };
const DENSE: NativeDenseHead = {
  candidates: 2,
  classes: 2,
  boxes: matrix,
  boxFormat: "cxcywh",
  scores: { ...matrix, offset: 8 },
  objectness: null,
  objectnessUse: "none",
};
const ROWS: NativeRowsHead = { data, offset: 0, rows: 2, columns: 6, inclusive: true };
const QUERIES: NativeQueriesHead = {
  boxes: data,
  boxesOffset: 0,
  logits: data,
  logitsOffset: 8,
  queries: 2,
  classes: 2,
  classMapping: Int32Array.of(0, 1),
};
const SIZE = { width: 64, height: 64 };
const POINTS: NativeKeyPointQueriesHead = {
  ...{ ...QUERIES, queries: 1 },
  ...{ points: new Float32Array(2 * 3 * 8), pointsOffset: 0, slots: 3, numbers: 8, size: SIZE, covarianceSize: SIZE },
};
/** Two candidates with one point each. */
const ATTRIBUTES = { ...matrix, candidates: 2 };
const SETTINGS: NativeDecodeSettings = { thresholds: Float32Array.of(0.4), iouThreshold: 0.5, classAgnostic: false, maxDetections: 10 };

/** Untyped on purpose: what the compiler forbids is what is tested. */
async function call(
  name: "decodeDense" | "decodeRows" | "decodeQueries" | "decodeKeyPointQueries" | "gatherKeyPoints" | "nonMaximumSuppression",
  ...args: readonly unknown[]
): Promise<unknown> {
  return (addon?.[name] as unknown as (...args: readonly unknown[]) => Promise<unknown>)(...args);
}

function detached(): Float32Array {
  const array = new Float32Array(12);
  structuredClone(array.buffer, { transfer: [array.buffer] });
  return array;
}

describe.skipIf(addon === null)("decoders at the native door", () => {
  it("decode what is well described", async () => {
    expect(await call("decodeDense", DENSE, SETTINGS)).toMatchObject({ classIds: Int32Array.of(1, 0), indices: Int32Array.of(0, 1) });
    await call("decodeRows", ROWS, SETTINGS);
    await call("decodeQueries", QUERIES, SETTINGS);
    await call("decodeKeyPointQueries", POINTS, SETTINGS);
    expect(await call("gatherKeyPoints", ATTRIBUTES, Int32Array.of(1), 1)).toEqual({
      points: Float32Array.of(48, 48),
      confidence: Float32Array.of(8),
      covariance: new Float32Array(0),
    });
  });

  const bad: readonly (readonly [string, Parameters<typeof call>[0], readonly unknown[]])[] = [
    ["nothing", "decodeDense", []],
    ["a stride beyond the array", "decodeDense", [{ ...DENSE, boxes: { ...matrix, attributeStride: 1000 } }, SETTINGS]],
    ["a stride that overflows", "decodeDense", [{ ...DENSE, scores: { ...matrix, candidateStride: 2 ** 52 } }, SETTINGS]],
    ["a negative offset", "decodeDense", [{ ...DENSE, boxes: { ...matrix, offset: -1 } }, SETTINGS]],
    ["more candidates than there are", "decodeDense", [{ ...DENSE, candidates: 3000 }, SETTINGS]],
    ["a fractional count", "decodeDense", [{ ...DENSE, classes: 1.5 }, SETTINGS]],
    ["a detached array", "decodeDense", [{ ...DENSE, boxes: { ...matrix, data: detached() } }, SETTINGS]],
    ["an unknown box format", "decodeDense", [{ ...DENSE, boxFormat: "polar" }, SETTINGS]],
    ["thresholds of another type", "decodeDense", [DENSE, { ...SETTINGS, thresholds: [0.4] }]],
    ["too many rows", "decodeRows", [{ ...ROWS, rows: 3 }, SETTINGS]],
    ["rows of NaN columns", "decodeRows", [{ ...ROWS, columns: Number.NaN }, SETTINGS]],
    ["a mapping that is too short", "decodeQueries", [{ ...QUERIES, classMapping: Int32Array.of(0) }, SETTINGS]],
    ["queries beyond the array", "decodeQueries", [{ ...QUERIES, queries: 2 ** 31 }, SETTINGS]],
    ["points beyond the array", "decodeKeyPointQueries", [{ ...POINTS, slots: 4 }, SETTINGS]],
    ["points without a factor", "decodeKeyPointQueries", [{ ...POINTS, numbers: 6 }, SETTINGS]],
    ["a size that is not finite", "decodeKeyPointQueries", [{ ...POINTS, size: { width: Number.NaN, height: 64 } }, SETTINGS]],
    ["a candidate that is not there", "gatherKeyPoints", [ATTRIBUTES, Int32Array.of(2), 1]],
    ["a negative candidate", "gatherKeyPoints", [ATTRIBUTES, Int32Array.of(-1), 1]],
    ["more points than attributes", "gatherKeyPoints", [ATTRIBUTES, Int32Array.of(0), 65535]],
    ["no points", "gatherKeyPoints", [ATTRIBUTES, Int32Array.of(0), 0]],
  ];
  it.each(bad)("refuse %s", async (_, name, args) => {
    await expect(call(name, ...args)).rejects.toThrow();
  });

  it("survive arbitrary descriptions and numbers", async () => {
    const odd = fc.oneof(
      fc.integer(),
      fc.double(),
      fc.string(),
      fc.constant(null),
      fc.constant(undefined),
      fc.object({ maxDepth: 1 }),
      fc.float32Array(),
    );
    await fc.assert(
      fc.asyncProperty(
        odd,
        fc.constantFrom(...Object.keys(DENSE)),
        fc.constantFrom(...Object.keys(SETTINGS)),
        fc.float32Array({ minLength: 12, maxLength: 12 }),
        async (value, key, setting, numbers) => {
          await call("decodeDense", { ...DENSE, [key]: value }, SETTINGS).catch(() => "refused");
          await call("decodeDense", DENSE, { ...SETTINGS, [setting]: value }).catch(() => "refused");
          await call("nonMaximumSuppression", value, numbers, Int32Array.of(1), 0.5).catch(() => "refused");
          // Any numbers are well described, NaN and infinities included.
          await call(
            "decodeDense",
            { ...DENSE, boxes: { ...matrix, data: numbers }, scores: { ...matrix, data: numbers, offset: 8 } },
            SETTINGS,
          );
          await call("decodeRows", { ...ROWS, data: numbers }, SETTINGS);
          await call("decodeQueries", { ...QUERIES, boxes: numbers, logits: numbers }, SETTINGS);
          await call(
            "decodeKeyPointQueries",
            { ...POINTS, slots: 1, boxes: numbers, logits: numbers, points: Float32Array.of(...numbers, ...numbers) },
            SETTINGS,
          );
          await call("gatherKeyPoints", { ...ATTRIBUTES, data: numbers }, Int32Array.of(1, 1, 0), 1);
        },
      ),
      { numRuns: 200 },
    );
    expect(await call("decodeDense", DENSE, SETTINGS)).toMatchObject({ classIds: Int32Array.of(1, 0) });
  });
});
