/** What an engine is run on, when nobody has said what. */
import type { Tensor, TensorPort, TensorRtEngine } from "../../src/engines/index.js";

/** Pictures have values like these; zeros would hide wrong layouts. */
function fill(engine: TensorRtEngine, port: TensorPort, dims: readonly number[]): Tensor {
  if (port.type !== "float32") throw new Error(`Input ${port.name} is ${String(port.type)}; this check makes float32 only.`);
  // Memory that a run need not copy, as callers who want speed take it.
  const data = engine.allocateInput(dims.reduce((product, size) => product * size, 1));
  for (let i = 0; i < data.length; i += 1) data[i] = ((i * 2654435761) >>> 8) / 2 ** 24;
  return { type: "float32", dims, data };
}

/**
 * @param shapes `NAME=1x3x640x640`; of other inputs the best shape of the profile is taken
 * @param batch instead of the best number of pictures
 */
export function inputsOf(engine: TensorRtEngine, shapes: readonly string[], batch?: number): Readonly<Record<string, Tensor>> {
  const sized = (dims: readonly number[]): readonly number[] => (batch === undefined ? dims : [batch, ...dims.slice(1)]);
  const named = new Map(shapes.map((text) => [text.split("=")[0], (text.split("=")[1] ?? "").split("x").map(Number)]));
  return Object.fromEntries(
    engine.inputs.map((port) => [
      port.name,
      fill(engine, port, sized(named.get(port.name) ?? engine.profiles[engine.profile]?.[port.name]?.optimum ?? [])),
    ]),
  );
}
