/** What a fixture folder says the reference answered. */

export interface TensorSummary {
  readonly shape: readonly number[];
  readonly dtype: string;
  readonly sample_flat_index: readonly number[];
  readonly sample_value: readonly number[];
}

export interface ExpectedDetections {
  readonly xyxy: readonly (readonly number[])[];
  readonly xyxy_unrounded: readonly (readonly number[])[];
  readonly confidence: readonly number[];
  readonly class_id: readonly number[];
  readonly class_name: readonly string[];
}

export interface ExpectedInstances extends ExpectedDetections {
  readonly masks: readonly {
    readonly size: readonly [height: number, width: number];
    /** Runs of COCO, not compressed. */
    readonly counts: readonly number[];
  }[];
}

export interface ExpectedKeyPoints extends ExpectedDetections {
  /** `[instances][slots]`, x and y. */
  readonly keypoints_xy: readonly (readonly (readonly number[])[])[];
  readonly keypoints_xy_unrounded: readonly (readonly (readonly number[])[])[];
  readonly keypoints_confidence: readonly (readonly number[])[];
}

export interface ExpectedClassification {
  readonly class_id: number;
  readonly class_name: string;
  /** Of every class. */
  readonly confidence: readonly number[];
}

export interface ExpectedMultiLabel {
  readonly class_ids: readonly number[];
  readonly class_names: readonly string[];
  /** Of every class. */
  readonly confidence: readonly number[];
}

export interface ExpectedSegmentation {
  readonly size: readonly [height: number, width: number];
  /** Row-major: class, run, class, run, ... */
  readonly segmentation_map_rle: readonly number[];
  readonly confidence: TensorSummary;
}

export interface ExpectedCase<Prediction = ExpectedDetections> {
  readonly id: string;
  readonly images: readonly string[];
  readonly input: { readonly kind: string; readonly colour: "bgr" | "rgb" };
  /** Arguments of the reference's `from_pretrained`. */
  readonly init: Readonly<Record<string, unknown>>;
  /** Arguments of its call. */
  readonly kwargs: Readonly<Record<string, unknown>>;
  readonly stage: string;
  readonly predictions: readonly Prediction[];
  /** Distance of the closest candidate's score from the threshold. */
  readonly threshold_margin?: number | null;
}

export interface ExpectedStage {
  readonly id: string;
  readonly pre_process: TensorSummary;
  /** Missing for tasks whose results do not go back to the picture. */
  readonly pre_process_metadata?: readonly unknown[];
}

export interface ExpectedPackage {
  readonly package: string;
  readonly task_type: string;
  readonly class_names: readonly string[];
  readonly stages: readonly ExpectedStage[];
  readonly cases: readonly ExpectedCase[];
}

/** An integer where Python distinguishes it from the float of the same value. */
export interface PythonInteger {
  readonly python_int: number;
}

/**
 * Reads an expectation file; null when it is about something else than a package's predictions. Python takes a confidence that is
 * no float for one that was not given, so `1` must not read like `1.0`, as JSON.parse would have it.
 */
export function parseExpected(text: string): ExpectedPackage | null {
  const marked = text.replace(
    /("kwargs"\s*:\s*\{(?:[^{}]|\{[^{}]*\})*?"confidence"\s*:\s*)(-?\d+)(?=\s*[,}])/g,
    (_all, before: string, digits: string) => `${before}{"python_int":${digits}}`,
  );
  const expected = JSON.parse(marked) as Partial<ExpectedPackage>;
  return Array.isArray(expected.cases) && Array.isArray(expected.stages) ? (expected as ExpectedPackage) : null;
}
