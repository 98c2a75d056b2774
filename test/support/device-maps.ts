/** Maps by the kernels behind an engine, on the stand-in of TensorRT, whose networks hand out their input. */
import { TensorRtEngine, type MapRequest } from "../../src/engines/index.js";
import { cpuDecoder, type ClassMap, type Decoder, type DenseMap } from "../../src/models/decoding/index.js";
import type { NativeAddon } from "../../src/native/index.js";
import { fakePlan } from "./nvidia-fakes.js";

export interface DeviceMapDecoder extends Decoder, AsyncDisposable {
  /** Maps that the device has made. */
  readonly made: number;
}

export function deviceMapDecoder(addon: NativeAddon): DeviceMapDecoder {
  const engines = new Map<string, Promise<TensorRtEngine>>();
  let made = 0;
  async function run({ data, offset, channels, width, height }: DenseMap, request: Omit<MapRequest, "planes">): Promise<unknown> {
    const dims = [1, channels, height, width];
    const shape = `0 4 ${dims.join(" ")}`;
    const plan = fakePlan([10, 15, 1, 29], [`in values ${shape}`, `out planes ${shape}`]);
    const engine = engines.get(shape) ?? TensorRtEngine.load(plan, { decodesDetections: true });
    engines.set(shape, engine);
    const values = { type: "float32", dims, data: data.slice(offset, offset + channels * height * width) } as const;
    const { pictures } = await (await engine).runMaps!({ values }, { planes: 0, ...request });
    made += 1;
    return pictures[0];
  }
  return {
    ...cpuDecoder(addon),
    name: "cuda",
    get made() {
      return made;
    },
    makeClassMap: async (map, placement, classes) => (await run(map, { placements: [placement], classes, filter: "triangle" })) as ClassMap,
    makeValueMap: async (map, placement, filter) => (await run(map, { placements: [placement], classes: null, filter })) as Float32Array,
    async [Symbol.asyncDispose]() {
      await Promise.all([...engines.values()].map(async (engine) => (await engine).close()));
    },
  };
}
