/** What a package folder says about itself, parsed and checked. Wire names are snake_case and stop at this room's border. */

import type { ColorFormat, ContrastKind, Size } from "../imaging/types.js";
import type { BackendType } from "./kinds.js";

export interface FileContext {
  /** File the text came from, for messages. */
  readonly path: string;
}

export type ResizeMode = "stretch" | "letterbox" | "center-crop" | "fit-longer-edge" | "letterbox-reflect-edges";

export interface InferenceConfig {
  readonly imagePreProcessing: {
    readonly autoOrient: { readonly enabled: boolean } | null;
    /** Percent of the picture's sides, 0..100. */
    readonly staticCrop: {
      readonly enabled: boolean;
      readonly xMin: number;
      readonly xMax: number;
      readonly yMin: number;
      readonly yMax: number;
    } | null;
    readonly contrast: { readonly enabled: boolean; readonly type: ContrastKind } | null;
    readonly grayscale: { readonly enabled: boolean } | null;
  };
  readonly networkInput: {
    readonly trainingInputSize: Size;
    readonly datasetVersionResizeDimensions: Size | null;
    readonly dynamicSpatialSize:
      | { readonly kind: "fixed" }
      | { readonly kind: "divisible"; readonly by: number }
      | { readonly kind: "any" }
      | { readonly kind: "unspecified" };
    readonly colorMode: ColorFormat;
    /** After the family's substitution. */
    readonly resizeMode: ResizeMode;
    /** null counts as 0. */
    readonly paddingValue: number | null;
    readonly inputChannels: number;
    readonly scalingFactor: number | null;
    readonly normalization: { readonly mean: readonly number[]; readonly std: readonly number[] } | null;
  };
  readonly forwardPass: { readonly staticBatchSize: number | null; readonly maxDynamicBatchSize: number | null };
  readonly postProcessing:
    | {
        readonly type: "nms";
        readonly fused: boolean;
        /** What was baked into a fused graph; never used to configure NMS. */
        readonly nmsParameters: {
          readonly maxDetections: number;
          readonly confidenceThreshold: number;
          readonly iouThreshold: number;
          readonly classAgnostic: boolean;
        } | null;
      }
    | { readonly type: "softmax" | "sigmoid"; readonly fused: boolean }
    | null;
  readonly modelInitialization: Readonly<Record<string, unknown>> | null;
  readonly classNamesOperations: readonly { readonly type: "class_name_removal"; readonly className: string }[];
}

/** What a family allows in `network_input.resize_mode`, and what it puts in place of a mode it cannot run. */
export interface ResizeModeRules {
  readonly allowed: readonly ResizeMode[];
  readonly substitutions: Readonly<Partial<Record<ResizeMode, { readonly resizeMode: ResizeMode; readonly paddingValue: number | null }>>>;
  /** Largest training size accepted; null = any. */
  readonly maximumInputSize: Size | null;
}

/** Result of removing class names: `classMapping[old id]` is the new id, or -1. */
export interface ClassRemapping {
  readonly remainingClassIds: readonly number[];
  readonly classMapping: readonly number[];
}

export interface RecommendedParameters {
  readonly confidence: number | null;
  /** By class name. */
  readonly perClassConfidence: Readonly<Record<string, number>> | null;
}

export interface ModelConfig {
  readonly modelArchitecture: string | null;
  readonly taskType: string | null;
  readonly backendType: BackendType | null;
  readonly modelModule: string | null;
  readonly modelClass: string | null;
  readonly modelFeatures: Readonly<Record<string, unknown>> | null;
  readonly recommendedParameters: RecommendedParameters | null;
  readonly quantization: string | null;
  readonly dynamicBatchSizeSupported: boolean | null;
  readonly staticBatchSize: number | null;
  readonly trustedSource: boolean | null;
  readonly modelDependencies: readonly Readonly<Record<string, unknown>>[] | null;
  /** Bookkeeping of the cache, passed through as it stands in the file. */
  readonly cacheRecord: {
    readonly modelId: string | null;
    readonly canonicalModelId: string | null;
    readonly packageArtifacts: unknown;
    readonly dependencyPackagePaths: unknown;
    readonly offlineManifestVersion: number | null;
  };
  /** Both architecture and backend are named: a class of this library loads it; otherwise the package brings its own code. */
  readonly isLibraryModel: boolean;
}

export interface KeyPointsMetadata {
  /** By class id. */
  readonly names: readonly (readonly string[])[];
  /** By class id: pairs of indices into the names. */
  readonly skeletons: readonly (readonly (readonly [number, number])[])[];
}
