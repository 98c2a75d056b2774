/**
 * What predictions return: columns of typed arrays, one result per picture. Everything here is structural, so that a model
 * of one's own may return objects it made itself; {@link createDetections} and {@link createKeyPoints} make checked ones.
 *
 * Coordinates are pixels of the picture as delivered to the model (upright when its EXIF orientation was applied): origin
 * top-left, x right, y down, `x2` and `y2` exclusive, so a width is `x2 - x1`. The best detection stands first.
 */

import type {
  ClassificationJson,
  CocoAnnotation,
  DepthMapJson,
  DetectionsJson,
  EmbeddingJson,
  GazeJson,
  InstanceDetectionsJson,
  KeyPointsJson,
  MultiLabelClassificationJson,
  PromptedMasksJson,
  RoboflowClassificationJson,
  RoboflowDetectionsJson,
  RoboflowInstancesJson,
  RoboflowKeyPointsJson,
  RoboflowMultiLabelClassificationJson,
  SemanticSegmentationJson,
  TextResultJson,
} from "./json-types.js";
import type { Mask, Masks } from "./masks/types.js";

export type * from "./json-types.js";

/** The picture a result belongs to. */
export interface ImageInfo {
  /** Pixels, after the EXIF orientation was applied if it was. */
  readonly width: number;
  readonly height: number;
  /** Path or URL, when the caller gave one. */
  readonly source?: string;
  /** EXIF orientation found in the file, 1..8; 1 when there is none or the pixels came raw. */
  readonly exifOrientation: number;
  /** Whether the pixels were turned upright because of it; coordinates refer to the picture after that. */
  readonly orientationApplied: boolean;
}

/** Which package, engine and code produced a result. */
export interface ServedBy {
  readonly modelId: string;
  readonly packageId: string;
  readonly architecture: string;
  readonly backend: string;
  readonly engine: string;
  readonly engineVersion: string;
  readonly preprocessExecutor: string;
  readonly decodeExecutor: string;
  /** "cpu", "cuda:0", ... */
  readonly device: string;
}

/** Wall-clock milliseconds. Pictures that went through a stage together share its time. */
export interface Timings {
  /** File to pixels; 0 for raw pixels. */
  readonly decodeImageMs: number;
  readonly preprocessMs: number;
  readonly inferenceMs: number;
  readonly postprocessMs: number;
  /** From the call to the result, waiting included. */
  readonly totalMs: number;
}

/** Where a result comes from; null when the model does not say. */
export interface Provenance {
  readonly servedBy: ServedBy | null;
  readonly timings: Timings | null;
}

export interface ResultBase<Kind extends string> extends Provenance {
  readonly kind: Kind;
  readonly image: ImageInfo;
  /** What the family has to say about the picture as a whole; empty for most. */
  readonly metadata: Readonly<Record<string, unknown>>;
}

/** What a family says about one detection, e.g. the `text` of a text detector. `trackerId` is read by {@link Detection}. */
export type DetectionData = Readonly<Record<string, unknown>>;

export interface Box {
  readonly x1: number;
  readonly y1: number;
  readonly x2: number;
  readonly y2: number;
  readonly width: number;
  readonly height: number;
  readonly centerX: number;
  readonly centerY: number;
}

/** One row of {@link Detections}, made on demand. */
export interface Detection {
  readonly index: number;
  readonly box: Box;
  readonly classId: number;
  /** "" when the id has no name. */
  readonly className: string;
  /** 0..1. */
  readonly confidence: number;
  /** `data.trackerId` where a tracker wrote one. */
  readonly trackerId: number | null;
  readonly data: DetectionData;
}

export interface Detections extends ResultBase<"detections">, Iterable<Detection> {
  readonly length: number;
  /** Indexed by class id. */
  readonly classNames: readonly string[];
  /** `[length, 4]`: x1, y1, x2, y2. Whole pixels unless sub-pixel boxes were asked for (`rounding: "none"`) or the task is text detection. */
  readonly xyxy: Int32Array | Float32Array;
  /** `[length]`. */
  readonly classId: Int32Array;
  /** `[length]`, 0..1. */
  readonly confidence: Float32Array;
  /** One object per row, or null when the family has nothing to say. */
  readonly data: readonly DetectionData[] | null;
  /** A row; negative indices count from the end. */
  at(index: number): Detection | undefined;
  /** The rows that pass, in their order, renumbered. */
  filter(keep: (detection: Detection) => boolean): Detections;
  /** Rows `start` (inclusive) to `end` (exclusive); negative numbers count from the end, as in Array. */
  slice(start?: number, end?: number): Detections;
  toJSON(): DetectionsJson;
  /** The layout of Roboflow's hosted API: box centres and sizes. */
  toRoboflowJson(): RoboflowDetectionsJson;
}

/** One row of {@link InstanceDetections}, made on demand. */
export interface Instance extends Detection {
  readonly mask: Mask;
}

