/** Decoding behind an engine, on the stand-in of TensorRT, whose networks hand out their input. */
import { TensorRtEngine } from "../../src/engines/index.js";
import type { DecodingDevice, NetworkOutput } from "./device-decoder.js";
import { fakePlan } from "./nvidia-fakes.js";

/** All outputs lie in the one input, one after the other. */
function linesOf(outputs: readonly NetworkOutput[]): readonly string[] {
  let place = 0;
  const lines = outputs.map(({ dims, data }, index) => {
    const line = `out output${index} 0 ${dims.length} ${dims.join(" ")}${place === 0 ? "" : ` at ${place}`}`;
    place += data.length;
    return line;
  });
  return [`in values 0 2 1 ${place}`, ...lines];
}

export function behindEngines(): DecodingDevice {
  const engines = new Map<string, Promise<TensorRtEngine>>();
  async function open(outputs: readonly NetworkOutput[]) {
    const lines = linesOf(outputs);
    const key = lines.join("\n");
    const engine = engines.get(key) ?? TensorRtEngine.load(fakePlan([10, 15, 1, 29], lines), { decodesOutputs: true });
    engines.set(key, engine);
    const data = Float32Array.from(outputs.flatMap((output) => [...output.data]));
    return { engine: await engine, inputs: { values: { type: "float32", dims: [1, data.length], data } as const } };
  }
  return {
    async decode(outputs, request) {
      const { engine, inputs } = await open(outputs);
      return (await engine.runDetections!(inputs, request)).pictures[0]!;
    },
    async makeMap(output, request) {
      const { engine, inputs } = await open([output]);
      return (await engine.runMaps!(inputs, request)).pictures[0]!;
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([...engines.values()].map(async (engine) => (await engine).close()));
    },
  };
}
