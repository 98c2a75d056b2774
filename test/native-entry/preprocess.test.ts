import fc from "fast-check";
import { describe, expect, it } from "vitest";

import type { PreprocessSteps } from "../../src/imaging/index.js";
import { loadAddon } from "../../src/native/index.js";

const addon = loadAddon();
if (addon === null) process.stderr.write("skipped: the addon is not available\n");

const IMAGE = { width: 4, height: 3, channels: 3, colorFormat: "rgb", borrowed: true } as const;
const STEPS: PreprocessSteps = {
  source: { width: 4, height: 3 },
  crop: { left: 0, top: 0, width: 4, height: 3 },
  grayscale: false,
  contrast: null,
  geometry: [{ kind: "resize", filter: "linear", width: 2, height: 2, canvas: { width: 2, height: 2, left: 0, top: 0, fill: 0 } }],
  swapChannels: false,
  normalization: { divisor: 255, factor: null, mean: null, std: null },
  output: { width: 2, height: 2 },
};
const pixels = (): Uint8Array => new Uint8Array(36).fill(51);
const target = (): Float32Array => new Float32Array(12);

/** Untyped on purpose: what the compiler forbids is what is tested. */
async function call(...args: readonly unknown[]): Promise<unknown> {
  return (addon?.preprocess as unknown as (...args: readonly unknown[]) => Promise<unknown>)(...args);
}

function detached<T extends Uint8Array | Float32Array>(array: T): T {
  structuredClone(array.buffer, { transfer: [array.buffer as ArrayBuffer] });
  return array;
}

