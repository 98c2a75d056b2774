import { maskGeometry, type Geometry, type Size } from "../../imaging/index.js";
import type { MapPlacement } from "./types.js";

/** Where a map of this size, which covers the network's input, belongs in the picture. */
export function placementOf(geometry: Geometry, map: Size): MapPlacement {
  const { trim, resize, paste } = maskGeometry({ ...geometry, nonsquareIntermediateSize: null }, map);
  const { width, height } = paste === null ? resize : geometry.originalSize;
  return { trim, resize, canvas: { width, height, left: paste?.left ?? 0, top: paste?.top ?? 0 } };
}

/**
 * The class that each channel of a segmentation network stands for. A network may leave the background out: then its channels
 * are the other classes in order; one channel alone is the first of them.
 *
 * @param classes names in the class list, the background included.
 */
export function sourceChannelIds(channels: number, classes: number, background: number): Int32Array {
  if (channels === classes && channels > 1) return Int32Array.from({ length: channels }, (_, channel) => channel);
  return insertBackground(
    Int32Array.from({ length: channels }, (_, channel) => channel),
    background,
  );
}

/** Ids of a list without the background to ids of the list with it. */
export function insertBackground(ids: Int32Array, background: number): Int32Array {
  return ids.map((id) => (id >= background ? id + 1 : id));
}
