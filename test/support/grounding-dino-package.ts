/** A Grounding DINO of two queries that each look for one word, and whose boxes say how much of its input is picture. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { buildModel, type GraphNode, type TensorValue } from "./onnx-graphs.js";
import { writePackage } from "./packages.js";

export const readVocabulary = (): Promise<string> => readFile(new URL("../text/fixtures/bert-vocab.txt", import.meta.url), "utf8");
const words = (await readVocabulary()).split("\n");

interface Ports {
  readonly batch?: number | string;
  readonly sides?: readonly [height: number | string, width: number | string];
  readonly length?: number | string;
  readonly type?: TensorValue["type"];
  readonly withMask?: boolean;
  readonly logits?: string;
  readonly another?: string;
}

/** Finds "cat" with logit 2 in the left half and "control" with logit 1 in the right; their heights are the share of the picture. */
export function dinoNetwork({
  batch = "batch_size",
  sides = ["height", "width"],
  length = "sequence_length",
  type = "int64",
  withMask = true,
  logits = "logits",
  another,
}: Ports = {}): Uint8Array {
  const float = { to: { int: 1 } };
  const share: readonly GraphNode[] = withMask
    ? [
        { op: "Cast", inputs: ["pixel_mask"], outputs: ["mask"], attributes: float },
        { op: "ReduceMean", inputs: ["mask"], outputs: ["share"], attributes: { keepdims: { int: 0 } } },
      ]
    : [{ op: "Add", inputs: ["nothing", "one"], outputs: ["share"] }];
  return buildModel({
    inputs: [
      { name: "pixel_values", type: "float32", dims: [batch, 3, ...sides] },
      ...["input_ids", "token_type_ids", "attention_mask"].map((name) => ({ name, type, dims: [batch, length] })),
      ...(withMask ? [{ name: "pixel_mask", type, dims: [batch, ...sides] }] : []),
      ...(another === undefined ? [] : [{ name: another, type, dims: [batch, length] }]),
    ],
    outputs: [
      { name: logits, type: "float32", dims: [batch, 2, "tokens"] },
      { name: "pred_boxes", type: "float32", dims: [batch, 2, 4] },
    ],
    nodes: [
      { op: "ReduceMean", inputs: ["pixel_values"], outputs: ["mean"], attributes: { keepdims: { int: 0 } } },
      { op: "Mul", inputs: ["mean", "zero"], outputs: ["nothing"] },
      ...share,
      { op: "Cast", inputs: ["input_ids"], outputs: ["ids"], attributes: float },
      { op: "Cast", inputs: ["attention_mask"], outputs: ["seen"], attributes: float },
      { op: "Cast", inputs: ["token_type_ids"], outputs: ["types"], attributes: float },
      { op: "Sub", inputs: ["ids", "wanted"], outputs: ["difference"] },
      { op: "Abs", inputs: ["difference"], outputs: ["distance"] },
      { op: "Sub", inputs: ["strength", "distance"], outputs: ["likeness"] },
      // A token that is not to be seen, or of another type, is nobody's.
      { op: "Sub", inputs: ["seen", "types"], outputs: ["real"] },
      { op: "Sub", inputs: ["real", "one"], outputs: ["unseen"] },
      { op: "Mul", inputs: ["unseen", "hundred"], outputs: ["penalty"] },
      { op: "Add", inputs: ["likeness", "penalty"], outputs: ["flat"] },
      { op: "Reshape", inputs: ["flat", "shape"], outputs: ["batched"] },
      { op: "Add", inputs: ["batched", "nothing"], outputs: [logits] },
      { op: "Mul", inputs: ["height", "share"], outputs: ["heights"] },
      { op: "Add", inputs: ["boxes", "heights"], outputs: ["pred_boxes"] },
    ],
    initializers: [
      { name: "zero", dims: [1], data: new Float32Array(1) },
      { name: "one", dims: [1], data: Float32Array.of(1) },
      { name: "hundred", dims: [1], data: Float32Array.of(100) },
      { name: "wanted", dims: [2, 1], data: Float32Array.of(words.indexOf("cat"), words.indexOf("control")) },
      { name: "strength", dims: [2, 1], data: Float32Array.of(2, 1) },
      { name: "shape", dims: [3], data: BigInt64Array.of(1n, 2n, -1n) },
      { name: "height", dims: [1, 1, 4], data: Float32Array.of(0, 0, 0, 1) },
      { name: "boxes", dims: [1, 2, 4], data: Float32Array.of(0.25, 0.5, 0.5, 0, 0.75, 0.5, 0.5, 0) },
    ],
  });
}

/** @param files beside the usual ones; null = none of that name. */
export async function dinoPackage(
  weights: Uint8Array = dinoNetwork(),
  settings: object = {},
  files: Readonly<Record<string, string | null>> = {},
): Promise<string> {
  const directory = await writePackage({
    modelConfig: { model_architecture: "grounding-dino", task_type: "open-vocabulary-object-detection", backend_type: "onnx" },
    inferenceConfig: null,
    classNames: null,
    weights,
  });
  const standard = { size: { shortest_edge: 32, longest_edge: 64 }, image_mean: [0.485, 0.456, 0.406], image_std: [0.229, 0.224, 0.225] };
  const all: Readonly<Record<string, string | null>> = {
    "preprocessor_config.json": JSON.stringify({ ...standard, ...settings }),
    "vocab.txt": words.join("\n"),
    ...files,
  };
  for (const [name, text] of Object.entries(all)) if (text !== null) await writeFile(join(directory, name), text);
  return directory;
}
