/** Model packages made for a test: a real network whose outputs are known, in a folder of its own. */
import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { buildModel, type GraphNode, type TensorValue } from "./onnx-graphs.js";

/** A constant output `[batch 1, ...dims]`. */
export interface KnownOutput {
  readonly name: string;
  readonly dims: readonly number[];
  readonly data: Float32Array;
}

/**
 * A network with one image input that returns the same numbers whatever the picture: enough to check everything around
 * a network. The numbers are added to the input's mean times zero, since a graph that ignores its input is optimised away.
 */
export function constantNetwork(
  outputs: readonly KnownOutput[],
  size: { readonly width: number; readonly height: number },
  batch: number | string = 1,
): Uint8Array {
  const nodes: GraphNode[] = [
    { op: "ReduceMean", inputs: ["images"], outputs: ["mean"], attributes: { axes: { ints: [1, 2, 3] }, keepdims: { int: 1 } } },
    { op: "Mul", inputs: ["mean", "zero"], outputs: ["nothing"] },
    // [batch, 1, 1, 1] to the output's rank: broadcasts over it, one copy of the constant for each picture.
    ...outputs.map(({ name }): GraphNode => ({ op: "Reshape", inputs: ["nothing", `${name}-shape`], outputs: [`${name}-nothing`] })),
    ...outputs.map(({ name }): GraphNode => ({ op: "Add", inputs: [`${name}-nothing`, `${name}-constant`], outputs: [name] })),
  ];
  const ports: TensorValue[] = outputs.map(({ name, dims }) => ({ name, type: "float32", dims: [batch, ...dims.slice(1)] }));
  return buildModel({
    inputs: [{ name: "images", type: "float32", dims: [batch, 3, size.height, size.width] }],
    outputs: ports,
    nodes,
    initializers: [
      { name: "zero", dims: [1], data: new Float32Array(1) },
      ...outputs.map(({ name, dims }) => ({
        name: `${name}-shape`,
        dims: [dims.length],
        data: BigInt64Array.from(dims, (_, axis) => (axis === 0 ? -1n : 1n)),
      })),
      ...outputs.map(({ name, dims, data }) => ({ name: `${name}-constant`, dims, data })),
    ],
  });
}

export interface PackageFiles {
  readonly modelConfig?: object | string;
  readonly inferenceConfig?: object | string | null;
  readonly classNames?: readonly string[] | null;
  readonly weights?: Uint8Array | null;
}

export function inferenceConfig(
  overrides: { readonly networkInput?: object; readonly postProcessing?: object | null; readonly forwardPass?: object } = {},
): object {
  return {
    network_input: {
      training_input_size: { width: 64, height: 64 },
      dynamic_spatial_size_supported: false,
      color_mode: "rgb",
      resize_mode: "stretch",
      input_channels: 3,
      scaling_factor: 255,
      ...overrides.networkInput,
    },
    ...(overrides.forwardPass === undefined ? {} : { forward_pass: overrides.forwardPass }),
    ...(overrides.postProcessing === null ? {} : { post_processing: overrides.postProcessing ?? { type: "nms", fused: false } }),
  };
}

/** Two anchors of a YOLOv8 head for a 64 x 64 network: class 1 at 0.9 in the upper left, class 0 at 0.6 in the lower right. */
export const YOLO_HEAD: KnownOutput = {
  name: "output0",
  dims: [1, 6, 2],
  // Rows: centre x, centre y, width, height, score of class 0, score of class 1; columns: anchors.
  data: Float32Array.from([16, 48, 16, 48, 16, 8, 16, 8, 0.1, 0.6, 0.9, 0.2]),
};

/** A folder with a package that is valid unless told otherwise; null leaves a file out. */
export async function writePackage(files: PackageFiles = {}): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "package-"));
  const text = (value: object | string): string => (typeof value === "string" ? value : JSON.stringify(value));
  await writeFile(
    join(directory, "model_config.json"),
    text(files.modelConfig ?? { model_architecture: "yolov8", task_type: "object-detection", backend_type: "onnx" }),
  );
  if (files.inferenceConfig !== null)
    await writeFile(join(directory, "inference_config.json"), text(files.inferenceConfig ?? inferenceConfig()));
  if (files.classNames !== null) await writeFile(join(directory, "class_names.txt"), (files.classNames ?? ["cat", "dog"]).join("\n"));
  if (files.weights !== null)
    await writeFile(join(directory, "weights.onnx"), files.weights ?? constantNetwork([YOLO_HEAD], { width: 64, height: 64 }));
  return directory;
}

/** A picture of one colour in memory. */
export function blankPicture(width: number, height: number, value = 128) {
  return { data: new Uint8Array(width * height * 3).fill(value), width, height, channels: 3, colorFormat: "rgb" } as const;
}
