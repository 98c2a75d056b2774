/** Networks with known answers, and what the tests of sessions share. */
import { fileURLToPath } from "node:url";

import type { ElementType, InferenceSession, Tensor, TensorData } from "../../src/engines/index.js";
import { buildModel } from "../support/onnx-graphs.js";

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

const SLOW_SIZE = 256;

/** `steps` matrix products in a row; the weights are an input, since constant ones would be packed for each node. */
export function slowNetwork(steps: number): Uint8Array {
  const dims = [SLOW_SIZE, SLOW_SIZE];
  return buildModel({
    inputs: [
      { name: "x", type: "float32", dims },
      { name: "w", type: "float32", dims },
    ],
    outputs: [{ name: "y", type: "float32", dims }],
    nodes: Array.from({ length: steps }, (_, step) => ({
      op: "MatMul",
      inputs: [step === 0 ? "x" : `h${step - 1}`, "w"],
      outputs: [step === steps - 1 ? "y" : `h${step}`],
    })),
  });
}

/** Ones, and weights that keep them ones: the result is all ones. */
export function slowInputs(): Readonly<Record<string, Tensor>> {
  const elements = SLOW_SIZE * SLOW_SIZE;
  return {
    x: tensor("float32", [SLOW_SIZE, SLOW_SIZE], new Float32Array(elements).fill(1)),
    w: tensor("float32", [SLOW_SIZE, SLOW_SIZE], new Float32Array(elements).fill(1 / SLOW_SIZE)),
  };
}

/** More steps than any test waits for. */
export const ENDLESS = 20_000;

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

export async function untilIdle(session: InferenceSession): Promise<void> {
  while (session.statistics().running + session.statistics().waiting > 0) await new Promise((resolve) => setImmediate(resolve));
}
