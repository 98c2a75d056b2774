/** The addon takes nothing on trust: whatever comes from JavaScript either works or throws, and the session works afterwards. */
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";

import { resolveLibrary } from "../../src/environment/index.js";
import { loadAddon, type NativeAddon, type NativeSession, type NativeTensor } from "../../src/native/index.js";
import { countingNetwork, doublingNetwork, identityNetwork } from "./networks.js";

const SETTINGS = { providers: [], intraOpThreads: 1, lanes: 1, spinning: false, graphOptimization: 99 } as const;
const GOOD: NativeTensor = { name: "x", type: 1, dims: [1, 3], data: Float32Array.of(1, 2, 3) };

let addon: NativeAddon;
let session: NativeSession;
let strings: NativeSession;

/** Everything untyped: what the compiler forbids is what is tested. */
async function run(...args: readonly unknown[]): Promise<readonly NativeTensor[]> {
  return (session.run as (...args: readonly unknown[]) => Promise<readonly NativeTensor[]>)(...args);
}
async function create(...args: readonly unknown[]): Promise<NativeSession> {
  return (addon.createSession as (...args: readonly unknown[]) => Promise<NativeSession>)(...args);
}

beforeAll(async () => {
  addon = loadAddon()!;
  addon.openOnnxRuntime(resolveLibrary());
  session = await addon.createSession(doublingNetwork(), SETTINGS, addon.createCancelToken());
  strings = await addon.createSession(identityNetwork("string"), SETTINGS, addon.createCancelToken());
});

async function stillWorks(): Promise<void> {
  expect((await session.run([GOOD], ["y"], null))[0]!.data).toEqual(Float32Array.of(2, 4, 6));
}

function detached(): Float32Array {
  const data = Float32Array.of(1, 2, 3);
  structuredClone(data.buffer, { transfer: [data.buffer] });
  return data;
}

describe("run refuses", () => {
  const one = (change: object): readonly unknown[] => [[{ ...GOOD, ...change }], ["y"], null];
  test.each<readonly [string, readonly unknown[], string]>([
    ["no arguments", [], "an array of tensors"],
    ["a tensor that is a number", [[3], ["y"], null], "an object"],
    ["no name", one({ name: undefined }), "a string"],
    ["an unknown input", one({ name: "z" }), "Invalid input name"],
    ["no input", [[], ["y"], null], "x"],
    ["an unknown type", one({ type: 99 }), "not supported"],
    ["a float8 type", one({ type: 17 }), "float8e4m3fn"],
    ["a fractional type", one({ type: 1.5 }), "an integer"],
    ["dims that are no array", one({ dims: "1,3" }), "an array of sizes"],
    ["negative sizes", one({ dims: [-1, 3] }), "an integer"],
    ["fractional sizes", one({ dims: [0.5, 6] }), "an integer"],
    ["infinite sizes", one({ dims: [Infinity, 3] }), "an integer"],
    ["sizes whose product overflows", one({ dims: [2 ** 52, 2 ** 52, 3] }), "more elements"],
    ["sizes whose product wraps to the right number", one({ dims: [2 ** 32, 2 ** 32, 3] }), "more elements"],
    ["too many dimensions", one({ dims: Array<number>(100).fill(1) }), "64 dimensions"],
    ["a wrong rank", one({ dims: [3] }), "rank"],
    ["too little data", one({ data: new Float32Array(2) }), "8 bytes"],
    ["too much data", one({ data: new Float32Array(4) }), "16 bytes"],
    ["detached data", one({ data: detached() }), "0 bytes"],
    ["data that is no typed array", one({ data: [1, 2, 3] }), "a typed array"],
    ["an ArrayBuffer", one({ data: new ArrayBuffer(12) }), "a typed array"],
    ["strings for numbers", one({ type: 8, data: ["a", "b", "c"] }), "type"],
    ["numbers as strings", one({ type: 8, data: [1, 2, 3] }), "a string"],
    ["outputs that are no array", [[GOOD], "y", null], "an array of strings"],
    ["no outputs", [[GOOD], [], null], "at least one"],
    ["an unknown output", [[GOOD], ["z"], null], "Invalid output name"],
    ["an output twice", [[GOOD], ["y", "y"], null], "twice"],
    ["a token that is none", [[GOOD], ["y"], {}], "a cancel token"],
    ["a session as token", [[GOOD], ["y"], "session"], "a cancel token"],
    [
      "a getter that throws",
      [
        [
          Object.defineProperty({}, "name", {
            get: () => {
              throw new Error("from a getter");
            },
          }),
        ],
        ["y"],
        null,
      ],
      "from a getter",
    ],
  ])("%s", async (_what, args, message) => {
    await expect(run(...args.map((arg) => (arg === "session" ? session : arg)))).rejects.toThrow(message);
    await stillWorks();
  });

  test("a getter that detaches what was read before", async () => {
    const data = Float32Array.of(1, 2, 3);
    const second = Object.defineProperty({ type: 1, dims: [1, 3], data }, "name", {
      get: () => {
        structuredClone(data.buffer, { transfer: [data.buffer] });
        return "z";
      },
    });
    await expect(run([{ ...GOOD, data }, second], ["y"], null)).rejects.toThrow();
    await stillWorks();
  });

  test("texts with NUL, which the C interface would cut", async () => {
    await expect((async () => strings.run([{ name: "x", type: 8, dims: [1], data: ["a\0b"] }], ["y"], null))()).rejects.toThrow("NUL");
  });

  test("a token in use", async () => {
    const token = addon.createCancelToken();
    const first = session.run([GOOD], ["y"], token);
    await expect(run([GOOD], ["y"], token)).rejects.toThrow("in use");
    await first;
  });

  test("methods on foreign objects", () => {
    const token = addon.createCancelToken();
    for (const receiver of [token, {}, null]) expect(() => Reflect.apply(session.run, receiver, [[GOOD], ["y"], null])).toThrow();
    expect(() => Reflect.apply(token.cancel, session, [])).toThrow();
  });

  test("sessions that it did not make", () => {
    expect((): unknown => Reflect.construct(session.constructor, [])).toThrow("createSession");
  });
});

