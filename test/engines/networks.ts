/** Networks with known answers, and what the tests of sessions share. */
import { fileURLToPath } from "node:url";

import type { ElementType, InferenceSession, Tensor, TensorData } from "../../src/engines/index.js";
import { buildModel, type Graph } from "../support/onnx-graphs.js";

export const FACE_DETECTOR = fileURLToPath(new URL("../../assets/models/mediapipe-face-detector/weights.onnx", import.meta.url));

/** y = x + x, for any batch. */
export function doublingNetwork(): Uint8Array {
  return buildModel({
    inputs: [{ name: "x", type: "float32", dims: ["batch", 3] }],
    outputs: [{ name: "y", type: "float32", dims: ["batch", 3] }],
    nodes: [{ op: "Add", inputs: ["x", "x"], outputs: ["y"] }],
    producer: "tests",
    graphName: "doubling",
    version: 7,
    custom: { names: "a,b", __proto__key: "kept" },
  });
}

export function identityNetwork(type: ElementType): Uint8Array {
  return buildModel({
    inputs: [{ name: "x", type, dims: ["n"] }],
    outputs: [{ name: "y", type, dims: ["n"] }],
    nodes: [{ op: "Identity", inputs: ["x"], outputs: ["y"] }],
  });
}

/** end = start + steps, one by one: as slow as one likes, and stoppable after every step. */
export function countingNetwork(): Uint8Array {
  const body: Graph = {
    inputs: [
      { name: "step", type: "int64", dims: [] },
      { name: "go_in", type: "bool", dims: [] },
      { name: "count", type: "float32", dims: [1] },
    ],
    outputs: [
      { name: "go_out", type: "bool", dims: [] },
      { name: "next", type: "float32", dims: [1] },
    ],
    nodes: [
      { op: "Identity", inputs: ["go_in"], outputs: ["go_out"] },
      { op: "Add", inputs: ["count", "one"], outputs: ["next"] },
    ],
    initializers: [{ name: "one", dims: [1], data: Float32Array.of(1) }],
  };
  return buildModel({
    inputs: [
      { name: "steps", type: "int64", dims: [] },
      { name: "start", type: "float32", dims: [1] },
    ],
    outputs: [{ name: "end", type: "float32", dims: [1] }],
    nodes: [{ op: "Loop", inputs: ["steps", "go", "start"], outputs: ["end"], attributes: { body: { graph: body } } }],
    initializers: [{ name: "go", dims: [], data: Uint8Array.of(1), type: "bool" }],
  });
}

/** Centuries of counting. */
export const ENDLESS = 2 ** 60;
/** Some tenths of a second. */
export const LONG = 100_000;

export function steps(count: number): Readonly<Record<string, Tensor>> {
  return { steps: tensor("int64", [], BigInt64Array.of(BigInt(count))), start: tensor("float32", [1], Float32Array.of(0)) };
}

export function tensor(type: ElementType, dims: readonly number[], data: TensorData): Tensor {
  return { type, dims, data };
}

export function row(...values: number[]): Readonly<Record<string, Tensor>> {
  return { x: tensor("float32", [values.length / 3, 3], Float32Array.from(values)) };
}

/** Waits until a run computes on a lane. */
export async function untilRunning(session: InferenceSession): Promise<void> {
  while (session.statistics().running === 0) await new Promise((resolve) => setImmediate(resolve));
}
