/** A CLIP with towers so small that their answers can be worked out by hand. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";

import { buildModel, type TensorValue } from "./onnx-graphs.js";
import { writePackage } from "./packages.js";

/** Pictures are 8 x 8 for the visual tower. */
export const SIDE = 8;
const CONTEXT = 77;

/** float32 `[batch, 3]`: the mean of each channel, red first, after the normalization. */
export function visualTower(batch: number | string = "batch", side: number | string = SIDE): Uint8Array {
  return buildModel({
    inputs: [{ name: "pixels", type: "float32", dims: [batch, 3, side, side] }],
    outputs: [{ name: "image_features", type: "float32", dims: [batch, 3] }],
    nodes: [
      {
        op: "ReduceMean",
        inputs: ["pixels"],
        outputs: ["image_features"],
        attributes: { axes: { ints: [2, 3] }, keepdims: { int: 0 } },
      },
    ],
  });
}

interface TextualTower {
  readonly batch?: number | string;
  readonly type?: TensorValue["type"];
  readonly dimensions?: number;
  /** Gives one embedding, the mean, however many texts there are. */
  readonly pooled?: boolean;
}

/** float32 `[batch, dimensions]`: the first tokens of each text, start mark included, as they are. */
export function textualTower({ batch = "batch", type = "int32", dimensions = 3, pooled = false }: TextualTower = {}): Uint8Array {
  const weights = new Float32Array(CONTEXT * dimensions);
  for (let token = 0; token < dimensions; token++) weights[token * dimensions + token] = 1;
  return buildModel({
    inputs: [{ name: "tokens", type, dims: [batch, CONTEXT] }],
    outputs: [{ name: "text_features", type: "float32", dims: [pooled ? "pooled" : batch, dimensions] }],
    nodes: [
      { op: "Cast", inputs: ["tokens"], outputs: ["numbers"], attributes: { to: { int: 1 } } },
      { op: "MatMul", inputs: ["numbers", "weights"], outputs: [pooled ? "all" : "text_features"] },
      ...(pooled ? [{ op: "ReduceMean", inputs: ["all"], outputs: ["text_features"], attributes: { axes: { ints: [0] } } }] : []),
    ],
    initializers: [{ name: "weights", dims: [CONTEXT, dimensions], data: weights }],
  });
}

/** null leaves a tower out. */
export async function clipPackage(
  towers: { readonly visual?: Uint8Array | null; readonly textual?: Uint8Array | null } = {},
): Promise<string> {
  const directory = await writePackage({
    modelConfig: { model_architecture: "clip", task_type: "embedding", backend_type: "onnx" },
    inferenceConfig: null,
    classNames: null,
    weights: null,
  });
  const { visual = visualTower(), textual = textualTower() } = towers;
  if (visual !== null) await writeFile(join(directory, "visual.onnx"), visual);
  if (textual !== null) await writeFile(join(directory, "textual.onnx"), textual);
  return directory;
}
