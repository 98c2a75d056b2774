/** Maps that a device makes where the network leaves their planes, in the first output. */
import { DEVICE_MAP_PIXELS, type TensorPort } from "../../engines/index.js";
import type { Geometry } from "../../imaging/index.js";
import { placementOf, type MapPlacement } from "../decoding/index.js";
import { obstacleOfType } from "./head.js";
import { formatDims } from "./outputs.js";

interface FixedSize {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
}

/** Of `[batch, channels, height, width]` or `[batch, height, width]`; null where it is known only after a run. */
function fixedSize([output]: readonly TensorPort[]): FixedSize | null {
  const { dims = null } = output ?? {};
  const [channels, height, width] = dims?.length === 3 ? [1, dims[1], dims[2]] : (dims?.slice(1) ?? []);
  return typeof channels === "number" && typeof height === "number" && typeof width === "number" ? { channels, height, width } : null;
}

/** Why a device cannot make maps of the first output; null: it can. */
export function obstacleToMap(outputs: readonly TensorPort[]): string | null {
  const ofType = obstacleOfType(0, outputs);
  if (ofType !== null || fixedSize(outputs) !== null) return ofType;
  const { name = "", dims = null } = outputs[0] ?? {};
  return `output 0 "${name}", ${formatDims(dims)}, has a size that varies, and where it lies in a picture depends on it`;
}

/** Of outputs to which there is no obstacle. */
export function placeMaps(outputs: readonly TensorPort[], pictures: readonly Geometry[]) {
  const size = fixedSize(outputs) as FixedSize;
  return { channels: size.channels, placements: pictures.map((geometry) => placementOf(geometry, size)) };
}

export function fitsOnDevice(placements: readonly MapPlacement[]): boolean {
  return placements.reduce((pixels, { canvas }) => pixels + canvas.width * canvas.height, 0) <= DEVICE_MAP_PIXELS;
}
