/**
 * What a family of models is made of: two pure functions and a few facts. `describe` turns a package into settings,
 * `decode` turns network outputs into a result; sessions, queues, pictures and options are the business of others.
 */
import type { DetectionRequest, DetectionRun, MapRequest, MapRun, Tensor, TensorPort } from "../engines/index.js";
import type { Geometry, PreprocessPlan, Size } from "../imaging/index.js";
import type { MaskFormat, MaskLogits } from "../results/index.js";
import type { InferenceConfig, ModelConfig, ResizeModeRules } from "../packages/index.js";
import type { DetectionData } from "../results/index.js";
import type { Tokenizer } from "../text/index.js";
import type { DetectionOptions, EmbedOptions, ImageOptions, SegmentationPrompt, Skeleton, TaskType, Threshold } from "./contract.js";
import type { ClassMap, Decoder } from "./decoding/index.js";

/** A file that only its family can read. */
export interface PackageText {
  readonly path: string;
  readonly text: string;
}

/** A package as a family sees it: parsed files, no I/O. */
export interface PackageContents {
  readonly directory: string;
  readonly modelConfig: ModelConfig;
  /** null for families that ship none. */
  readonly inferenceConfig: InferenceConfig | null;
  /** Lines of class_names.txt; null for families that ship none. */
  readonly classNames: readonly string[] | null;
  /** The family's other files by name. */
  readonly texts: Readonly<Record<string, PackageText>>;
}

/** The network's own view of its ports. */
export interface NetworkPorts {
  readonly inputs: readonly TensorPort[];
  readonly outputs: readonly TensorPort[];
}

/** What a network reads beside pictures, by input. @param picture the first of the run. */
export type MoreInputs = (picture: Geometry) => Readonly<Record<string, Tensor>>;

/** Everything about a loaded package that stays the same from call to call. */
export interface FamilyDescription {
  readonly plan: PreprocessPlan;
  /** As reported in results: after class-name operations. Empty for tasks without classes. */
  readonly classNames: readonly string[];
  /** Upper limit for dynamic batches; null = none. */
  readonly maximumDynamicBatch: number | null;
  readonly acceptsImageSize: boolean;
  /** Name of the input that pictures go into; default the first. */
  readonly imageInput?: string;
}

/** Of every family whose results have boxes with confidences. */
export interface BoxesDescription extends FamilyDescription {
  readonly defaults: DetectionDefaults;
}

/** null = the head has no such notion: the option is refused or warned about when given. */
export interface DetectionDefaults {
  readonly confidence: number;
  readonly iouThreshold: number | null;
  readonly maxDetections: number | null;
  readonly classAgnosticNms: boolean | null;
}

/** Options of one call after validation and defaults. */
export interface ResolvedDetectionOptions {
  readonly confidence: Threshold;
  /** float32: one for all classes, or one per class id. */
  readonly thresholds: Float32Array;
  readonly iouThreshold: number | null;
  readonly maxDetections: number | null;
  readonly classAgnosticNms: boolean;
  readonly rounding: NonNullable<DetectionOptions["rounding"]>;
}

export interface SegmentationDefaults extends DetectionDefaults {
  readonly smoothMasks: boolean;
  readonly maskThreshold: number;
  /** Whether callers may choose the two; else they belong to the network. */
  readonly masksAdjustable: boolean;
}

export interface ResolvedSegmentationOptions extends ResolvedDetectionOptions {
  readonly maskFormat: MaskFormat;
  readonly smoothMasks: boolean;
  readonly maskThreshold: number;
}

export interface KeyPointDefaults extends DetectionDefaults {
  readonly keyPointThreshold: number | null;
}

export interface ResolvedKeyPointOptions extends ResolvedDetectionOptions {
  /** Points below are invisible; 0 where the network says nothing about single points. */
  readonly keyPointThreshold: number;
}

/** Rows of a detector in the original picture. */
export interface DetectionColumns {
  /** `[n, 4]` corners, pixels. */
  readonly xyxy: Int32Array | Float32Array;
  readonly classId: Int32Array;
  readonly confidence: Float32Array;
  /** What the family says about each row, if anything. */
  readonly data?: readonly DetectionData[];
}

export interface InstanceColumns extends DetectionColumns {
  /** One for each row, as large as the picture. */
  readonly masks: { readonly runs: Uint32Array; readonly offsets: Uint32Array };
}

export interface KeyPointColumns extends DetectionColumns {
  /** `[n, slots, 2]`, pixels. */
  readonly points: Int32Array | Float32Array;
  /** `[n, slots]`, 0 = invisible. */
  readonly pointConfidence: Float32Array;
  /** `[n, slots, 2, 2]`, pixels squared; null where the network does not say. */
  readonly covariance: Float32Array | null;
}

