/**
 * What a model is to its users. Built-in families and users' own models alike implement these types; the names are the
 * contract of the package.
 */
import type { SessionStatistics, Tensor } from "../engines/index.js";
import type { Geometry, ImageInput, PreprocessingOverrides } from "../imaging/index.js";
import type {
  Classification,
  DepthMap,
  Detections,
  Embedding,
  Embeddings,
  Gaze,
  InstanceDetections,
  KeyPoints,
  ImageInfo,
  MaskFormat,
  MaskLogits,
  MultiLabelClassification,
  PromptedMasks,
  Result,
  SemanticSegmentation,
  ServedBy,
  SimilarityMatrix,
  TextResult,
  Timings,
} from "../results/index.js";
import type { EmbeddingCache } from "./embedding-cache.js";
import type { MaskCache } from "./mask-cache.js";

export type TaskType =
  | "object-detection"
  | "open-vocabulary-object-detection"
  | "instance-segmentation"
  | "keypoint-detection"
  | "classification"
  | "multi-label-classification"
  | "semantic-segmentation"
  | "depth-estimation"
  | "embedding"
  | "gaze-detection"
  | "structured-ocr"
  | "text-only-ocr"
  | "interactive-instance-segmentation";

/** How a model came to be this one. */
export type ModelOrigin =
  | { readonly kind: "embedded"; readonly directory: string }
  | { readonly kind: "directory"; readonly directory: string }
  | {
      readonly kind: "provider";
      readonly directory: string;
      /** Names of the providers that were asked, or would have been. */
      readonly providers: readonly string[];
      /** Differs from the requested id when that is an alias. */
      readonly canonicalId: string;
      /** `remembered`: the same request was resolved before, and nobody was asked. */
      readonly resolvedBy: "negotiation" | "remembered";
      /** Whether every file was in the cache already. */
      readonly fromCache: boolean;
      /** Packages that fit, best first, with what put each before the next. Empty when remembered. */
      readonly ranked: readonly { readonly packageId: string; readonly why: string }[];
      /** Packages that do not fit, and why. Empty when remembered. */
      readonly discarded: readonly { readonly packageId: string; readonly code: string; readonly message: string }[];
      /** Packages that were better and failed to load. */
      readonly failed: readonly { readonly packageId: string; readonly error: string }[];
    }
  | { readonly kind: "custom" };

/** What was loaded, from where, and what runs it. */
export interface ModelInfo {
  /** The id or folder given to `fromPretrained`. */
  readonly id: string;
  readonly packageId: string;
  readonly origin: ModelOrigin;
  readonly architecture: string;
  readonly task: TaskType;
  readonly variant: string | null;
  readonly backend: "onnx" | "trt" | "custom";
  /** `onnxruntime`, `onnxruntime-node`, `tensorrt`, ... with its version. */
  readonly engine: string;
  readonly engineVersion: string;
  readonly executionProviders: readonly string[];
  /** "cpu", "cuda:0", ... */
  readonly device: string;
  readonly preprocessExecutor: string;
  readonly decodeExecutor: string;
  /** Default network input, pixels. */
  readonly inputSize: { readonly width: number; readonly height: number };
  /** Pictures per network run; `maximum` null = any number. */
  readonly batchSize: { readonly minimum: number; readonly maximum: number | null };
}

/** What a model is doing and has done. The inherited counters are those of network runs; with several networks, their sums. */
export interface ModelStatistics extends SessionStatistics {
  /** Predictions that hold a place now, and those that wait for one. */
  readonly activePredictions: number;
  readonly waitingPredictions: number;
  /** How many may wait; how many more there were, which were refused with QueueFullError. */
  readonly predictionQueueLimit: number;
  readonly refusedPredictions: number;
  /** The most that have waited at once, and the longest that one has waited for its place. */
  readonly mostWaitingPredictions: number;
  readonly longestPredictionWaitMs: number;
}

export interface CallOptions {
  /** Rejects with the signal's reason at once; a running network is stopped. */
  readonly signal?: AbortSignal;
}

export interface ImageOptions extends CallOptions {
  /** Network size for this call, `n` (square) or `[width, height]`, for packages that support it. */
  readonly imageSize?: number | readonly [width: number, height: number];
  /** `false` leaves the package's step out. */
  readonly preprocessing?: PreprocessingOverrides;
  /** What to do with the EXIF orientation of encoded files; default `apply`. */
  readonly exifOrientation?: "apply" | "ignore";
}

/** A number 0..1; `default` is the family's; `best` is the package's recommendation where it has one. */
export type Threshold = number | "default" | "best";

export interface DetectionOptions extends ImageOptions {
  readonly confidence?: Threshold;
  /** NMS: boxes overlapping a better one by more than this are dropped, 0..1. */
  readonly iouThreshold?: number;
  /** At most so many detections per picture, over all classes. */
  readonly maxDetections?: number;
  /** Whether boxes of different classes compete in NMS. */
  readonly classAgnosticNms?: boolean;
  /** `half-even` (default) gives Int32Array boxes as the reference does; `none` keeps sub-pixel float32 boxes. */
  readonly rounding?: "half-even" | "none";
}

