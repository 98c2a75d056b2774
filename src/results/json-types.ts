/**
 * Results as JSON: what `toJSON()` gives, with names in snake_case, and the layout of Roboflow's hosted API (`toRoboflowJson()`), whose boxes
 * are given by their centre. Numbers mean what they mean in the results.
 */
import type { CocoRle } from "./masks/coco.js";
import type { DetectionData, ServedBy, TextLine, Timings } from "./types.js";

export interface ImageJson {
  readonly width: number;
  readonly height: number;
  readonly source?: string;
  readonly exif_orientation: number;
  readonly orientation_applied: boolean;
}

export interface DetectionJson {
  readonly class: string;
  readonly class_id: number;
  readonly confidence: number;
  readonly x1: number;
  readonly y1: number;
  readonly x2: number;
  readonly y2: number;
  readonly tracker_id?: number;
  readonly data?: DetectionData;
}

export interface ProvenanceJson {
  readonly image: ImageJson;
  readonly served_by: ServedBy | null;
  readonly timings: Timings | null;
  readonly metadata?: Readonly<Record<string, unknown>>;
}

export interface DetectionsJson extends ProvenanceJson {
  readonly kind: "detections";
  readonly detections: readonly DetectionJson[];
}

export interface InstanceDetectionsJson extends ProvenanceJson {
  readonly kind: "instance-detections";
  readonly detections: readonly (DetectionJson & { readonly mask: CocoRle })[];
}

export interface CocoAnnotation {
  readonly category_id: number;
  readonly bbox: readonly [x: number, y: number, width: number, height: number];
  /** Pixels of the mask. */
  readonly area: number;
  readonly segmentation: CocoRle;
  readonly iscrowd: 0;
  readonly score: number;
}

export interface KeyPointJson {
  readonly name: string;
  readonly x: number;
  readonly y: number;
  readonly confidence: number;
}

export interface KeyPointsJson extends ProvenanceJson {
  readonly kind: "key-points";
  /** Points that are not visible are left out. */
  readonly instances: readonly (DetectionJson & { readonly key_points: readonly KeyPointJson[] })[];
}

export interface RoboflowPredictionJson {
  /** Centre of the box. */
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly confidence: number;
  readonly class: string;
  readonly class_id: number;
}

export interface RoboflowDetectionsJson {
  readonly image: { readonly width: number; readonly height: number };
  readonly predictions: readonly RoboflowPredictionJson[];
}

export interface RoboflowKeyPointsJson {
  readonly image: { readonly width: number; readonly height: number };
  readonly predictions: readonly (RoboflowPredictionJson & {
    readonly keypoints: readonly {
      readonly x: number;
      readonly y: number;
      readonly confidence: number;
      readonly class: string;
      readonly class_id: number;
    }[];
  })[];
}

export interface RoboflowInstancesJson {
  readonly image: { readonly width: number; readonly height: number };
  readonly predictions: readonly (RoboflowPredictionJson & {
    readonly points: readonly { readonly x: number; readonly y: number }[];
  })[];
}

export interface ClassScoreJson {
  readonly class: string;
  readonly class_id: number;
  readonly confidence: number;
}

export interface ClassificationJson extends ProvenanceJson, ClassScoreJson {
  readonly kind: "classification";
  /** Every class, best first. */
  readonly predictions: readonly ClassScoreJson[];
}

export interface MultiLabelClassificationJson extends ProvenanceJson {
  readonly kind: "multi-label-classification";
  readonly labels: readonly ClassScoreJson[];
  /** Every class, by id. */
  readonly predictions: readonly ClassScoreJson[];
}

export interface SemanticSegmentationJson extends ProvenanceJson {
  readonly kind: "semantic-segmentation";
  readonly background_id: number;
  /** Those that have pixels. */
  readonly classes: readonly { readonly class: string; readonly class_id: number; readonly pixels: number }[];
  /** The class map row by row, as runs: class id, length, class id, length, ... Confidences are left out. */
  readonly class_map_runs: readonly number[];
}

export interface DepthMapJson extends ProvenanceJson {
  readonly kind: "depth";
  readonly unit: "meters" | "relative";
  readonly minimum: number;
  readonly maximum: number;
  /** The values row by row, float32, little endian. */
  readonly values_base64: string;
}

export interface TextResultJson extends ProvenanceJson {
  readonly kind: "text";
  readonly text: string;
  readonly lines: readonly TextLine[];
  readonly detections: readonly DetectionJson[] | null;
}

export interface GazeJson extends ProvenanceJson {
  readonly kind: "gaze";
  readonly yaw: number;
  readonly pitch: number;
}

export interface PromptedMasksJson extends ProvenanceJson {
  readonly kind: "prompted-masks";
  readonly prompts: number;
  readonly masks: readonly { readonly prompt: number; readonly score: number; readonly mask: CocoRle }[];
}

export interface EmbeddingJson extends ProvenanceJson {
  readonly kind: "embedding";
  readonly vector: readonly number[];
}

export interface RoboflowClassificationJson {
  readonly image: { readonly width: number; readonly height: number };
  readonly predictions: readonly ClassScoreJson[];
  readonly top: string;
  readonly confidence: number;
}

export interface RoboflowMultiLabelClassificationJson {
  readonly image: { readonly width: number; readonly height: number };
  /** By class name. */
  readonly predictions: Readonly<Record<string, { readonly confidence: number; readonly class_id: number }>>;
  readonly predicted_classes: readonly string[];
}
