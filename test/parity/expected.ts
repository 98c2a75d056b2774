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

export interface ExpectedCase {
  readonly id: string;
  readonly images: readonly string[];
  readonly input: { readonly kind: string; readonly colour: "bgr" | "rgb" };
  readonly init: {
    readonly recommended_parameters?: {
      readonly confidence: number | null;
      readonly per_class_confidence: Readonly<Record<string, number>> | null;
    };
  };
  readonly kwargs: Readonly<Record<string, unknown>>;
  readonly stage: string;
  readonly predictions: readonly ExpectedDetections[];
  readonly threshold_margin: number | null;
}

export interface ExpectedStage {
  readonly id: string;
  readonly images: readonly string[];
  readonly colour: "bgr" | "rgb";
  readonly pre_process: TensorSummary;
  readonly pre_process_metadata: readonly unknown[];
}

export interface ExpectedPackage {
  readonly package: string;
  readonly task_type: string;
  readonly class_names: readonly string[];
  readonly stages: readonly ExpectedStage[];
  readonly cases: readonly ExpectedCase[];
}
