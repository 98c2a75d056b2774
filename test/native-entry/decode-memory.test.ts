import { describe, expect, it } from "vitest";

import { loadAddon } from "../../src/native/index.js";
import type { NativeDecodeSettings, NativeDenseHead } from "../../src/native/index.js";

const addon = loadAddon();
if (addon === null) process.stderr.write("skipped: the addon is not available\n");

const CANDIDATES = 10_000; // large enough to be decoded on another thread where the memory allows it
const SETTINGS: NativeDecodeSettings = { thresholds: Float32Array.of(0.5), iouThreshold: null, classAgnostic: false, maxDetections: null };

function denseOver(data: Float32Array): NativeDenseHead {
  const matrix = { data, offset: 0, candidateStride: 6, attributeStride: 1 };
  return {
    candidates: data.length / 6,
    classes: 2,
    boxes: matrix,
    boxFormat: "xyxy",
    scores: { ...matrix, offset: 4 },
    objectness: null,
    objectnessUse: "none",
  };
}

function detach(array: Float32Array): void {
  structuredClone(array.buffer, { transfer: [array.buffer as ArrayBuffer] });
}

describe.skipIf(addon === null)("memory of heads while they are decoded", () => {
  const everything = { scores: new Float32Array(CANDIDATES).fill(0.9) };

  it("of the addon stays although the array is transferred meanwhile", async () => {
    const data = new Float32Array(addon?.allocate(CANDIDATES * 24) ?? new ArrayBuffer(0)).fill(0.9);
    const promise = addon?.decodeDense(denseOver(data), SETTINGS);
    detach(data);
    expect(await promise).toMatchObject(everything);
  });

  it("of the caller has been read when the call returns", async () => {
    const data = new Float32Array(CANDIDATES * 6).fill(0.9);
    const promise = addon?.decodeDense(denseOver(data), SETTINGS);
    data.fill(0);
    expect(await promise).toMatchObject(everything);
  });

  it("is not read when a getter has detached it on the way", () => {
    const data = new Float32Array(60);
    const head = Object.defineProperty({ ...denseOver(data) }, "objectness", {
      get: () => {
        detach(data);
        return null;
      },
    });
    expect(() => addon?.decodeDense(head, SETTINGS)).toThrow(/head\.boxes does not fit its array/);
  });

  it("may be given for suppression only where all arrays belong together", () => {
    expect(() => addon?.nonMaximumSuppression(new Float32Array(8), new Float32Array(1), new Int32Array(1), 0.5)).toThrow(/xyxy/);
    expect(() => addon?.nonMaximumSuppression(new Float32Array(4), new Float32Array(1), new Int32Array(2), 0.5)).toThrow(/classIds/);
  });
});
