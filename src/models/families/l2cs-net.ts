/** L2CS-Net: where a face looks. One yaw and one pitch per picture, radians, as the network gives them. */
import { compileSmoothPlan } from "../../imaging/index.js";
import type { TensorPort } from "../../engines/index.js";
import { ModelRuntimeError } from "../../errors.js";
import type { Tensor } from "../../engines/index.js";
import type { GazeFamily } from "../family.js";
import { floatData, requireImageInput, wrongNetwork } from "./outputs.js";

const INPUT = { width: 448, height: 448 };
/** Faces in one run of the network. */
const FACES_AT_ONCE = 8;

/** @throws CorruptedModelPackageError unless there are two outputs with one value per picture. */
function requireAngles(outputs: readonly TensorPort[]): void {
  if (outputs.length < 2) throw wrongNetwork(`The network has ${outputs.length} output(s); a gaze network has two, yaw and pitch.`);
  for (const { name, dims } of outputs.slice(0, 2)) {
    const perPicture = (dims ?? []).slice(1).reduce<number>((product, dim) => product * (typeof dim === "number" ? dim : 1), 1);
    if (perPicture !== 1) throw wrongNetwork(`Output "${name}" has ${perPicture} values per picture; expected one angle.`);
  }
}

function angle(outputs: readonly Tensor[], index: number, image: number): number {
  const value = floatData(outputs, index).data[image];
  if (value !== undefined) return value;
  throw new ModelRuntimeError(`The network returned no angle for picture ${image}.`, { stage: "postprocess" });
}

export const family: GazeFamily = {
  task: "gaze-detection",
  files: [],
  weights: "weights.onnx",
  resizeModes: null,
  describe(_contents, network) {
    requireImageInput(network.inputs, INPUT);
    requireAngles(network.outputs);
    return {
      plan: compileSmoothPlan({ ...INPUT, mode: "stretch", mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] }),
      classNames: [],
      maximumDynamicBatch: FACES_AT_ONCE,
      acceptsImageSize: false,
    };
  },
  decode: async (outputs, image) => ({ yaw: angle(outputs, 0, image), pitch: angle(outputs, 1, image) }),
};
