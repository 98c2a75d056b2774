/** Where the key points of instances lie in the outputs of a network, as data: read out of tensors here, or by a device where they are. */
import type { DetectionRequest, Tensor, TensorPort } from "../../engines/index.js";
import type { Geometry } from "../../imaging/index.js";
import type { Decoder, DecodeSettings, LocatedInstances } from "../decoding/index.js";
import {
  decodeHead,
  obstacleOfType,
  obstacleToDevice,
  readHead,
  readPart,
  readQueries,
  type HeadLayout,
  type HeadPart,
  type QueriesLayout,
} from "./head.js";
import { floatData, requireRank, wrongNetwork } from "./outputs.js";

/** Among the attributes of each candidate: x, y and confidence for each slot. */
export interface CandidatePoints {
  readonly kind: "candidates";
  readonly head: HeadLayout;
  readonly points: HeadPart;
}

/** Queries whose points say how precisely they are known, which has a part in scores. */
export interface QueryPoints {
  readonly kind: "queries";
  readonly queries: QueriesLayout;
  /** Index of the output `[batch, queries, classes x slots, 7 or more]`. */
  readonly points: number;
}

export type PointsLayout = CandidatePoints | QueryPoints;

export const QUERY_POINTS_MEANING = "key points [batch, queries, classes x slots, 7 or more]";
const LEAST_NUMBERS = 7;

/** @throws CorruptedModelPackageError; null is a size that varies. */
export function checkQueryPoints(rows: number | null, columns: number | null, slots: number, numbers: number | null): void {
  if (rows !== null && columns !== null && rows !== columns * slots)
    throw wrongNetwork(`The network has ${rows} rows of key points; ${columns} class columns of ${slots} points were expected.`);
  if (numbers !== null && numbers < LEAST_NUMBERS)
    throw wrongNetwork(`The network has ${numbers} numbers a key point; at least ${LEAST_NUMBERS} were expected.`);
}

/** What of a picture's geometry points depend on. */
export type PointsGeometry = Pick<Geometry, "nonsquareIntermediateSize" | "inferenceSize" | "scaleWidth" | "scaleHeight">;

/** What the fraction 1 is in a picture: in positions where the network sees them, in covariances in the picture itself. */
function scaleOf({ nonsquareIntermediateSize, inferenceSize, scaleWidth, scaleHeight }: PointsGeometry) {
  const size = nonsquareIntermediateSize ?? inferenceSize;
  return { size, covarianceSize: { width: size.width / scaleWidth, height: size.height / scaleHeight } };
}

/** Instances of one picture with their points, still where the network sees them; covariances in the picture. */
export async function locateInstances(
  layout: PointsLayout,
  slots: number,
  outputs: readonly Tensor[],
  image: number,
  geometry: PointsGeometry,
  settings: DecodeSettings,
  decoder: Decoder,
): Promise<LocatedInstances> {
  if (layout.kind === "candidates") {
    const rows = await decodeHead(readHead(layout.head, outputs, image), settings, decoder);
    const { matrix, candidates } = readPart(outputs, image, layout.points);
    return { rows, keyPoints: await decoder.gatherKeyPoints({ ...matrix, candidates }, rows.indices, slots) };
  }
  const head = readQueries(layout.queries, outputs, image);
  const points = floatData(outputs, layout.points);
  const [, , rows = 0, numbers = 0] = requireRank(points.dims, 4, QUERY_POINTS_MEANING);
  checkQueryPoints(rows, head.classes, slots, numbers);
  const pointsOffset = image * head.queries * rows * numbers;
  return decoder.decodeKeyPointQueries({ ...head, points: points.data, pointsOffset, slots, numbers, ...scaleOf(geometry) }, settings);
}

/** Why a device cannot read key points where the network leaves them; null: it can. */
export function obstacleToPoints(layout: PointsLayout, outputs: readonly TensorPort[]): string | null {
  if (layout.kind === "candidates") return obstacleToDevice(layout.head, outputs) ?? obstacleOfType(layout.points.output, outputs);
  return obstacleToDevice(layout.queries, outputs) ?? obstacleOfType(layout.points, outputs);
}

/** What the device is to make of pictures, to which there is no obstacle. */
export function pointsRequest(
  layout: PointsLayout,
  slots: number,
  pictures: readonly PointsGeometry[],
  settings: DecodeSettings,
): Omit<DetectionRequest, "pictures"> {
  if (layout.kind === "candidates") return { head: layout.head, settings, keyPoints: { ...layout.points, slots } };
  const { queries, points } = layout;
  return { head: { ...queries, kind: "key-point-queries", points, slots, scales: pictures.map(scaleOf) }, settings };
}