/** As {@link Detections}, and a mask for each row. */
export interface InstanceDetections
  extends
    ResultBase<"instance-detections">,
    Iterable<Instance>,
    Pick<Detections, "length" | "classNames" | "xyxy" | "classId" | "confidence" | "data"> {
  /** The same rows without their masks. */
  readonly detections: Detections;
  /** Row i is the mask of row i; every mask has the size of the picture. */
  readonly masks: Masks;
  /** A row; negative indices count from the end. */
  at(index: number): Instance | undefined;
  /** The rows that pass, in their order, renumbered. */
  filter(keep: (instance: Instance) => boolean): InstanceDetections;
  /** Rows `start` (inclusive) to `end` (exclusive); negative numbers count from the end, as in Array. */
  slice(start?: number, end?: number): InstanceDetections;
  /** Masks as COCO's run lengths. */
  toJSON(): InstanceDetectionsJson;
  /** The layout of Roboflow's hosted API: box centres and sizes, and the outline of the largest part of each mask. */
  toRoboflowJson(): RoboflowInstancesJson;
  /** Rows as COCO's annotations, without ids of pictures and annotations, which only the caller knows. */
  toCoco(): CocoAnnotation[];
}

/** What the points of a class are called and which of them belong together. */
export interface KeyPointClass {
  readonly name: string;
  readonly points: readonly string[];
  /** Pairs of indices into `points`. */
  readonly edges: readonly (readonly [number, number])[];
}

export interface KeyPoint {
  readonly index: number;
  /** "" when the slot has no name. */
  readonly name: string;
  readonly x: number;
  readonly y: number;
  /** 0..1; 0 = not visible. */
  readonly confidence: number;
  readonly visible: boolean;
}

/** One instance of {@link KeyPoints}, made on demand. */
export interface KeyPointInstance {
  readonly index: number;
  readonly detection: Detection;
  /** The points its class has; slots that only other classes use are left out. */
  readonly points: readonly KeyPoint[];
}

export interface KeyPoints extends ResultBase<"key-points">, Iterable<KeyPointInstance> {
  /** Instances, not points. */
  readonly length: number;
  /** Points per instance: the largest number over all classes. */
  readonly slots: number;
  /** `[length, slots, 2]`: x, y. (0, 0) where a point is not visible, but that can be a position too: ask `isVisible`. May lie outside the picture. */
  readonly xy: Int32Array | Float32Array;
  /** `[length, slots]`, 0..1; 0 = not visible. */
  readonly confidence: Float32Array;
  /** Row i is the box of instance i. */
  readonly detections: Detections;
  /** Indexed by class id. */
  readonly classes: readonly KeyPointClass[];
  /** `[length, slots, 2, 2]`, pixels squared, NaN where unknown; null for families without. */
  readonly covariance: Float32Array | null;
  isVisible(instance: number, point: number): boolean;
  /** An instance; negative indices count from the end. */
  at(index: number): KeyPointInstance | undefined;
  filter(keep: (instance: KeyPointInstance) => boolean): KeyPoints;
  toJSON(): KeyPointsJson;
  toRoboflowJson(): RoboflowKeyPointsJson;
}

/** A class and how sure the network is of it. */
export interface ClassScore {
  readonly classId: number;
  /** "" when the id has no name. */
  readonly className: string;
  /** 0..1. */
  readonly confidence: number;
}

/** One label for a picture. */
export interface Classification extends ResultBase<"classification">, ClassScore {
  readonly classNames: readonly string[];
  /** `[classes]`, by class id; they add up to 1. */
  readonly probabilities: Float32Array;
  /** The `count` most probable classes, best first. */
  top(count: number): readonly ClassScore[];
  toJSON(): ClassificationJson;
  toRoboflowJson(): RoboflowClassificationJson;
}

/** Any number of labels for a picture. */
export interface MultiLabelClassification extends ResultBase<"multi-label-classification"> {
  /** Classes at or above their threshold, ascending. */
  readonly classIds: Int32Array;
  readonly classNames: readonly string[];
  /** `[classes]`, by class id: of every class, also of those below the threshold. */
  readonly probabilities: Float32Array;
  /** The classes of `classIds` with their names. */
  readonly labels: readonly ClassScore[];
  /** The `count` most probable classes, best first, whatever the threshold says. */
  top(count: number): readonly ClassScore[];
  toJSON(): MultiLabelClassificationJson;
  toRoboflowJson(): RoboflowMultiLabelClassificationJson;
}

/** One class for every pixel of the picture. */
export interface SemanticSegmentation extends ResultBase<"semantic-segmentation"> {
  /** Those of the picture, pixels. */
  readonly width: number;
  readonly height: number;
  /** `[height, width]`: class id of every pixel. 16 bits where there are more than 256 classes. */
  readonly classMap: Uint8Array | Uint16Array;
  /** `[height, width]`, 0..1; 0 where no class reached its threshold, which makes a pixel background. */
  readonly confidence: Float32Array;
  readonly backgroundId: number;
  /** Indexed by class id, the background included. */
  readonly classNames: readonly string[];
  /** Class id of a pixel; undefined outside the picture. */
  classAt(x: number, y: number): number | undefined;
  /** How many pixels each class has, by class id. */
  pixelsPerClass(): Uint32Array;
  /** `[height, width]`: 1 where the pixel is of this class, else 0. */
  mask(classId: number): Uint8Array;
  toJSON(): SemanticSegmentationJson;
}

