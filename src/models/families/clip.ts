/** CLIP: pictures and texts as points of one space, each by a network of its own. Raw, as the networks give them. */
import type { Tensor, TensorPort } from "../../engines/index.js";
import { ModelRuntimeError } from "../../errors.js";
import { compileSmoothPlan } from "../../imaging/index.js";
import { loadClipTokenizer } from "../../text/index.js";
import type { EmbeddingFamily } from "../family.js";
import { floatData, formatDims, requireImageInput, requireOutput, requireRank, wrongNetwork } from "./outputs.js";

const MEANING = "embeddings [batch, dimensions]";
/** Pictures or texts in one run of a network. */
const AT_ONCE = 32;
/** Tokens per text, where the network does not say. */
const CONTEXT_LENGTH = 77;

/** The side of the square that the network sees. @throws CorruptedModelPackageError */
function imageSide(inputs: readonly TensorPort[]): number {
  const [, , height] = inputs[0]?.dims ?? [];
  if (typeof height === "number" && height > 0) {
    requireImageInput(inputs, { width: height, height });
    return height;
  }
  throw wrongNetwork(
    `Input "${inputs[0]?.name ?? ""}" of the visual network has shape ${formatDims(inputs[0]?.dims ?? null)}; pictures are prepared for a fixed height.`,
  );
}

/** Tokens per text. @throws CorruptedModelPackageError */
function contextLength(inputs: readonly TensorPort[]): number {
  const [input] = inputs;
  const { name, dims, type } = input ?? { name: "", dims: null, type: null };
  if (dims?.length !== 2)
    throw wrongNetwork(`Input "${name}" of the textual network has shape ${formatDims(dims)}; expected tokens [batch, length].`);
  if (type !== "int32" && type !== "int64")
    throw wrongNetwork(`Input "${name}" of the textual network takes ${String(type)}; tokens are handed over as int32 or int64.`);
  const [, length] = dims;
  return typeof length === "number" ? length : CONTEXT_LENGTH;
}

/** One row. Copied, because the others of a batch would live as long as it. */
function embedding(outputs: readonly Tensor[], row: number): Float32Array {
  const { data, dims } = floatData(outputs, 0);
  const [rows = 0, dimensions = 0] = requireRank(dims, 2, MEANING);
  if (row >= rows || dimensions === 0)
    throw new ModelRuntimeError(`The network returned ${formatDims(dims)}, which holds no embedding ${row}.`, { stage: "postprocess" });
  return data.slice(row * dimensions, (row + 1) * dimensions);
}

export const family: EmbeddingFamily = {
  task: "embedding",
  files: [],
  weights: "visual.onnx",
  otherWeights: ["textual.onnx"],
  resizeModes: null,
  describe(_contents, visual, [textual = { inputs: [], outputs: [] }] = []) {
    const side = imageSide(visual.inputs);
    const [[, ofPictures = null], [, ofTexts = null]] = [
      requireOutput(visual.outputs, 0, 2, MEANING),
      requireOutput(textual.outputs, 0, 2, MEANING),
    ];
    if (ofPictures !== null && ofTexts !== null && ofPictures !== ofTexts) {
      throw wrongNetwork(
        `The visual network gives embeddings of ${ofPictures} numbers and the textual network of ${ofTexts}; they have to share a space.`,
      );
    }
    return {
      // https://github.com/openai/CLIP: the statistics of its training pictures.
      plan: compileSmoothPlan({
        width: side,
        height: side,
        mode: "shorter-side",
        mean: [0.48145466, 0.4578275, 0.40821073],
        std: [0.26862954, 0.26130258, 0.27577711],
      }),
      classNames: [],
      maximumDynamicBatch: AT_ONCE,
      acceptsImageSize: false,
      dimensions: ofPictures ?? ofTexts,
      text: { contextLength: contextLength(textual.inputs), loadTokenizer: loadClipTokenizer, decode: embedding },
    };
  },
  decode: async (outputs, image) => embedding(outputs, image),
};
