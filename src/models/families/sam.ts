/**
 * Segment Anything and its second version as their public ONNX exports lay them out: an encoder of pictures, and a decoder that takes its
 * features and a prompt. Sources: SamOnnxModel of facebookresearch/segment-anything, SAM2ImageDecoder of vietanhdev/samexporter.
 */
import type { Tensor, TensorData, TensorPort } from "../../engines/index.js";
import { compileCornerPlan, compileSmoothPlan, cornerSize } from "../../imaging/index.js";
import type { Size } from "../../imaging/index.js";
import type { SegmentationPrompt } from "../contract.js";
import type { DecodedPrompt, DecoderPoints, InteractiveSegmentationFamily, NetworkPorts } from "../family.js";
import { floatData, requireImageInput, requireRank, wrongNetwork } from "./outputs.js";

const SIDE = 1024;
/** Pictures in one run of the encoder. */
const AT_ONCE = 8;
const MEAN = [0.485, 0.456, 0.406] as const;
const STD = [0.229, 0.224, 0.225] as const;
const bytes = ([a, b, c]: readonly [number, number, number]) => [a * 255, b * 255, c * 255] as const;

const PROMPT_INPUTS = ["point_coords", "point_labels", "mask_input", "has_mask_input"];

const fixed = (dim: number | string | undefined, standard: number): number => (typeof dim === "number" ? dim : standard);

function port(ports: readonly TensorPort[], name: string, network: string): TensorPort {
  const found = ports.find((one) => one.name === name);
  if (found !== undefined) return found;
  throw wrongNetwork(`${network} has no "${name}"; it has ${ports.map((one) => one.name).join(", ")}.`);
}

/** Where a prompt lies in the network. @param resized what the picture becomes there. */
function scaled(prompt: SegmentationPrompt, picture: Size, resized: Size, boxFirst: boolean): DecoderPoints {
  const { points = [], labels = [], box } = prompt;
  const corners = box === undefined ? [] : [[box[0], box[1]] as const, [box[2], box[3]] as const];
  const all = boxFirst ? [...corners, ...points] : [...points, ...corners];
  const corner = corners.length > 0 ? [2, 3] : [];
  return {
    coordinates: Float32Array.from(all.flatMap(([x, y]) => [(x * resized.width) / picture.width, (y * resized.height) / picture.height])),
    labels: Float32Array.from(boxFirst ? [...corner, ...labels] : [...labels, ...corner]),
  };
}

/** A point that says that it is none. */
function withoutPoint({ coordinates, labels }: DecoderPoints): DecoderPoints {
  return { coordinates: Float32Array.of(...coordinates, 0, 0), labels: Float32Array.of(...labels, -1) };
}

function logits(outputs: Readonly<Record<string, Tensor>>, name: string): { data: Float32Array; width: number; height: number } {
  const { data, dims } = floatData([outputs[name] as Tensor], 0);
  const [, , height = 0, width = 0] = requireRank(dims, 4, "masks [prompts, masks, height, width]");
  return { data, width, height };
}

const scoresOf = (outputs: Readonly<Record<string, Tensor>>): Float32Array => floatData([outputs["iou_predictions"] as Tensor], 0).data;

interface Layout {
  /** Output of the encoder to input of the decoder. */
  readonly features: Readonly<Record<string, string>>;
  readonly plan: (size: Size) => ReturnType<typeof compileCornerPlan> | ReturnType<typeof compileSmoothPlan>;
  readonly points: (prompt: SegmentationPrompt, picture: Size, network: Size) => DecoderPoints;
  /** Whether pictures lie in the corner of the network's input, and masks with them. */
  readonly corner: boolean;
  readonly wanted: readonly string[];
  readonly sizePort: string | null;
  readonly read: (outputs: Readonly<Record<string, Tensor>>) => DecodedPrompt;
}

function rowsOf({ type, dims, data }: Tensor, image: number): Tensor {
  const [batch = 1, ...rest] = dims;
  const length = data.length / batch;
  // Copied: the others of a batch would live as long as it.
  return { type, dims: [1, ...rest], data: (data as Float32Array).slice(image * length, (image + 1) * length) as TensorData };
}

