import { callNative, type NativeAddon } from "../../native/index.js";
import type { Decoder } from "./types.js";

/** Decoding in the addon. Large heads in the addon's own memory (network outputs) are decoded on another thread, in place. */
export function cpuDecoder(addon: NativeAddon): Decoder {
  return {
    name: "cpu",
    decodeDense: (head, settings) => callNative(() => addon.decodeDense(head, settings)),
    decodeRows: (head, settings) => callNative(() => addon.decodeRows(head, settings)),
    decodeQueries: (head, settings) => callNative(() => addon.decodeQueries(head, settings)),
    decodeKeyPointQueries: (head, settings) => callNative(() => addon.decodeKeyPointQueries(head, settings)),
    gatherKeyPoints: (attributes, indices, slots) => callNative(() => addon.gatherKeyPoints(attributes, indices, slots)),
    decodeMasks: (head, selection, target) => callNative(() => addon.decodeMasks(head, selection, target)),
    nonMaximumSuppression: (xyxy, scores, classIds, iouThreshold) =>
      callNative(() => addon.nonMaximumSuppression(xyxy, scores, classIds, iouThreshold)),
    makeClassMap: (map, placement, settings) => callNative(() => addon.makeClassMap(map, placement, settings)),
    makeValueMap: (map, placement, filter) => callNative(() => addon.makeValueMap(map, placement, filter)),
  };
}