describe("cancel tokens", () => {
  test("raised before the run cancel it", async () => {
    const token = addon.createCancelToken();
    token.cancel();
    await expect(run([GOOD], ["y"], token)).rejects.toMatchObject({ nativeCode: "cancelled" });
    await expect(create(doublingNetwork(), SETTINGS, token)).rejects.toMatchObject({ nativeCode: "cancelled" });
    await stillWorks();
  });

  test("stop a run and can be raised again", async () => {
    const counting = await addon.createSession(countingNetwork(), SETTINGS, addon.createCancelToken());
    const token = addon.createCancelToken();
    const running = counting.run(
      [
        { name: "steps", type: 7, dims: [], data: BigInt64Array.of(2n ** 60n) },
        { name: "start", type: 1, dims: [1], data: Float32Array.of(0) },
      ],
      ["end"],
      token,
    );
    token.cancel();
    token.cancel();
    await expect(running).rejects.toMatchObject({ nativeCode: "cancelled" });
    token.cancel();
    await counting.close();
    await counting.close();
  });
});

describe("createSession", () => {
  test.each<readonly [string, readonly unknown[]]>([
    ["no arguments", []],
    ["a number as model", [7, SETTINGS, null]],
    ["another typed array as model", [new Float32Array(3), SETTINGS, null]],
    ["no settings", [doublingNetwork(), undefined, null]],
    ["no lanes", [doublingNetwork(), { ...SETTINGS, lanes: 0 }, null]],
    ["countless lanes", [doublingNetwork(), { ...SETTINGS, lanes: 1e9 }, null]],
    ["negative threads", [doublingNetwork(), { ...SETTINGS, intraOpThreads: -1 }, null]],
    ["a level that is none", [doublingNetwork(), { ...SETTINGS, graphOptimization: 7 }, null]],
    ["a provider without options", [doublingNetwork(), { ...SETTINGS, providers: [{ name: "CPU" }] }, null]],
    [
      "a provider option that is a number",
      [doublingNetwork(), { ...SETTINGS, providers: [{ name: "CUDA", options: { device_id: 0 } }] }, null],
    ],
    ["an unknown provider", [doublingNetwork(), { ...SETTINGS, providers: [{ name: "Nonsense", options: {} }] }, null]],
  ])("refuses %s", async (_what, args) => {
    await expect(create(...args)).rejects.toThrow();
    await stillWorks();
  });

  test("survives random and damaged models", async () => {
    const model = doublingNetwork();
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), fc.nat(model.length - 1), fc.nat(255), async (bytes, position, value) => {
        const damaged = model.slice();
        damaged[position] = value;
        for (const candidate of [bytes, damaged, model.subarray(0, position)]) {
          // A changed byte may leave a valid model; then it has to be one that can be closed.
          const outcome = await create(candidate, SETTINGS, null).catch((error: unknown) => error as Error);
          if (outcome instanceof Error) expect(outcome.message).not.toBe("");
          else await outcome.close();
        }
      }),
      { numRuns: 40 },
    );
    await stillWorks();
  });

  test("another library is refused while one is open", () => {
    expect(() => addon.openOnnxRuntime("/nowhere/libonnxruntime.so")).toThrow(/A process can use one ONNX Runtime/);
    expect(addon.openOnnxRuntime(resolveLibrary()).version).toMatch(/^1\./);
  });
});