export interface KeyPointOptions extends DetectionOptions {
  /** Points less certain than this are reported as invisible, 0..1. */
  readonly keyPointThreshold?: number;
}

export interface SegmentationOptions extends DetectionOptions {
  /** `rle` (default) keeps masks as runs, a few hundred numbers each; `dense` as one byte a pixel. The pixels are the same. */
  readonly maskFormat?: MaskFormat;
  /** Whether the logistic function is applied before masks are enlarged, which rounds their borders. */
  readonly smoothMasks?: boolean;
  /** Pixels above this belong to the mask: a probability where masks are smoothed, else a number of the network. */
  readonly maskThreshold?: number;
}

/** Options of tasks whose only choice is how sure a class has to be. */
export interface ScoreOptions extends ImageOptions {
  readonly confidence?: Threshold;
}

export interface Model<Task extends TaskType = TaskType> extends AsyncDisposable {
  readonly task: Task;
  readonly info: ModelInfo;
  readonly closed: boolean;
  statistics(): ModelStatistics;
  /** Idempotent; waits for calls in progress, rejects new ones with ModelDisposedError. */
  close(): Promise<void>;
}

/** Network inputs of some pictures, with the way back. */
export interface Prepared {
  /** One tensor per network run: float32 `[batch, 3, height, width]`. */
  readonly tensors: readonly Tensor[];
  /** One per picture. */
  readonly geometry: readonly Geometry[];
}

/** The three steps of a prediction, for tests, benchmarks and schedulers of one's own; `predict` is their composition. */
export interface Stages<Raw, Result, Options extends ImageOptions> {
  preprocess(images: readonly ImageInput[], options?: Options): Promise<Prepared>;
  forward(prepared: Prepared, options?: Options): Promise<Raw>;
  postprocess(raw: Raw, prepared: Prepared, options?: Options): Promise<Result[]>;
}

export interface VisionModel<Task extends TaskType, Options extends ImageOptions, Result> extends Model<Task> {
  /** One picture in, one result out; a list gives a list in the same order (empty for an empty list). */
  predict(image: ImageInput, options?: Options): Promise<Result>;
  predict(images: readonly ImageInput[], options?: Options): Promise<Result[]>;
  /** Results in the order of the pictures; at most `concurrency` (default lanes + 1) are in progress, the source waits meanwhile. */
  stream(
    images: AsyncIterable<ImageInput> | Iterable<ImageInput>,
    options?: Options & { readonly concurrency?: number },
  ): AsyncIterable<Result>;
  /** One run on a blank picture: later calls find memory and code ready. */
  warmup(options?: Options): Promise<void>;
  readonly stages: Stages<readonly (readonly Tensor[])[], Result, Options>;
}

export interface Skeleton {
  readonly name: string;
  readonly points: readonly string[];
  /** Pairs of indices into `points`. */
  readonly edges: readonly (readonly [number, number])[];
}

export type ObjectDetectionModel = VisionModel<"object-detection", DetectionOptions, Detections> & {
  readonly classNames: readonly string[];
};
export type KeyPointModel = VisionModel<"keypoint-detection", KeyPointOptions, KeyPoints> & {
  readonly classNames: readonly string[];
  readonly skeletons: readonly Skeleton[];
};

export type InstanceSegmentationModel = VisionModel<"instance-segmentation", SegmentationOptions, InstanceDetections> & {
  readonly classNames: readonly string[];
};

export type ClassificationModel = VisionModel<"classification", ImageOptions, Classification> & {
  readonly classNames: readonly string[];
};
export type MultiLabelClassificationModel = VisionModel<"multi-label-classification", ScoreOptions, MultiLabelClassification> & {
  readonly classNames: readonly string[];
};

export type SemanticSegmentationModel = VisionModel<"semantic-segmentation", ScoreOptions, SemanticSegmentation> & {
  readonly classNames: readonly string[];
  readonly backgroundId: number;
};
export type DepthEstimationModel = VisionModel<"depth-estimation", ImageOptions, DepthMap>;
/** A picture is a face, cut out with little around it. */
export type GazeDetectionModel = VisionModel<"gaze-detection", ImageOptions, Gaze>;
/** Reads pictures of single lines. */
export type TextOnlyOCRModel = VisionModel<"text-only-ocr", ImageOptions, TextResult>;

export interface OpenVocabularyOptions extends DetectionOptions {
  /**
   * What to look for, in words: `["a cat", "remote control"]`. At least one. `classId` of a detection is an index into it. A class has at
   * most as many tokens as the network reads (OWLv2: 16, some ten words); of Grounding DINO all together have at most 256.
   */
  readonly classes: readonly string[];
  /**
   * 0..1, Grounding DINO alone: words of the classes that are surer make up `data.phrase` of a detection. Default: what its box has to be.
   */
  readonly textConfidence?: number;
}

