/** Engines that hand out their inputs, so that a decoder behind them gets what it is to be tried on. */
import { buildTensorRtEngine } from "../../src/compilation/index.js";
import { TensorRtEngine, type Tensor } from "../../src/engines/index.js";
import { buildModel } from "../support/onnx-graphs.js";

/** Inputs `values0`, `values1`, ... and outputs `output0`, `output1`, ... of these types and shapes. */
export async function loadIdentity(ports: readonly Pick<Tensor, "type" | "dims">[], device: number): Promise<TensorRtEngine> {
  const model = buildModel({
    inputs: ports.map(({ type, dims }, index) => ({ name: `values${index}`, type: type as "float32" | "float16", dims })),
    outputs: ports.map(({ type, dims }, index) => ({ name: `output${index}`, type: type as "float32" | "float16", dims })),
    nodes: ports.map((_, index) => ({ op: "Identity", inputs: [`values${index}`], outputs: [`output${index}`] })),
  });
  // The types are those of the model.
  const { engine } = await buildTensorRtEngine(model, { device, stronglyTyped: true });
  return TensorRtEngine.load(engine, { device, decodesOutputs: true });
}

/** Comparable to the bit. */
export const bitsOf = (...columns: readonly (Float32Array | Int32Array | Uint32Array | Uint16Array | Uint8Array)[]): string =>
  columns.map(({ buffer, byteOffset, byteLength }) => Buffer.from(buffer, byteOffset, byteLength).toString("base64")).join();

export async function median(rounds: number, run: () => Promise<unknown>): Promise<string> {
  const each: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const start = performance.now();
    await run();
    each.push(performance.now() - start);
  }
  return `${(each.sort((a, b) => a - b)[Math.floor(rounds / 2)] ?? 0).toFixed(3)} ms`;
}