/** One distance for every pixel of the picture. */
export interface DepthMap extends ResultBase<"depth"> {
  /** Those of the picture, pixels. */
  readonly width: number;
  readonly height: number;
  /** `[height, width]`, in `unit`; 0 where a static crop of the package left the picture out. */
  readonly values: Float32Array;
  /** `relative`: only comparable within the picture, near pixels have large values. */
  readonly unit: "meters" | "relative";
  /** Value of a pixel; undefined outside the picture. */
  at(x: number, y: number): number | undefined;
  /** Least and greatest value; NaN is passed over. */
  range(): { readonly minimum: number; readonly maximum: number };
  toJSON(): DepthMapJson;
}

export interface TextLine {
  readonly text: string;
  /** Mean over its characters, 0..1; 0 for an empty text. */
  readonly confidence: number;
}

/** The text of a picture. */
export interface TextResult extends ResultBase<"text"> {
  /** All of it: regions of one line joined by blanks, lines by line feeds. "" when nothing was read. */
  readonly text: string;
  /** One for each region, in reading order; the picture itself when it is a single line. Empty when nothing reads. */
  readonly lines: readonly TextLine[];
  /** Where the regions are, row by row those of `lines`; null when the picture is a single line. */
  readonly detections: Detections | null;
  toJSON(): TextResultJson;
}

/** Where the face in a picture looks, radians. */
export interface Gaze extends ResultBase<"gaze"> {
  /** To the side; by the networks' convention negative is to the left. */
  readonly yaw: number;
  /** Up and down; by the networks' convention negative is up. */
  readonly pitch: number;
  readonly degrees: { readonly yaw: number; readonly pitch: number };
  toJSON(): GazeJson;
}

/** A picture as a point in a space where pictures and texts of like content lie in like directions. */
export interface Embedding extends ResultBase<"embedding"> {
  /** float32 `[dimensions]` as the network gives it: not normalised. */
  readonly vector: Float32Array;
  readonly dimensions: number;
  toJSON(): EmbeddingJson;
}

/** What a network makes of a mask before it becomes pixels of the picture: above 0 is inside. */
export interface MaskLogits {
  /** float32 `[height, width]`. */
  readonly data: Float32Array;
  readonly width: number;
  readonly height: number;
}

/** One row of {@link PromptedMasks}, made on demand. */
export interface PromptedMask {
  readonly index: number;
  /** Which prompt asked for it. */
  readonly prompt: number;
  /** How well the network believes the mask to fit: its guess of the intersection over union. */
  readonly score: number;
  readonly mask: Mask;
  /** To refine the mask: the `mask` of a later prompt. A view. */
  readonly logits: MaskLogits;
}

/** Masks that prompts asked for, prompt by prompt; of each, several where the network offers a choice. */
export interface PromptedMasks extends ResultBase<"prompted-masks">, Iterable<PromptedMask> {
  /** Number of masks: `prompts * masksPerPrompt`. */
  readonly length: number;
  readonly prompts: number;
  readonly masksPerPrompt: number;
  readonly masks: Masks;
  /** float32 `[prompts, masksPerPrompt]`. */
  readonly scores: Float32Array;
  /** float32 `[prompts, masksPerPrompt, logitsHeight, logitsWidth]`. */
  readonly logits: Float32Array;
  readonly logitsWidth: number;
  readonly logitsHeight: number;
  /** Negative indices count from the end. */
  at(index: number): PromptedMask | undefined;
  /** The mask of a prompt (default the first) with the highest score. */
  best(prompt?: number): PromptedMask | undefined;
  /** Without the logits. */
  toJSON(): PromptedMasksJson;
}

/** Every kind of result there is; narrow by `kind`. */
export type Result =
  | Detections
  | InstanceDetections
  | KeyPoints
  | Classification
  | MultiLabelClassification
  | SemanticSegmentation
  | DepthMap
  | TextResult
  | Gaze
  | Embedding
  | PromptedMasks;

/** Several pictures or texts as points of one space, in the order of the call. */
export interface Embeddings {
  readonly kind: "embeddings";
  readonly length: number;
  readonly dimensions: number;
  /** float32 `[length, dimensions]` as the network gives it: not normalised. */
  readonly values: Float32Array;
  /** Row of one picture or text, a view; negative indices count from the end. */
  at(index: number): Float32Array | undefined;
}

/** How alike each of some embeddings is to each of others. */
export interface SimilarityMatrix {
  readonly rows: number;
  readonly columns: number;
  /** float32 `[rows, columns]`, cosines: 1 for the same direction, 0 for nothing in common, -1 for opposite ones. */
  readonly values: Float32Array;
  /** undefined outside. */
  at(row: number, column: number): number | undefined;
}
