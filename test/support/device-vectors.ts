/** Conformance vectors through the kernels of a device and through the CPU, which have to give the same bits. */
import { isDeepStrictEqual } from "node:util";

import type { PreprocessExecutor } from "../../src/imaging/index.js";
import { setLogger } from "../../src/logger.js";
import { cpuDecoder, type Decoder } from "../../src/models/decoding/index.js";
import type { NativeAddon } from "../../src/native/index.js";
import { cpuExecutor } from "../../src/imaging/index.js";
import { NotCovered, type Adapter } from "../conformance/adapter.js";
import { decoding as steps } from "../conformance/adapters/detection.js";
import { decoding as families } from "../conformance/adapters/families.js";
import { decoding as keyPoints } from "../conformance/adapters/key-points.js";
import { decoding as maps } from "../conformance/adapters/maps.js";
import { preprocessingOn } from "../conformance/adapters/preprocessing.js";
import { aligning, decoding as masks } from "../conformance/adapters/segmentation.js";
import type { Vector } from "../conformance/vectors.js";
import type { DeviceDecoder } from "./device-decoder.js";

type Adapters = Readonly<Record<string, Adapter | undefined>>;

/** One way of doing what the vectors ask for. */
interface Way {
  readonly adapters: Adapters;
  /** How much the device has done so far. */
  readonly count: () => number;
}

const DECODING: Readonly<Record<string, (decoder: () => Decoder) => Adapter>> = {
  ...steps,
  ...families,
  ...keyPoints,
  ...masks,
  ...aligning,
  ...maps,
};

function decodingWith(decoder: Decoder): Adapters {
  return Object.fromEntries(Object.entries(DECODING).map(([name, make]) => [name, make(() => decoder)]));
}

/** The functions whose vectors may reach a device. */
export const DEVICE_FUNCTIONS: readonly string[] = [
  ...Object.keys(DECODING),
  ...Object.keys(preprocessingOn(() => ({ name: "cuda", run: () => Promise.resolve() }))),
];

export interface Comparison {
  /** How many vectors of each function had the device do something. */
  readonly compared: ReadonlyMap<string, number>;
  /** Ids of those with another outcome than on the CPU. */
  readonly differing: readonly string[];
}

/** A value, the kind of an error, or nothing where the vector asks for what is not offered. */
async function outcome(run: () => unknown): Promise<unknown> {
  try {
    return { value: await run() };
  } catch (error) {
    return error instanceof NotCovered ? null : { error: (error as Error).constructor.name };
  }
}

async function compare(vectors: AsyncIterable<Vector>, device: Way, cpu: Adapters): Promise<Comparison> {
  const compared = new Map<string, number>();
  const differing: string[] = [];
  // Vectors that ask for what is given up on are many.
  setLogger({ debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined });
  try {
    for await (const { id, function: name, input, tags } of vectors) {
      const [onDevice, onCpu] = [device.adapters[name], cpu[name]];
      if (onDevice === undefined || onCpu === undefined) continue;
      const before = device.count();
      const found = await outcome(() => onDevice(input, { tags }));
      if (!isDeepStrictEqual(found, await outcome(() => onCpu(input, { tags })))) differing.push(id);
      if (device.count() > before) compared.set(name, (compared.get(name) ?? 0) + 1);
    }
  } finally {
    setLogger(null);
  }
  return { compared, differing };
}

export function compareDecoding(vectors: AsyncIterable<Vector>, addon: NativeAddon, device: DeviceDecoder): Promise<Comparison> {
  const count = (): number => [...device.decoded.values()].reduce((sum, number) => sum + number, 0);
  return compare(vectors, { adapters: decodingWith(device), count }, decodingWith(cpuDecoder(addon)));
}

export function comparePreprocessing(
  vectors: AsyncIterable<Vector>,
  addon: NativeAddon,
  executor: PreprocessExecutor,
): Promise<Comparison> {
  let runs = 0;
  const counted: PreprocessExecutor = {
    name: executor.name,
    run(...args) {
      runs += 1;
      return executor.run(...args);
    },
  };
  const cpu = preprocessingOn(() => cpuExecutor(addon));
  return compare(vectors, { adapters: preprocessingOn(() => counted), count: () => runs }, cpu);
}
