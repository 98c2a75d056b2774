/** Where the masks of instances lie in the outputs of a network, as data: read out of tensors here, or by a device where they are. */
import type { Tensor, TensorPort } from "../../engines/index.js";
import type { Size } from "../../imaging/index.js";
import type { NativeMasksLayout } from "../../native/index.js";
import type { MaskHead } from "../decoding/index.js";
import { obstacleOfType, readPart } from "./head.js";
import { floatData, formatDims, requireRank } from "./outputs.js";

export type MasksLayout = NativeMasksLayout;

/** @throws ModelRuntimeError when the outputs have other shapes than the layout says. */
export function readMasks(
  { planes, channels: place, coefficients }: MasksLayout,
  outputs: readonly Tensor[],
  image: number,
): Omit<MaskHead, "sigmoid"> {
  const first = place === "first";
  const { data, dims } = floatData(outputs, planes);
  const [, a = 0, b = 0, c = 0] = requireRank(dims, 4, first ? "[batch, channels, height, width]" : "[batch, height, width, channels]");
  const [channels, height, width] = first ? [a, b, c] : [c, a, b];
  const cells = width * height;
  const strides = first ? { candidateStride: 1, attributeStride: cells } : { candidateStride: channels, attributeStride: 1 };
  const part = coefficients === null ? null : readPart(outputs, image, coefficients);
  return {
    ...{ width, height, channels },
    planes: { data, offset: image * channels * cells, ...strides },
    coefficients: part === null ? null : { ...part.matrix, candidates: part.candidates },
  };
}

/** Cells of a mask; null where it is known only after a run. */
function fixedSize({ planes, channels }: MasksLayout, outputs: readonly TensorPort[]): Size | null {
  const { dims } = outputs[planes] ?? { dims: null };
  const [height, width] = (channels === "first" ? dims?.slice(2, 4) : dims?.slice(1, 3)) ?? [];
  return typeof height === "number" && typeof width === "number" ? { width, height } : null;
}

/** Of masks to which there is no obstacle. */
export function maskSize(layout: MasksLayout, outputs: readonly TensorPort[]): Size {
  return fixedSize(layout, outputs) as Size;
}

/** Why a device cannot make masks where the network leaves them; null: it can. */
export function obstacleToMasks(layout: MasksLayout, outputs: readonly TensorPort[]): string | null {
  const { planes, coefficients } = layout;
  const ofTypes = obstacleOfType(planes, outputs) ?? (coefficients === null ? null : obstacleOfType(coefficients.output, outputs));
  if (ofTypes !== null || fixedSize(layout, outputs) !== null) return ofTypes;
  const { name = "", dims = null } = outputs[planes] ?? {};
  return `masks of output ${planes} "${name}", ${formatDims(dims)}, have a size that varies, and where they lie in a picture depends on it`;
}