/** How a family's results come from an engine whose device decodes its outputs. Pure. */
interface DeviceDecodingOf<Description, Resolved, Columns, Request, Decoded> {
  /** Why the device cannot read these outputs, which `decode` is then given; null: it can. */
  obstacle(description: Description, outputs: readonly TensorPort[]): string | null;
  /** What the device is to make of the pictures of one run; null: these are too much for it. */
  request(description: Description, outputs: readonly TensorPort[], pictures: readonly Geometry[], options: Resolved): Request | null;
  /** The same as `decode`, of what the device made of one picture; null: it had no memory for it. */
  finish(decoded: Decoded, geometry: Geometry, description: Description, options: Resolved): Columns | null;
}

export type DeviceDecoding<Description, Resolved, Columns> =
  | ({ readonly kind: "detections" } & DeviceDecodingOf<
      Description,
      Resolved,
      Columns,
      Omit<DetectionRequest, "pictures">,
      DetectionRun["pictures"][number]
    >)
  | ({ readonly kind: "maps" } & DeviceDecodingOf<Description, Resolved, Columns, MapRequest, MapRun["pictures"][number]>);

/**
 * @typeParam Resolved options of one call after validation and defaults.
 * @typeParam Columns what is decoded for one picture.
 */
export interface FamilyBase<Task extends TaskType, Description extends FamilyDescription, Resolved, Columns> {
  readonly task: Task;
  /** Files a package must have beside model_config.json. */
  readonly files: readonly string[];
  /** Of these one, the first that is there. */
  readonly oneOf?: readonly string[];
  /** The network that pictures go into. */
  readonly weights: string;
  /** Further networks of a package, ONNX only; most families have none. */
  readonly otherWeights?: readonly string[];
  /** null: the family has no inference_config.json. */
  readonly resizeModes: ResizeModeRules | null;
  /**
   * @param others in the order of `otherWeights`.
   * @throws CorruptedModelPackageError when package and networks do not fit together. Pure.
   */
  describe(contents: PackageContents, network: NetworkPorts, others?: readonly NetworkPorts[]): Description;
  /** One picture of a batch. Pure. `outputs` in graph order, float32. */
  decode(
    outputs: readonly Tensor[],
    image: number,
    geometry: Geometry,
    description: Description,
    options: Resolved,
    decoder: Decoder,
  ): Promise<Columns>;
  readonly onDevice?: DeviceDecoding<Description, Resolved, Columns>;
}

export type ObjectDetectionFamily<Description extends BoxesDescription = BoxesDescription> = FamilyBase<
  "object-detection",
  Description,
  ResolvedDetectionOptions,
  DetectionColumns
>;

export interface SegmentationDescription extends BoxesDescription {
  readonly defaults: SegmentationDefaults;
}

export type InstanceSegmentationFamily<Description extends SegmentationDescription = SegmentationDescription> = FamilyBase<
  "instance-segmentation",
  Description,
  ResolvedSegmentationOptions,
  InstanceColumns
>;

export interface KeyPointDescription extends BoxesDescription {
  readonly defaults: KeyPointDefaults;
  /** Point slots per instance. */
  readonly slots: number;
  /** By class id. */
  readonly skeletons: readonly Skeleton[];
}

export type KeyPointFamily<Description extends KeyPointDescription = KeyPointDescription> = FamilyBase<
  "keypoint-detection",
  Description,
  ResolvedKeyPointOptions,
  KeyPointColumns
>;

/** Options of tasks whose only choice is how sure a class has to be. */
export interface ResolvedScoreOptions {
  /** float32: one for all classes, or one per class id. */
  readonly thresholds: Float32Array;
}

export interface ScoreDescription extends FamilyDescription {
  readonly defaults: { readonly confidence: number };
}

/** One label: the probability of every class, `[classes]`. */
export type ClassificationFamily<Description extends FamilyDescription = FamilyDescription> = FamilyBase<
  "classification",
  Description,
  ImageOptions,
  Float32Array
>;

export interface LabelColumns {
  readonly probabilities: Float32Array;
  /** Those at or above their threshold, ascending. */
  readonly classIds: Int32Array;
}

export type MultiLabelClassificationFamily<Description extends ScoreDescription = ScoreDescription> = FamilyBase<
  "multi-label-classification",
  Description,
  ResolvedScoreOptions,
  LabelColumns
>;

export interface SemanticDescription extends ScoreDescription {
  readonly backgroundId: number;
}

export type SemanticSegmentationFamily<Description extends SemanticDescription = SemanticDescription> = FamilyBase<
  "semantic-segmentation",
  Description,
  ResolvedScoreOptions,
  ClassMap
>;

export interface DepthDescription extends FamilyDescription {
  readonly unit: "meters" | "relative";
}

/** Values in the picture, `[height, width]`. */
/** Radians. */
export interface GazeAngles {
  readonly yaw: number;
  readonly pitch: number;
}

export type GazeFamily<Description extends FamilyDescription = FamilyDescription> = FamilyBase<
  "gaze-detection",
  Description,
  ImageOptions,
  GazeAngles
>;

