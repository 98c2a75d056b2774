/** Raw network outputs to boxes in network pixels. Two implementations of one interface run the same vectors. */

import type {
  NativeCandidateMatrix,
  NativeClassMap,
  NativeClassMapSettings,
  NativeDecodeSettings,
  NativeDenseHead,
  NativeDenseMap,
  NativeDetectionRows,
  NativeInstances,
  NativeKeyPointQueriesHead,
  NativeKeyPoints,
  NativeMapFilter,
  NativeMaskHead,
  NativeMaskRuns,
  NativeMaskSelection,
  NativeMaskTarget,
  NativePlacement,
  NativeQueriesHead,
  NativeRowsHead,
} from "../../native/index.js";

export type DenseHead = NativeDenseHead;
export type RowsHead = NativeRowsHead;
export type QueriesHead = NativeQueriesHead;
export type CandidateMatrix = NativeCandidateMatrix;
export type KeyPointQueriesHead = NativeKeyPointQueriesHead;
export type LocatedPoints = NativeKeyPoints;
export type LocatedInstances = NativeInstances;
export type DecodeSettings = NativeDecodeSettings;
export type DetectionRows = NativeDetectionRows;
export type MaskHead = NativeMaskHead;
export type MaskSelection = NativeMaskSelection;
export type MaskTarget = NativeMaskTarget;
export type MaskRuns = NativeMaskRuns;
export type DenseMap = NativeDenseMap;
export type MapPlacement = NativePlacement;
export type MapFilter = NativeMapFilter;
export type ClassMapSettings = NativeClassMapSettings;
export type ClassMap = NativeClassMap;

export interface DetectionDecoder {
  readonly name: "cpu" | "reference" | "cuda";
  /** One candidate per anchor: best class, threshold (strictly greater), NMS, limit. */
  decodeDense(head: DenseHead, settings: DecodeSettings): Promise<DetectionRows>;
  /** Rows that went through NMS in the graph: threshold and limit only, graph order. */
  decodeRows(head: RowsHead, settings: DecodeSettings): Promise<DetectionRows>;
  /** The best Q of all Q x C (query, class) pairs, then class mapping and threshold (strictly greater). */
  decodeQueries(head: QueriesHead, settings: DecodeSettings): Promise<DetectionRows>;
  nonMaximumSuppression(xyxy: Float32Array, scores: Float32Array, classIds: Int32Array, iouThreshold: number): Promise<Int32Array>;
}

export interface KeyPointDecoder {
  /** Points of RF-DETR's pairs of query and class whose fused score is above the threshold (strictly), best first. */
  decodeKeyPointQueries(head: KeyPointQueriesHead, settings: DecodeSettings): Promise<LocatedInstances>;
  /** Three numbers a point, as they stand behind the other attributes of the candidates `indices`. */
  gatherKeyPoints(attributes: CandidateMatrix, indices: Int32Array, slots: number): Promise<LocatedPoints>;
}

export interface MaskDecoder {
  /** Masks in the picture, each computed only where it can be: within its box, or its positive part. */
  decodeMasks(head: MaskHead, selection: MaskSelection, target: MaskTarget): Promise<MaskRuns>;
}

export interface MapDecoder {
  /**
   * Logits to the most probable class of every pixel of the picture. Pixels less sure than their threshold, beside the part that
   * the map covers, or given a class by an extension alone, are background with confidence 0.
   */
  makeClassMap(map: DenseMap, placement: MapPlacement, settings: ClassMapSettings): Promise<ClassMap>;
  /** The first channel in the picture; 0 beside the part that it covers. */
  makeValueMap(map: DenseMap, placement: MapPlacement, filter: MapFilter): Promise<Float32Array>;
}

/** Everything that families have decoded for them. */
export interface Decoder extends DetectionDecoder, KeyPointDecoder, MaskDecoder, MapDecoder {}
