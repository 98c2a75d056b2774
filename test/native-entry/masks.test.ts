import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { loadAddon } from "../../src/native/index.js";
import type { NativeMaskHead, NativeMaskSelection, NativeMaskTarget } from "../../src/native/index.js";

const addon = loadAddon();
if (addon === null) process.stderr.write("skipped: the addon is not available\n");

const matrix = { data: Float32Array.of(1, 1, -1, -1, 2, 2, 2, 2), offset: 0, candidateStride: 1, attributeStride: 4 };
const HEAD: NativeMaskHead = {
  width: 2,
  height: 2,
  channels: 2,
  planes: matrix,
  coefficients: { data: Float32Array.of(1, 0, 0, 1), offset: 0, candidateStride: 2, attributeStride: 1, candidates: 2 },
  sigmoid: false,
};
const SELECTION: NativeMaskSelection = { indices: Int32Array.of(0, 1), boxes: null, boxScale: 0.25 };
const TARGET: NativeMaskTarget = {
  trim: { left: 0, top: 0, right: 0, bottom: 0 },
  resize: { width: 2, height: 2 },
  left: 0,
  top: 0,
  picture: { width: 2, height: 2 },
  threshold: 0,
};

/** Untyped on purpose: what the compiler forbids is what is tested. */
async function call(...args: readonly unknown[]): Promise<unknown> {
  return (addon?.decodeMasks as unknown as (...args: readonly unknown[]) => Promise<unknown>)(...args);
}

const WANTED = { runs: Uint32Array.of(0, 1, 1, 1, 1, 0, 4), offsets: Uint32Array.of(0, 5, 7) };

function detached(length: number): Float32Array {
  const array = new Float32Array(length);
  structuredClone(array.buffer, { transfer: [array.buffer] });
  return array;
}

describe.skipIf(addon === null)("masks at the native door", () => {
  it("are made of what is well described", async () => {
    expect(await call(HEAD, SELECTION, TARGET)).toEqual(WANTED);
  });

  it.each([
    ["nothing", []],
    ["a head that is no object", [7, SELECTION, TARGET]],
    ["planes of another type", [{ ...HEAD, planes: { ...matrix, data: [1, 2] } }, SELECTION, TARGET]],
    ["detached planes", [{ ...HEAD, planes: { ...matrix, data: detached(8) } }, SELECTION, TARGET]],
    ["coefficients without a count", [{ ...HEAD, coefficients: matrix }, SELECTION, TARGET]],
    ["more coefficients than there are", [{ ...HEAD, coefficients: { ...HEAD.coefficients, candidates: 2 ** 31 } }, SELECTION, TARGET]],
    ["immense planes", [{ ...HEAD, width: 2 ** 20, height: 2 ** 20 }, SELECTION, TARGET]],
    ["indices of another type", [HEAD, { ...SELECTION, indices: [0] }, TARGET]],
    ["boxes of another length", [HEAD, { ...SELECTION, boxes: new Float32Array(7) }, TARGET]],
    ["detached boxes", [HEAD, { ...SELECTION, boxes: detached(8) }, TARGET]],
    ["no picture", [HEAD, SELECTION, { ...TARGET, picture: null }]],
    ["sides of 0", [HEAD, SELECTION, { ...TARGET, resize: { width: 0, height: 1 } }]],
    ["shifts beyond reason", [HEAD, SELECTION, { ...TARGET, left: 2 ** 40 }]],
  ] as const)("refuse %s", async (_, args) => {
    await expect(call(...(args as readonly unknown[]))).rejects.toThrow(/Expected|does not fit/);
  });

  it("stay whole although their planes change or go while they are made", async () => {
    const own = { ...HEAD, planes: { ...matrix, data: new Float32Array(addon?.allocate(32) ?? new ArrayBuffer(32)) } };
    own.planes.data.set(matrix.data);
    const inPlace = call(own, SELECTION, TARGET);
    structuredClone(own.planes.data.buffer, { transfer: [own.planes.data.buffer] });
    expect(await inPlace).toEqual(WANTED);

    const callers = { ...HEAD, planes: { ...matrix, data: matrix.data.slice() } };
    const copied = call(callers, SELECTION, TARGET);
    callers.planes.data.fill(0);
    expect(await copied).toEqual(WANTED);
  });

  it("are not made when a getter has detached their planes on the way", async () => {
    const data = matrix.data.slice();
    const selection = Object.defineProperty({ ...SELECTION }, "boxScale", {
      get: () => {
        structuredClone(data.buffer, { transfer: [data.buffer] });
        return 1;
      },
    });
    await expect(call({ ...HEAD, planes: { ...matrix, data } }, selection, TARGET)).rejects.toThrow(/does not fit/);
  });

  it("survive arbitrary descriptions", async () => {
    const odd = fc.oneof(
      fc.integer(),
      fc.double(),
      fc.string(),
      fc.constant(null),
      fc.constant(undefined),
      fc.object({ maxDepth: 1 }),
      fc.float32Array(),
      fc.int32Array(),
    );
    await fc.assert(
      fc.asyncProperty(
        odd,
        fc.constantFrom(...Object.keys(HEAD)),
        fc.constantFrom(...Object.keys(SELECTION)),
        fc.constantFrom(...Object.keys(TARGET)),
        async (value, head, selection, target) => {
          await call({ ...HEAD, [head]: value }, SELECTION, TARGET).catch(() => "refused");
          await call(HEAD, { ...SELECTION, [selection]: value }, TARGET).catch(() => "refused");
          await call(HEAD, SELECTION, { ...TARGET, [target]: value }).catch(() => "refused");
        },
      ),
      { numRuns: 300 },
    );
    expect(await call(HEAD, SELECTION, TARGET)).toEqual(WANTED);
  });
});
