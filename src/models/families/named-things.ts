/** What networks share that find what is named: how words go in, and what becomes of boxes that are sure enough. */
import type { Tensor, TensorPort } from "../../engines/index.js";
import type { Size } from "../../imaging/index.js";
import type { DetectionData } from "../../results/index.js";
import type { Decoder } from "../decoding/index.js";
import type { DetectionColumns, ResolvedOpenVocabularyOptions } from "../family.js";
import { formatDims, wrongNetwork } from "./outputs.js";

const { fround } = Math;

/** A fixed size, or null. */
export const fixed = (dim: number | string | undefined): number | null => (typeof dim === "number" ? dim : null);

/** @param remedy how to export the network. @throws CorruptedModelPackageError */
export function requirePort(ports: readonly TensorPort[], name: string, what: "input" | "output", remedy: string): number {
  const index = ports.findIndex((port) => port.name === name);
  if (index >= 0) return index;
  const found = ports.map((port) => `"${port.name}"`).join(", ");
  throw wrongNetwork(`The network has no ${what} "${name}" but ${found}. ${remedy}`);
}

/** @throws CorruptedModelPackageError for ports that whole numbers do not fit into. */
export function requireIntegers({ name, dims, type }: TensorPort, rank: number, meaning: string): void {
  if (dims?.length !== rank) throw wrongNetwork(`Input "${name}" has shape ${formatDims(dims)}; expected ${meaning}.`);
  if (type !== "int64" && type !== "int32")
    throw wrongNetwork(`Input "${name}" takes ${String(type)}; ${meaning} is handed over as int32 or int64.`);
}

export function integerTensor({ type }: TensorPort, dims: readonly number[], values: Int32Array): Tensor {
  return type === "int32" ? { type, dims, data: values } : { type: "int64", dims, data: BigInt64Array.from(values, BigInt) };
}

/** Boxes whose best class is sure enough. */
export interface Found {
  /** float32 `[n, 4]` corners, pixels. */
  readonly xyxy: Float32Array;
  readonly scores: Float32Array;
  readonly classIds: Int32Array;
  readonly data?: readonly DetectionData[];
}

/** Centre and size as fractions of an area to corners in its pixels, in float32. */
export function cornersOf(data: Float32Array, start: number, { width, height }: Size): readonly number[] {
  const [x = 0, y = 0, boxWidth = 0, boxHeight = 0] = data.subarray(start, start + 4);
  const [halfWidth, halfHeight] = [fround(0.5 * boxWidth), fround(0.5 * boxHeight)];
  return [
    fround(fround(x - halfWidth) * width),
    fround(fround(y - halfHeight) * height),
    fround(fround(x + halfWidth) * width),
    fround(fround(y + halfHeight) * height),
  ];
}

/** Non-maximum suppression and the limit; the surest first. @param whole from an edge to a whole pixel. */
export async function keepBest(
  { xyxy, scores, classIds, data }: Found,
  { iouThreshold, maxDetections, classAgnosticNms, rounding }: ResolvedOpenVocabularyOptions,
  whole: (edge: number) => number,
  decoder: Decoder,
): Promise<DetectionColumns> {
  const rivals = classAgnosticNms ? new Int32Array(classIds.length) : classIds;
  const kept = (await decoder.nonMaximumSuppression(xyxy, scores, rivals, iouThreshold ?? 1)).subarray(0, maxDetections ?? undefined);
  const corners = new Float32Array(kept.length * 4);
  kept.forEach((row, index) => corners.set(xyxy.subarray(row * 4, row * 4 + 4), index * 4));
  return {
    xyxy: rounding === "none" ? corners : Int32Array.from(corners, whole),
    classId: Int32Array.from(kept, (row) => classIds[row] ?? 0),
    confidence: Float32Array.from(kept, (row) => scores[row] ?? 0),
    ...(data === undefined ? {} : { data: Array.from(kept, (row) => data[row] ?? {}) }),
  };
}