function samFamily(layout: Layout): InteractiveSegmentationFamily {
  const { features, wanted, read } = layout;
  return {
    task: "interactive-instance-segmentation",
    files: [],
    weights: "encoder.onnx",
    otherWeights: ["decoder.onnx"],
    resizeModes: null,
    describe(_contents, encoder: NetworkPorts, [decoder = { inputs: [], outputs: [] }] = []) {
      const [, , height, width] = encoder.inputs[0]?.dims ?? [];
      const size = { width: fixed(width, SIDE), height: fixed(height, SIDE) };
      requireImageInput(encoder.inputs, size);
      const known = [...Object.values(features), ...PROMPT_INPUTS, ...(layout.sizePort === null ? [] : [layout.sizePort])];
      for (const name of known) port(decoder.inputs, name, "The decoder");
      for (const name of Object.keys(features)) port(encoder.outputs, name, "The encoder");
      for (const name of wanted) port(decoder.outputs, name, "The decoder");
      const foreign = decoder.inputs.find(({ name }) => !known.includes(name));
      if (foreign !== undefined) throw wrongNetwork(`The decoder has an input "${foreign.name}" that this architecture does not know.`);
      const [, , maskHeight, maskWidth] = port(decoder.inputs, "mask_input", "The decoder").dims ?? [];
      return {
        plan: layout.plan(size),
        canvas: layout.corner ? { size, pictureIn: (picture) => cornerSize(picture, size) } : null,
        classNames: [],
        maximumDynamicBatch: AT_ONCE,
        acceptsImageSize: false,
        maskInput: { width: fixed(maskWidth, size.width / 4), height: fixed(maskHeight, size.height / 4) },
        sizePort: layout.sizePort === null ? null : port(decoder.inputs, layout.sizePort, "The decoder"),
        points: (prompt, picture) => layout.points(prompt, picture, size),
        encoded: Object.entries(features).map(([output, input]) => ({
          index: encoder.outputs.findIndex(({ name }) => name === output),
          input,
        })),
        wanted,
        read,
      };
    },
    decode: async (outputs, image, _geometry, { encoded }) =>
      Object.fromEntries(encoded.map(({ index, input }) => [input, rowsOf(outputs[index] as Tensor, image)])),
  };
}

export const sam = samFamily({
  features: { image_embeddings: "image_embeddings" },
  plan: (size) => compileCornerPlan(size, bytes(MEAN), bytes(STD)),
  points(prompt, picture, network) {
    const points = scaled(prompt, picture, cornerSize(picture, network), false);
    return prompt.box === undefined ? withoutPoint(points) : points;
  },
  corner: true,
  // Not "masks": segment-anything's release of 1.0 exports decoders that cut them for one shape of pictures, whatever they are told.
  wanted: ["iou_predictions", "low_res_masks"],
  sizePort: "orig_im_size",
  read(outputs) {
    const planes = logits(outputs, "low_res_masks");
    return { scores: scoresOf(outputs), logits: planes, planes };
  },
});

/** Logits that are given back stay within this. */
const LIMIT = 32;

export const sam2 = samFamily({
  features: { image_embed: "image_embed", high_res_feats_0: "high_res_feats_0", high_res_feats_1: "high_res_feats_1" },
  plan: (size) => compileSmoothPlan({ ...size, mode: "stretch", mean: MEAN, std: STD }),
  points(prompt, picture, network) {
    const points = scaled(prompt, picture, network, true);
    // The decoder adds a point that is none by itself, but cannot do with no point at all.
    return points.labels.length === 0 ? withoutPoint(points) : points;
  },
  corner: false,
  wanted: ["masks", "iou_predictions"],
  sizePort: null,
  read(outputs) {
    const planes = logits(outputs, "masks");
    return {
      scores: scoresOf(outputs),
      planes,
      logits: { ...planes, data: planes.data.map((one) => Math.min(Math.max(one, -LIMIT), LIMIT)) },
    };
  },
});