export interface TextRecognitionDescription extends FamilyDescription {
  /** Least width of a batch of lines; they have the height of the plan. */
  readonly minimumWidth: number;
}

export type TextRecognitionFamily<Description extends TextRecognitionDescription = TextRecognitionDescription> = FamilyBase<
  "text-only-ocr",
  Description,
  ImageOptions,
  ReadText
>;

/** Text and how sure the network is of it on the average of its characters. */
export interface ReadText {
  readonly text: string;
  /** 0..1; 0 for an empty text. */
  readonly confidence: number;
}

export type DepthEstimationFamily<Description extends DepthDescription = DepthDescription> = FamilyBase<
  "depth-estimation",
  Description,
  ImageOptions,
  Float32Array
>;

/** How texts become embeddings; their network is the first of the others. */
export interface TextTower {
  /** Tokens that the network takes per text. */
  readonly contextLength: number;
  /** Reads the vocabulary, which nobody needs who embeds only pictures. */
  readonly loadTokenizer: () => Promise<Tokenizer>;
  /** One text of a batch, `[dimensions]`. */
  readonly decode: (outputs: readonly Tensor[], text: number) => Float32Array;
}

export interface EmbeddingDescription extends FamilyDescription {
  /** Numbers of an embedding; null when the networks do not say. */
  readonly dimensions: number | null;
  readonly text: TextTower;
}

/** One picture, `[dimensions]`. */
export type EmbeddingFamily<Description extends EmbeddingDescription = EmbeddingDescription> = FamilyBase<
  "embedding",
  Description,
  ImageOptions,
  Float32Array
>;

export interface ResolvedOpenVocabularyOptions extends ResolvedDetectionOptions {
  readonly classes: readonly string[];
  /** Words that are surer belong to what a box is called; null = those surer than the threshold of its class. */
  readonly textConfidence: number | null;
}

export interface OpenVocabularyDefaults extends DetectionDefaults {
  /** null = the network says nothing about single words. */
  readonly textConfidence: "as boxes" | null;
}

export interface OpenVocabularyDescription extends BoxesDescription {
  readonly defaults: OpenVocabularyDefaults;
  /** What the network reads beside the picture. @throws ModelInputError for classes that it cannot read. */
  readonly readClasses: (classes: readonly string[]) => Promise<MoreInputs>;
}

export type OpenVocabularyFamily<Description extends OpenVocabularyDescription = OpenVocabularyDescription> = FamilyBase<
  "open-vocabulary-object-detection",
  Description,
  ResolvedOpenVocabularyOptions,
  DetectionColumns
>;

/** Points as the decoder takes them. */
export interface DecoderPoints {
  /** float32 `[points, 2]`, network pixels. */
  readonly coordinates: Float32Array;
  /** float32 `[points]`: 1 on the thing, 0 beside it, 2 and 3 the corners of a box, -1 no point at all. */
  readonly labels: Float32Array;
}

/** What the decoder says about one prompt. */
export interface DecodedPrompt {
  /** `[masks]` */
  readonly scores: Float32Array;
  /** `[masks, height, width]`, to be refined later. */
  readonly logits: MaskLogits;
  /** The same, from which the masks of the picture are made. */
  readonly planes: MaskLogits;
}

export interface InteractiveDescription extends FamilyDescription {
  /** The network's input and what a picture fills of it, from the upper left; null where masks cover the picture alone. */
  readonly canvas: { readonly size: Size; readonly pictureIn: (picture: Size) => Size } | null;
  readonly maskInput: Size;
  /** Port that takes the picture's height and width; null where the decoder has none. */
  readonly sizePort: TensorPort | null;
  readonly points: (prompt: SegmentationPrompt, picture: Size) => DecoderPoints;
  /** Outputs of the encoder, and the inputs of the decoder that they become. */
  readonly encoded: readonly { readonly index: number; readonly input: string }[];
  /** Outputs of the decoder that are read. */
  readonly wanted: readonly string[];
  readonly read: (outputs: Readonly<Record<string, Tensor>>) => DecodedPrompt;
}

/** The decoder is the first of the other networks; what is decoded are the features of one picture by its inputs. */
export type InteractiveSegmentationFamily<Description extends InteractiveDescription = InteractiveDescription> = FamilyBase<
  "interactive-instance-segmentation",
  Description,
  EmbedOptions,
  Readonly<Record<string, Tensor>>
>;

/** Every kind of family; `MODEL_OF_TASK` says what becomes of each. */
export type Family =
  | ObjectDetectionFamily
  | InstanceSegmentationFamily
  | KeyPointFamily
  | ClassificationFamily
  | MultiLabelClassificationFamily
  | SemanticSegmentationFamily
  | DepthEstimationFamily
  | TextRecognitionFamily
  | GazeFamily
  | EmbeddingFamily
  | OpenVocabularyFamily
  | InteractiveSegmentationFamily;

export type FamilyOf<Task extends Family["task"]> = Extract<Family, { readonly task: Task }>;
