/** An OWLv2 whose four cells each look for one word, so that its answers are known. Ports are named and ordered as Optimum has them. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";

import { buildModel, type GraphNode, type TensorValue } from "./onnx-graphs.js";
import { writePackage } from "./packages.js";

/** Pictures are 16 x 16 for the network. */
export const OWL_SIDE = 16;
const LENGTH = 16;
const CAT = 2368;
const DOG = 1929;

/** Word, logit where it is asked for, and centre and size as fractions of the padded square: binary ones, so that truncation leaves no doubt. */
const CELLS = [
  { token: CAT, logit: 6, box: [0.25, 0.25, 0.25, 0.25] },
  { token: CAT, logit: 5, box: [0.265625, 0.25, 0.25, 0.25] },
  { token: DOG, logit: 5.5, box: [0.25, 0.265625, 0.25, 0.25] },
  { token: DOG, logit: 0, box: [0.75, 0.875, 0.25, 0.5] },
] as const;

interface OwlPorts {
  readonly batch?: number | string;
  readonly classes?: number | string;
  readonly length?: number | string;
  readonly type?: TensorValue["type"];
  readonly withMask?: boolean;
  readonly logits?: string;
  /** As many of the cells' boxes. */
  readonly boxes?: number;
}

/** Logits far below zero for other words, and for masks that do not end with a class's third and last token. */
export function owlNetwork({
  batch = "image_batch_size",
  classes = "text_batch_size",
  length = "sequence_length",
  type = "int64",
  withMask = true,
  logits = "logits",
  boxes = CELLS.length,
}: OwlPorts = {}): Uint8Array {
  const column = (name: string, values: readonly number[]) => ({ name, dims: [values.length, 1], data: Float32Array.from(values) });
  const float = { to: { int: 1 } };
  const masked: readonly GraphNode[] = [
    { op: "Cast", inputs: ["attention_mask"], outputs: ["mask"], attributes: float },
    { op: "MatMul", inputs: ["mask", "ones"], outputs: ["seen"] },
    { op: "Sub", inputs: ["seen", "three"], outputs: ["wrong"] },
    { op: "Abs", inputs: ["wrong"], outputs: ["wrongness"] },
    { op: "Mul", inputs: ["wrongness", "hundred"], outputs: ["penalty"] },
  ];
  return buildModel({
    inputs: [
      { name: "input_ids", type, dims: [classes, length] },
      { name: "pixel_values", type: "float32", dims: [batch, 3, "height", "width"] },
      ...(withMask ? [{ name: "attention_mask", type, dims: [classes, length] }] : []),
    ],
    outputs: [
      { name: logits, type: "float32", dims: [batch, CELLS.length, "num_queries"] },
      { name: "pred_boxes", type: "float32", dims: [batch, "num_boxes", 4] },
    ],
    nodes: [
      { op: "ReduceMean", inputs: ["pixel_values"], outputs: ["mean"], attributes: { axes: { ints: [1, 2, 3] }, keepdims: { int: 0 } } },
      { op: "Mul", inputs: ["mean", "zero"], outputs: ["nothing"] },
      { op: "Cast", inputs: ["input_ids"], outputs: ["tokens"], attributes: float },
      { op: "MatMul", inputs: ["tokens", "second"], outputs: ["word"] },
      ...(withMask ? masked : [{ op: "Mul", inputs: ["word", "zero"], outputs: ["penalty"] }]),
      { op: "Transpose", inputs: ["word"], outputs: ["words"] },
      { op: "Transpose", inputs: ["penalty"], outputs: ["penalties"] },
      { op: "Sub", inputs: ["words", "wanted"], outputs: ["difference"] },
      { op: "Abs", inputs: ["difference"], outputs: ["distance"] },
      { op: "Sub", inputs: ["strength", "distance"], outputs: ["likeness"] },
      { op: "Sub", inputs: ["likeness", "penalties"], outputs: ["flat"] },
      { op: "Reshape", inputs: ["flat", "shape"], outputs: ["batched"] },
      { op: "Add", inputs: ["batched", "nothing"], outputs: [logits] },
      { op: "Add", inputs: ["cells", "nothing"], outputs: ["pred_boxes"] },
    ],
    initializers: [
      { name: "zero", dims: [1], data: new Float32Array(1) },
      { name: "three", dims: [1], data: Float32Array.of(3) },
      { name: "hundred", dims: [1], data: Float32Array.of(100) },
      column(
        "second",
        Array.from({ length: LENGTH }, (_, index) => Number(index === 1)),
      ),
      column("ones", new Array<number>(LENGTH).fill(1)),
      column(
        "wanted",
        CELLS.map(({ token }) => token),
      ),
      column(
        "strength",
        CELLS.map(({ logit }) => logit),
      ),
      { name: "shape", dims: [3], data: BigInt64Array.of(1n, BigInt(CELLS.length), -1n) },
      { name: "cells", dims: [1, boxes, 4], data: Float32Array.from(CELLS.slice(0, boxes).flatMap(({ box }) => box)) },
    ],
  });
}

export async function owlPackage(weights: Uint8Array = owlNetwork(), settings: object = {}): Promise<string> {
  const directory = await writePackage({
    modelConfig: { model_architecture: "owlv2", task_type: "open-vocabulary-object-detection", backend_type: "onnx" },
    inferenceConfig: null,
    classNames: null,
    weights,
  });
  const standard = {
    size: { height: OWL_SIDE, width: OWL_SIDE },
    image_mean: [0.48145466, 0.4578275, 0.40821073],
    image_std: [0.26862954, 0.26130258, 0.27577711],
  };
  await writeFile(join(directory, "preprocessor_config.json"), JSON.stringify({ ...standard, ...settings }));
  return directory;
}