/** Finds what it is told in words. `classes` has to be given with every call; boxes of OWLv2 are truncated to whole pixels, those of Grounding DINO rounded. */
export type OpenVocabularyDetectionModel = VisionModel<"open-vocabulary-object-detection", OpenVocabularyOptions, Detections>;

/** What is compared: embeddings that were made before, or pictures or texts to be embedded now. */
export type EmbeddingSource =
  Embeddings | { readonly images: ImageInput | readonly ImageInput[] } | { readonly text: string | readonly string[] };

/** Pictures and texts as points of one space. Nothing is normalised; `compare` and `compareEmbeddings` do that for themselves. */
export type EmbeddingModel = VisionModel<"embedding", ImageOptions, Embedding> & {
  /** All pictures as one matrix, `[pictures, dimensions]`; `predict` gives the same numbers one by one, with what served them. */
  embedImages(images: ImageInput | readonly ImageInput[], options?: ImageOptions): Promise<Embeddings>;
  /**
   * @returns `[texts, dimensions]`.
   * @throws ModelInputError for a text that is longer than the model reads (CLIP: 77 tokens, about 60 English words); `index` says which.
   */
  embedText(text: string | readonly string[], options?: CallOptions): Promise<Embeddings>;
  /** Cosines of everything in `x` with everything in `y`. */
  compare(x: EmbeddingSource, y: EmbeddingSource, options?: ImageOptions): Promise<SimilarityMatrix>;
};

/** What is wanted in a picture; pixels of the picture, x then y. Points and box of one prompt describe one thing. */
export interface SegmentationPrompt {
  readonly points?: readonly (readonly [x: number, y: number])[];
  /** One for each point: 1 lies on the thing, 0 beside it. */
  readonly labels?: readonly (0 | 1)[];
  readonly box?: readonly [x1: number, y1: number, x2: number, y2: number];
  /** `logits` of a mask of an earlier call, to be refined. */
  readonly mask?: MaskLogits;
}

/** A picture as the decoder of prompts sees it: what takes long is done. */
export interface ImageEmbedding {
  readonly kind: "image-embedding";
  readonly image: ImageInfo;
  /** By input of the decoder, of one picture each. */
  readonly features: Readonly<Record<string, Tensor>>;
  readonly servedBy: ServedBy;
  readonly timings: Timings | null;
}

export interface EmbedOptions extends Omit<ImageOptions, "imageSize"> {
  /** Where embeddings are looked for and kept, by the pixels of their pictures; default none. */
  readonly cache?: EmbeddingCache;
}

interface MaskChoices {
  /** Several masks for each prompt (default), or one. */
  readonly multimaskOutput?: boolean;
  /** Logits above it are inside; default 0. */
  readonly maskThreshold?: number;
  /** `rle` (default) keeps masks as runs, `dense` as one byte a pixel. */
  readonly maskFormat?: MaskFormat;
  /** Where masks of earlier prompts for a picture are looked for, to be refined, and kept; default none. */
  readonly maskCache?: MaskCache;
}

export interface PromptOptions extends EmbedOptions, MaskChoices {
  /** One thing, or several; none at all asks for whatever the network finds. */
  readonly prompts?: SegmentationPrompt | readonly SegmentationPrompt[];
}

export type SegmentRequest = EmbedOptions &
  MaskChoices &
  ({ readonly images: ImageInput | readonly ImageInput[] } | { readonly embeddings: ImageEmbedding | readonly ImageEmbedding[] }) & {
    /** For every picture the same, or a list of prompts for each of them. */
    readonly prompts?: SegmentationPrompt | readonly SegmentationPrompt[] | readonly (readonly SegmentationPrompt[])[];
  };

/** Cuts out what points, boxes and earlier masks show. */
export type InteractiveSegmentationModel = VisionModel<"interactive-instance-segmentation", PromptOptions, PromptedMasks> & {
  embedImages(images: ImageInput | readonly ImageInput[], options?: EmbedOptions): Promise<ImageEmbedding[]>;
  /** @returns one for each picture. @throws ModelInputError for prompts that make no sense, or embeddings of another model. */
  segmentImages(request: SegmentRequest): Promise<PromptedMasks[]>;
};

/** How a model is called whose task is not known: with the options that nearly all tasks share. Compilers need it spelled out. */
interface CallableUnnarrowed {
  predict(image: ImageInput, options?: ScoreOptions): Promise<Result>;
  predict(images: readonly ImageInput[], options?: ScoreOptions): Promise<Result[]>;
}

/** Narrow by `task` for the options and results of one. */
export type AnyModel = (
  | ObjectDetectionModel
  | InstanceSegmentationModel
  | KeyPointModel
  | ClassificationModel
  | MultiLabelClassificationModel
  | SemanticSegmentationModel
  | DepthEstimationModel
  | TextOnlyOCRModel
  | GazeDetectionModel
  | EmbeddingModel
  | OpenVocabularyDetectionModel
  | InteractiveSegmentationModel
) &
  // Behind the others: overloads of the task come first.
  CallableUnnarrowed;
