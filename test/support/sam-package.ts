/** SAM and SAM 2 with networks so small that their answers can be worked out by hand. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";

import { buildModel, type GraphNode, type TensorValue } from "./onnx-graphs.js";
import { writePackage } from "./packages.js";

export const SIDE = 64;
export const MASK_SIDE = 16;

const float = (name: string, dims: readonly (number | string)[]): TensorValue => ({ name, type: "float32", dims });

/** Each cell: the mean of 4 x 4 pixels and all channels, after the normalization. */
function encoder(features: readonly string[]): Uint8Array {
  return buildModel({
    inputs: [float("x", ["batch", 3, SIDE, SIDE])],
    outputs: features.map((name) => float(name, ["batch", 1, MASK_SIDE, MASK_SIDE])),
    nodes: [
      { op: "AveragePool", inputs: ["x"], outputs: ["cells"], attributes: { kernel_shape: { ints: [4, 4] }, strides: { ints: [4, 4] } } },
      { op: "ReduceMean", inputs: ["cells"], outputs: ["means"], attributes: { axes: { ints: [1] }, keepdims: { int: 1 } } },
      ...features.map((name): GraphNode => ({ op: "Identity", inputs: ["means"], outputs: [name] })),
    ],
  });
}

/**
 * Masks: the features, times 1, 1, -1, 1, plus the mask input. Scores: the mean label, the mean x and y of the points, whether there is a
 * mask. SAM 2 has the last three of both.
 */
function decoder(features: readonly string[], second: boolean): Uint8Array {
  const masks = second ? 3 : 4;
  const mean = (input: string, output: string): GraphNode => ({
    op: "ReduceMean",
    inputs: [input],
    outputs: [output],
    attributes: { axes: { ints: [1] }, keepdims: { int: input === "point_labels" ? 1 : 0 } },
  });
  const low = second ? "masks" : "low_res_masks";
  const enlarge: readonly GraphNode[] = [
    { op: "Cast", inputs: ["orig_im_size"], outputs: ["size"], attributes: { to: { int: 7 } } },
    { op: "Concat", inputs: ["count", "size"], outputs: ["sizes"], attributes: { axis: { int: 0 } } },
    { op: "Resize", inputs: [low, "", "", "sizes"], outputs: ["masks"], attributes: { mode: { string: "linear" } } },
  ];
  return buildModel({
    inputs: [
      ...features.map((name) => float(name, [1, 1, MASK_SIDE, MASK_SIDE])),
      float("point_coords", [1, "points", 2]),
      float("point_labels", [1, "points"]),
      float("mask_input", [1, 1, MASK_SIDE, MASK_SIDE]),
      float("has_mask_input", [1]),
      ...(second ? [] : [float("orig_im_size", [2])]),
    ],
    outputs: [
      float("masks", [1, masks, "height", "width"]),
      float("iou_predictions", [1, masks]),
      ...(second ? [] : [float("low_res_masks", [1, masks, MASK_SIDE, MASK_SIDE])]),
    ],
    nodes: [
      { op: "Sum", inputs: features, outputs: ["seen"] },
      { op: "Mul", inputs: ["seen", "weights"], outputs: ["weighed"] },
      { op: "Mul", inputs: ["mask_input", "has_mask_input"], outputs: ["earlier"] },
      { op: "Add", inputs: ["weighed", "earlier"], outputs: [low] },
      mean("point_coords", "xy"),
      mean("point_labels", "label"),
      { op: "Reshape", inputs: ["has_mask_input", "one"], outputs: ["has"] },
      { op: "Concat", inputs: second ? ["xy", "has"] : ["label", "xy", "has"], outputs: ["raw"], attributes: { axis: { int: 1 } } },
      ...(second
        ? [
            { op: "Mul", inputs: ["label", "zero"], outputs: ["nothing"] },
            { op: "Add", inputs: ["raw", "nothing"], outputs: ["iou_predictions"] },
          ]
        : [{ op: "Identity", inputs: ["raw"], outputs: ["iou_predictions"] }, ...enlarge]),
    ],
    initializers: [
      { name: "weights", dims: [1, masks, 1, 1], data: Float32Array.from([1, 1, -1, 1].slice(4 - masks)) },
      { name: "one", dims: [2], data: BigInt64Array.of(1n, 1n) },
      { name: "zero", dims: [1], data: new Float32Array(1) },
      { name: "count", dims: [2], data: BigInt64Array.of(1n, BigInt(masks)) },
    ],
  });
}

const FEATURES = { sam: ["image_embeddings"], sam2: ["image_embed", "high_res_feats_0", "high_res_feats_1"] } as const;

/** @param networks of another family, to be refused. */
export async function samPackage(architecture: "sam" | "sam2", networks: "sam" | "sam2" = architecture): Promise<string> {
  const directory = await writePackage({
    modelConfig: { model_architecture: architecture, task_type: "interactive-instance-segmentation", backend_type: "onnx" },
    inferenceConfig: null,
    classNames: null,
    weights: null,
  });
  await writeFile(join(directory, "encoder.onnx"), encoder(FEATURES[networks]));
  await writeFile(join(directory, "decoder.onnx"), decoder(FEATURES[networks], networks === "sam2"));
  return directory;
}