describe.skipIf(addon === null)("preprocess at the native door", () => {
  it("writes every element", async () => {
    const out = target();
    await call(pixels(), IMAGE, STEPS, out);
    expect([...out]).toEqual(new Array(12).fill(Math.fround(0.2)));
  });

  const changed = (change: object) => ({ ...STEPS, ...change });
  const resize = { kind: "resize", filter: "linear", width: 2, height: 2, canvas: { width: 2, height: 2, left: 0, top: 0, fill: 0 } };
  const bad: readonly (readonly [string, readonly unknown[]])[] = [
    ["nothing", []],
    ["pixels that are none", ["x", IMAGE, STEPS, target()]],
    ["pixels of another type", [new Float32Array(36), IMAGE, STEPS, target()]],
    ["too few pixels", [new Uint8Array(35), IMAGE, STEPS, target()]],
    ["detached pixels", [detached(pixels()), IMAGE, STEPS, target()]],
    ["a detached target", [pixels(), IMAGE, STEPS, detached(target())]],
    ["a target that is too small", [pixels(), IMAGE, STEPS, new Float32Array(11)]],
    ["a target of another type", [pixels(), IMAGE, STEPS, new Float64Array(12)]],
    ["a width of NaN", [pixels(), { ...IMAGE, width: Number.NaN }, STEPS, target()]],
    ["a negative height", [pixels(), { ...IMAGE, height: -3 }, STEPS, target()]],
    ["two channels", [pixels(), { ...IMAGE, channels: 2 }, STEPS, target()]],
    ["an unknown colour order", [pixels(), { ...IMAGE, colorFormat: "hsv" }, STEPS, target()]],
    ["no steps", [pixels(), IMAGE, null, target()]],
    ["steps for another picture", [pixels(), IMAGE, changed({ source: { width: 5, height: 3 } }), target()]],
    ["a crop outside", [pixels(), IMAGE, changed({ crop: { left: 1, top: 0, width: 4, height: 3 } }), target()]],
    ["a negative crop", [pixels(), IMAGE, changed({ crop: { left: -1, top: 0, width: 4, height: 3 } }), target()]],
    ["no geometry", [pixels(), IMAGE, changed({ geometry: [] }), target()]],
    ["too much geometry", [pixels(), IMAGE, changed({ geometry: [resize, resize, resize] }), target()]],
    ["an unknown filter", [pixels(), IMAGE, changed({ geometry: [{ ...resize, filter: "magic" }] }), target()]],
    ["an enormous size", [pixels(), IMAGE, changed({ geometry: [{ ...resize, width: 2 ** 40 }] }), target()]],
    [
      "infinite sampling",
      [
        pixels(),
        IMAGE,
        changed({ geometry: [{ kind: "sample", width: 2, height: 2, originX: Infinity, originY: 0, stepX: 1, stepY: 1 }] }),
        target(),
      ],
    ],
    ["a division by zero", [pixels(), IMAGE, changed({ normalization: { divisor: 0, factor: null, mean: null, std: null } }), target()]],
    [
      "a getter that throws",
      [
        pixels(),
        Object.defineProperty({ ...IMAGE }, "width", {
          get: () => {
            throw new Error("boom");
          },
        }),
        STEPS,
        target(),
      ],
    ],
  ];
  it.each(bad)("refuses %s", async (_, args) => {
    await expect(call(...args)).rejects.toThrow();
  });

  it("copies borrowed pixels before it returns", async () => {
    const [data, out] = [pixels(), target()];
    const running = call(data, IMAGE, STEPS, out);
    data.fill(255);
    structuredClone(data.buffer, { transfer: [data.buffer as ArrayBuffer] });
    await running;
    expect(out[0]).toBe(Math.fround(0.2));
  });

  it("has read a large borrowed picture, and written what becomes of it, when it returns", async () => {
    const large = { width: 256, height: 256 };
    const steps = { ...STEPS, source: large, crop: { left: 0, top: 0, ...large } };
    const data = Uint8Array.from({ length: 256 * 256 * 3 }, (_, index) => (index * 7919) % 251);
    const [now, later] = [target(), target()];
    const running = call(data, { ...IMAGE, ...large }, steps, now);
    // The same on a thread of the addon: memory that cannot be taken away.
    const shared = new Uint8Array(new SharedArrayBuffer(data.length));
    shared.set(data);
    structuredClone(data.buffer, { transfer: [data.buffer] });
    await call(shared, { ...IMAGE, ...large }, steps, later);
    await running;
    expect(now).toEqual(later);
    expect(new Set(now).size).toBeGreaterThan(4);
    await expect(call(new Uint8Array(9), { ...IMAGE, ...large }, steps, now)).rejects.toThrow(/pixels/);
  });

  it("reads pixels after the getters of its arguments have run", async () => {
    const data = pixels();
    const image = Object.defineProperty({ ...IMAGE }, "borrowed", { get: () => detached(data).length > 0 });
    await expect(call(data, image, STEPS, target())).rejects.toThrow(/pixels/);
  });

  it("does not take a property's word for where pixels lie", async () => {
    // Large enough to be still at work when the memory changes.
    const size = { width: 2000, height: 2000 };
    const [data, out] = [new Uint8Array(2000 * 2000 * 3).fill(51), target()];
    const memory = data.buffer;
    Object.defineProperty(data, "buffer", { value: {} });
    const running = call(
      data,
      { ...IMAGE, ...size },
      changed({ source: size, crop: { left: 0, top: 0, ...size }, contrast: "contrast-stretching" }),
      out,
    );
    new Uint8Array(memory).fill(255);
    structuredClone(memory, { transfer: [memory] });
    await running;
    expect([...out]).toEqual(new Array(12).fill(Math.fround(0.2)));
  });

  it("uses shared memory and its own in place", async () => {
    for (const buffer of [
      (bytes: number) => new SharedArrayBuffer(bytes),
      (bytes: number) => addon?.allocate(bytes) ?? new ArrayBuffer(bytes),
    ]) {
      const [data, out] = [new Uint8Array(buffer(36)).fill(51), new Float32Array(buffer(48))];
      await call(data, IMAGE, STEPS, out);
      expect([...out]).toEqual(new Array(12).fill(Math.fround(0.2)));
    }
  });

  it("reads a picture whole before it writes over it", async () => {
    const memory = addon?.allocate(48) ?? new ArrayBuffer(48);
    const [data, out] = [new Uint8Array(memory, 0, 36).fill(51), new Float32Array(memory)];
    await call(data, IMAGE, STEPS, out);
    expect([...out]).toEqual(new Array(12).fill(Math.fround(0.2)));
  });

  it("notices a target that is detached meanwhile", async () => {
    const out = target();
    const running = call(pixels(), IMAGE, STEPS, out);
    detached(out);
    await expect(running).rejects.toThrow(/detached/);
  });

  it("survives arbitrary descriptions", async () => {
    const odd = fc.oneof(fc.integer(), fc.double(), fc.string(), fc.constant(null), fc.constant(undefined), fc.object({ maxDepth: 1 }));
    await fc.assert(
      fc.asyncProperty(
        odd,
        odd,
        odd,
        fc.constantFrom("source", "crop", "geometry", "output", "normalization", "contrast", "grayscale"),
        async (a, b, c, key) => {
          const outcome = await call(pixels(), { ...IMAGE, width: a }, STEPS, target()).catch(() => "refused");
          const second = await call(pixels(), IMAGE, changed({ [key]: b }), target()).catch(() => "refused");
          await call(c, IMAGE, STEPS, b).catch(() => "refused");
          expect(["refused", undefined]).toContain(outcome);
          expect(["refused", undefined]).toContain(second);
        },
      ),
      { numRuns: 300 },
    );
    const out = target();
    await call(pixels(), IMAGE, STEPS, out);
    expect(out[11]).toBe(Math.fround(0.2));
  });
});
