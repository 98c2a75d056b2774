/**
 * The one typed door to the addon: everything the binary exports, and nothing else. A test compares this with the names
 * that the real binary exports.
 */
import type { PreprocessSteps } from "../imaging/types.js";
import type { NetworkMetadata, SessionStatistics, TensorPort } from "../engines/types.js";

/** Raised whenever a signature below changes; the loader refuses a binary that says another number. */
export const ADDON_INTERFACE_VERSION = 9;

export interface NativeAddon {
  readonly interfaceVersion: number;
  buildInfo(): NativeBuildInfo;
  /** Zero-filled memory outside the JavaScript heap, aligned to 64 bytes: the only memory that jobs use in place. */
  allocate(byteLength: number): ArrayBuffer;
  /** Memory from {@link allocate} and outputs that are alive, bytes; for leak tests. */
  memoryInUse(): number;

  /** Picture to network input; see PreprocessExecutor. `pixels` is copied first unless `borrowed` is false. */
  preprocess(pixels: Uint8Array, image: NativeImageDescription, steps: PreprocessSteps, target: Float32Array): Promise<void>;

  /** The kernels of native/kernels on one device. Opening the driver is slow; it happens on a thread of its own. */
  openDevicePreprocessor(options: { readonly cudaLibraryPath: string; readonly device: number }): Promise<NativeDevicePreprocessor>;

  /** decodeMasks by the kernels of a device, for comparing the two: every call opens the device anew. */
  assembleMasks(
    options: { readonly cudaLibraryPath: string; readonly device: number },
    head: NativeMaskHead,
    selection: NativeMaskSelection,
    target: NativeMaskTarget,
  ): Promise<NativeMaskRuns>;
  /** What a run would make of outputs on a device, by picture, without an engine; opens the device for each call. */
  decodeOnDevice(
    options: { readonly cudaLibraryPath: string; readonly device: number },
    work: NativeDecodeWork & { readonly kind: "decode" },
  ): Promise<readonly NativeDecodedPicture[]>;
  decodeOnDevice(
    options: { readonly cudaLibraryPath: string; readonly device: number },
    work: NativeDecodeWork & { readonly kind: "map" },
  ): Promise<NativeMapRun["pictures"]>;
  /** GPU time of work that is alone on a device, microseconds, one for each of `rounds`; see native/kernels/measure.h. */
  measureDevice(
    options: { readonly cudaLibraryPath: string; readonly device: number; readonly rounds: number; readonly together: number },
    work: NativeDeviceWork,
  ): Promise<Float64Array>;

  /** Parts of a picture as upright pictures of three channels; see native/image/perspective.h. */
  cropQuadrilaterals(
    pixels: Uint8Array,
    image: NativeImageDescription,
    crops: readonly NativeQuadrilateral[],
  ): Promise<readonly Uint8Array<ArrayBuffer>[]>;

  /** Raw detector head to boxes; see native/detection/dense.h. */
  decodeDense(head: NativeDenseHead, settings: NativeDecodeSettings): Promise<NativeDetectionRows>;
  /** Rows that already went through NMS in the graph. */
  decodeRows(head: NativeRowsHead, settings: NativeDecodeSettings): Promise<NativeDetectionRows>;
  /** RF-DETR: (query, class) pairs, best first. */
  decodeQueries(head: NativeQueriesHead, settings: NativeDecodeSettings): Promise<NativeDetectionRows>;
  /** RF-DETR with key points: (query, class) pairs by their score fused with the points' certainty, best first. */
  decodeKeyPointQueries(head: NativeKeyPointQueriesHead, settings: NativeDecodeSettings): Promise<NativeInstances>;
  /** x, y and confidence of `slots` points of each of the candidates `indices`; covariance is empty. */
  gatherKeyPoints(attributes: NativeCandidateMatrix, indices: Int32Array, slots: number): Promise<NativeKeyPoints>;
  /** Masks of instances as runs; see native/masks/decode.h. */
  decodeMasks(head: NativeMaskHead, selection: NativeMaskSelection, target: NativeMaskTarget): Promise<NativeMaskRuns>;
  /** Indices that survive, best first. Strictly greater IoU suppresses; only boxes of one class compete. */
  nonMaximumSuppression(xyxy: Float32Array, scores: Float32Array, classIds: Int32Array, iouThreshold: number): Promise<Int32Array>;

  /** Logits to a class for every pixel of the picture; see native/maps/class_map.h. */
  makeClassMap(map: NativeDenseMap, placement: NativePlacement, settings: NativeClassMapSettings): Promise<NativeClassMap>;
  /** The first channel in the picture, float32 `[canvas.height, canvas.width]`; 0 beside the part that it covers. */
  makeValueMap(map: NativeDenseMap, placement: NativePlacement, filter: NativeMapFilter): Promise<Float32Array>;

  /** Opens the library once per process; a second call with another path is refused. */
  openOnnxRuntime(libraryPath: string): NativeOnnxRuntimeInfo;
  createSession(model: string | Uint8Array, options: NativeSessionOptions, cancel: NativeCancelToken): Promise<NativeSession>;
  /** A flag that an abort raises; may be shared by one creation or one run only. */
  createCancelToken(): NativeCancelToken;

  /**
   * Looks for NVIDIA's libraries and devices, on a thread of its own. Rejects for nothing that is missing. The folders are
   * looked at before the loader's search; "" = none.
   */
  probeNvidia(options: { readonly cudaLibraryPath: string; readonly tensorRtLibraryPath: string }): Promise<NvidiaProbe>;
  /** Of one GPU, at the moment; on the thread of {@link probeNvidia}. Rejects where there is no driver or no such device. */
  readDeviceMemory(options: { readonly cudaLibraryPath: string; readonly device: number }): Promise<NativeDeviceMemory>;

  /** A serialized engine of TensorRT 10 or 11, as a path or bytes, onto a device. Slow, on a thread of its own. */
  loadTensorRtEngine(
    plan: string | Uint8Array,
    options: NativeTensorRtOptions,
    cancel: NativeCancelToken | null,
  ): Promise<NativeTensorRtEngine>;

  /**
   * GPU time of the network of an engine file that is alone on the device, captured, on inputs that are there already: microseconds, one for
   * each of `rounds`; see native/tensorrt/measure_network.h. Inputs in the engine's order.
   */
  measureTensorRtEngine(
    plan: string,
    options: Pick<NativeTensorRtOptions, "cudaLibraryPath" | "tensorRtLibraryPath" | "device" | "profile" | "engineHostCodeAllowed"> & {
      readonly rounds: number;
      readonly together: number;
    },
    inputs: readonly Pick<NativeTensor, "dims" | "data">[],
  ): Promise<Float64Array>;

  /**
   * An ONNX model, as a path or bytes, into a serialized engine for a device. Minutes, on a thread of its own; builds wait for each other.
   * Cancelling stops it at the builder's next step. `onProgress` is called on this thread, with the phases that have begun and not
   * ended, the outermost first; calls that nobody could have seen apart are left out.
   */
  buildTensorRtEngine(
    model: string | Uint8Array,
    options: NativeTensorRtBuildOptions,
    onProgress: ((phases: readonly NativeTensorRtBuildPhase[]) => void) | null,
    cancel: NativeCancelToken | null,
  ): Promise<NativeBuiltEngine>;
  /** Both must be of the device's kind and of the installed release. */
  combineTensorRtTimingCaches(
    first: Uint8Array,
    second: Uint8Array,
    options: Pick<NativeTensorRtBuildOptions, "cudaLibraryPath" | "tensorRtLibraryPath" | "device">,
  ): Promise<Uint8Array>;
  /** Release that built an engine, `10.15.1.29`, from its first bytes: 29 are enough, and fewer are a damaged engine. */
  readTensorRtPlanVersion(plan: Uint8Array): string;
}

export type NativeDeviceWork =
  /** Memory that is overwritten. */
  | { readonly kind: "fill"; readonly bytes: number }
  /** A picture that is on the device already, to float32 or float16. */
  | {
      readonly kind: "preprocess";
      readonly pixels: Uint8Array;
      readonly image: NativeImageDescription;
      readonly steps: PreprocessSteps;
      readonly half: boolean;
    }
  /** Outputs that are on the device already, to what is downloaded of them. */
  | NativeDecodeWork;

/** What a run would make of these outputs; `dims` begin with the batch. */
export type NativeDecodeWork = { readonly outputs: readonly Pick<NativeTensor, "type" | "dims" | "data">[] } & (
  { readonly kind: "decode"; readonly request: NativeDetectionRequest } | { readonly kind: "map"; readonly request: NativeMapRequest }
);

export interface NativeDevicePreprocessor {
  /**
   * Picture to network input, float32 `[3, height, width]`, by the device; `pixels` is copied first unless `borrowed` is false.
   */
  run(pixels: Uint8Array, image: NativeImageDescription, steps: PreprocessSteps): Promise<Float32Array>;
  /** Ends behind the work in progress; gives the device's memory back. */
  close(): Promise<void>;
}

/** What the addon found of NVIDIA's, without failing over any of it. */
export interface NvidiaProbe {
  /** libcuda; `version` is the CUDA version that the driver supports, `12.4`. */
  readonly driver: NvidiaLibrary;
  /** NVML; `version` is the driver's own, `550.54.15`. */
  readonly nvml: NvidiaLibrary;
  /** libcudart; `version` is the runtime's. */
  readonly cudaRuntime: NvidiaLibrary;
  readonly devices: readonly NvidiaDevice[];
  /** Every TensorRT library that was found. At least one entry: when there is none, a `full` one with the reason. */
  readonly tensorRt: readonly (NvidiaLibrary & { readonly kind: "full" | "lean" | "dispatch" })[];
  readonly onnxParser: NvidiaLibrary;
}

/** `path` null = not found; `reason` says at which step it ended, null when it did not. */
export interface NvidiaLibrary {
  readonly path: string | null;
  readonly version: string | null;
  readonly reason: string | null;
}

export interface NvidiaDevice {
  /** As the driver writes it: `NVIDIA L4`. */
  readonly name: string;
  /** `8.9`. */
  readonly computeCapability: string;
  readonly memoryBytes: number;
  readonly multiprocessors: number;
  readonly uuid: string;
}

export interface NativeDeviceMemory {
  readonly freeBytes: number;
  readonly totalBytes: number;
}

export interface NativeBuildInfo {
  readonly version: string;
  readonly compiler: string;
  readonly nodeApi: number;
  /** Instruction sets chosen on this CPU for the image loops: "avx2" or "baseline". */
  readonly simd: string;
  /** How the kernels for NVIDIA GPUs are there: as text that the driver compiles, or as machine code besides. */
  readonly kernels: "text" | "machine-code";
}

export interface NativeImageDescription {
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 3 | 4;
  /** Which channels are red and blue: grayscale weighs them differently. */
  readonly colorFormat: "rgb" | "bgr";
  /** Whether `pixels` may change or be detached while the job runs. */
  readonly borrowed: boolean;
}

export interface NativeQuadrilateral {
  /** x, y of top left, top right, bottom right, bottom left. */
  readonly corners: Float64Array;
  /** Of the result. */
  readonly width: number;
  readonly height: number;
}

/** `[count, boxes 4 | classes C | ...]` with free strides: element (candidate i, attribute a) = data[offset + i * candidateStride + a * attributeStride]. */
export interface NativeMatrix {
  readonly data: Float32Array;
  readonly offset: number;
  readonly candidateStride: number;
  readonly attributeStride: number;
}

/** Boxes that belong to candidates: centre and size as fractions of the network's input, 4 attributes. */
export interface NativePriors extends NativeMatrix {
  readonly inputSize: NativeInputSize;
}

/** Of a network, in pixels. */
export interface NativeInputSize {
  readonly width: number;
  readonly height: number;
}

/** With the number of its candidates. */
export interface NativeCandidateMatrix extends NativeMatrix {
  readonly candidates: number;
}

export interface NativeDenseHead {
  readonly candidates: number;
  readonly classes: number;
  /** 4 attributes. */
  readonly boxes: NativeMatrix;
  /** `offsets`: how far, and by how much stretched, from `priors`; see native/detection/priors.h. */
  readonly boxFormat: "cxcywh" | "xyxy" | "offsets";
  /** With `offsets`. */
  readonly priors?: NativePriors | undefined;
  /** `classes` attributes. */
  readonly scores: NativeMatrix;
  /** 1 attribute, or null. */
  readonly objectness: NativeMatrix | null;
  /** How objectness takes part: `gate` = thresholds apply to it, the score is the class's; `product` = sigmoid(objectness) * sigmoid(score). */
  readonly objectnessUse: "none" | "gate" | "product";
}

export interface NativeRowsHead {
  /** `[rows, columns]`: x1, y1, x2, y2, score, class id, extras. */
  readonly data: Float32Array;
  readonly offset: number;
  readonly rows: number;
  readonly columns: number;
  /** `>=` for fused NMS and YOLO26, `>` for YOLOv10. */
  readonly inclusive: boolean;
}

export interface NativeQueriesHead {
  /** `[queries, 4]` cx, cy, w, h as fractions. */
  readonly boxes: Float32Array;
  readonly boxesOffset: number;
  /** `[queries, classes]` logits. */
  readonly logits: Float32Array;
  readonly logitsOffset: number;
  readonly queries: number;
  readonly classes: number;
  /** class column -> reported id, -1 = dropped. Length = classes. */
  readonly classMapping: Int32Array;
}

/** What the fraction 1 is in a picture, pixels: in the positions of key points, and in their covariances. */
export interface NativeKeyPointScale {
  readonly size: { readonly width: number; readonly height: number };
  readonly covarianceSize: { readonly width: number; readonly height: number };
}

export interface NativeKeyPointQueriesHead extends NativeQueriesHead, NativeKeyPointScale {
  /** `[queries, classes * slots, numbers]`: x, y, findable and visible (logits), ln l11, l21, ln l22 of the precision's Cholesky factor, ... */
  readonly points: Float32Array;
  readonly pointsOffset: number;
  /** 1 to 65535. */
  readonly slots: number;
  /** At least 7. */
  readonly numbers: number;
}

export interface NativeKeyPoints {
  /** `[instances, slots, 2]` */
  readonly points: Float32Array;
  /** `[instances, slots]` */
  readonly confidence: Float32Array;
  /** `[instances, slots, 2, 2]`, NaN where something is not finite; empty where the network does not say. */
  readonly covariance: Float32Array;
}

export interface NativeInstances {
  readonly rows: NativeDetectionRows;
  readonly keyPoints: NativeKeyPoints;
}

export interface NativeDecodeSettings {
  /** One value for all, or one per reported class id; float32. */
  readonly thresholds: Float32Array;
  /** null: no NMS. */
  readonly iouThreshold: number | null;
  readonly classAgnostic: boolean;
  /** null: no limit. */
  readonly maxDetections: number | null;
}

/** Best first (graph order for rows). */
export interface NativeDetectionRows {
  /** float32 `[n, 4]`: corners in network pixels (fractions for queries). */
  readonly xyxy: Float32Array;
  readonly scores: Float32Array;
  readonly classIds: Int32Array;
  /** Candidate, row or query each detection came from. */
  readonly indices: Int32Array;
}

/** Planes of numbers that masks are made of: prototypes that every instance weighs in its own way, or one plane an instance. */
export interface NativeMaskHead {
  /** Cells of a plane. */
  readonly width: number;
  readonly height: number;
  /** Number of planes. */
  readonly channels: number;
  /** Element (cell `y * width + x`, plane): `width * height` candidates with `channels` attributes. */
  readonly planes: NativeMatrix;
  /** Weights of the planes: `candidates` rows of `channels` attributes. null: the plane of an instance's index is its mask. */
  readonly coefficients: NativeCandidateMatrix | null;
  /** Whether the logistic function is applied to the sums. */
  readonly sigmoid: boolean;
}

export interface NativeMaskSelection {
  /** Rows of the coefficients (or planes), one for each mask. */
  readonly indices: Int32Array;
  /** `[n, 4]` corners: cells outside are 0. null: nothing is cut off. */
  readonly boxes: Float32Array | null;
  /** Cells per unit of the boxes; the products are rounded half to even. */
  readonly boxScale: number;
}

/** From cells to the picture: trim, resize (bilinear, antialiased when shrinking), paste, threshold (strictly greater). */
export interface NativeMaskTarget {
  /** Cells cut from each side; negative = so many zeros are added. */
  readonly trim: { readonly left: number; readonly top: number; readonly right: number; readonly bottom: number };
  readonly resize: { readonly width: number; readonly height: number };
  /** Where the resized mask lies in the picture; what reaches beyond is cut off. */
  readonly left: number;
  readonly top: number;
  readonly picture: { readonly width: number; readonly height: number };
  readonly threshold: number;
}

/** Run lengths of all masks: zeros and ones in turn, zeros first, column by column. */
export interface NativeMaskRuns {
  readonly runs: Uint32Array;
  /** `[n + 1]`: where each mask begins. */
  readonly offsets: Uint32Array;
}

/** `[channels, height, width]` from `offset` on. */
export interface NativeDenseMap {
  readonly data: Float32Array;
  readonly offset: number;
  readonly channels: number;
  readonly width: number;
  readonly height: number;
}

/** `triangle`: bilinear, antialiased when shrinking. `nearest-cubic`: bicubic (a = -0.75) of the four nearest values, also when shrinking. */
export type NativeMapFilter = "triangle" | "nearest-cubic";

/** Cut `trim` from the map's sides (negative: extend it), resize it (class maps by `triangle`), put it on a canvas. */
export interface NativePlacement {
  readonly trim: { readonly left: number; readonly top: number; readonly right: number; readonly bottom: number };
  readonly resize: { readonly width: number; readonly height: number };
  /** `left` and `top`: where the resized map lies. */
  readonly canvas: { readonly width: number; readonly height: number; readonly left: number; readonly top: number };
}

export interface NativeClassMapSettings {
  /** By channel: the class it stands for, 0..65535. One channel alone is a sigmoid, several are a softmax. */
  readonly classIds: Int32Array;
  readonly background: number;
  /** One value for all, or one per class id; pixels at or above it keep their class. */
  readonly thresholds: Float32Array;
}

export interface NativeClassMap {
  /** `[canvas.height, canvas.width]`; 16 bits when an id is above 255. */
  readonly classMap: Uint8Array | Uint16Array;
  readonly confidence: Float32Array;
}

export interface NativeOnnxRuntimeInfo {
  readonly version: string;
  readonly apiVersion: number;
  /** Compiled in; not a promise that they work. */
  readonly availableProviders: readonly string[];
}

export interface NativeSessionOptions {
  readonly providers: readonly { readonly name: string; readonly options: Readonly<Record<string, string>> }[];
  readonly intraOpThreads: number;
  readonly lanes: number;
  readonly spinning: boolean;
  /** 0 none, 1 basic, 2 extended, 99 all. */
  readonly graphOptimization: 0 | 1 | 2 | 99;
}

export interface NativeCancelToken {
  cancel(): void;
}

/** `type` is ONNX's element type number. Strings are passed as an array. */
export interface NativeTensor {
  readonly name: string;
  readonly type: number;
  readonly dims: readonly number[];
  readonly data: ArrayBufferView | readonly string[];
}

export interface NativeSession {
  readonly inputs: readonly (Omit<TensorPort, "type"> & { readonly type: number })[];
  readonly outputs: readonly (Omit<TensorPort, "type"> & { readonly type: number })[];
  readonly metadata: Omit<NetworkMetadata, "opset">;
  readonly providers: readonly string[];
  /** Inputs that lie in memory from `allocate` are read in place, others are copied. Rejects with an error whose `cancelled` is true after cancel(). */
  run(inputs: readonly NativeTensor[], outputs: readonly string[], cancel: NativeCancelToken | null): Promise<readonly NativeTensor[]>;
  statistics(): Omit<SessionStatistics, "lanes">;
  /** Idempotent; resolves when every run in progress has settled and the session is freed. */
  close(): Promise<void>;
}

export interface NativeTensorRtOptions {
  readonly cudaLibraryPath: string;
  readonly tensorRtLibraryPath: string;
  /** Ordinal of the GPU, from 0. */
  readonly device: number;
  /** Runs at once, 1 to 64; each has scratch memory of its own. */
  readonly contexts: number;
  /** Shapes per context that keep a CUDA graph, 0 to 1024. */
  readonly graphs: number;
  /** Optimization profile, from 0. */
  readonly profile: number;
  readonly engineHostCodeAllowed: boolean;
  /** Whether runs may bring pictures, which the device prepares. */
  readonly preparesPictures: boolean;
  /** Whether runs may ask for detections, which the device decodes. */
  readonly decodesOutputs: boolean;
}

export interface NativeTensorRtPort {
  readonly name: string;
  /** ONNX's element type number. */
  readonly type: number;
  /** "" where the size varies. */
  readonly dims: readonly (number | string)[];
  /** Inputs: one for each optimization profile; outputs: empty. */
  readonly profiles: readonly {
    readonly minimum: readonly number[];
    readonly optimum: readonly number[];
    readonly maximum: readonly number[];
  }[];
}

/** In the place of a tensor: the first pictures of a batch. `type` and `dims` are those of the tensor that the device makes. */
export interface NativePictures {
  readonly name: string;
  readonly type: number;
  readonly dims: readonly number[];
  readonly pictures: readonly { readonly pixels: Uint8Array; readonly image: NativeImageDescription; readonly steps: PreprocessSteps }[];
}

/** The attributes of a head from `from` on, in an output `[batch, attributes, candidates]` ("first") or `[batch, candidates, attributes]`. */
export interface NativeHeadPart {
  /** Index among the outputs. */
  readonly output: number;
  readonly attributes: "first" | "last";
  readonly from: number;
}

/** Where {@link NativePriors} lie: the index of an output `[candidates, 4]` or `[1, candidates, 4]`. All pictures have the same. */
export interface NativePriorsLayout {
  readonly output: number;
  readonly inputSize: NativeInputSize;
}

/** Where a {@link NativeDenseHead} lies in the outputs of a network; sizes are those of each run. */
export interface NativeDenseLayout {
  readonly kind: "dense";
  readonly boxes: NativeHeadPart;
  readonly boxFormat: NativeDenseHead["boxFormat"];
  /** With `offsets`. */
  readonly priors?: NativePriorsLayout;
  readonly scores: NativeHeadPart;
  /** Attributes behind the class scores. */
  readonly extras: number;
  readonly objectness: NativeHeadPart | null;
  readonly objectnessUse: NativeDenseHead["objectnessUse"];
}

/** Where a {@link NativeQueriesHead} lies. */
export interface NativeQueriesLayout {
  readonly kind: "queries";
  /** Index of the output `[batch, queries, 4]`. */
  readonly boxes: number;
  /** Index of the output `[batch, queries, classes]`. */
  readonly logits: number;
  /** Class column -> reported id, -1 = dropped; columns beyond its end are dropped too. */
  readonly classMapping: Int32Array;
}

/** Where a {@link NativeRowsHead} lies. */
export interface NativeRowsLayout {
  readonly kind: "rows";
  /** Index of the output `[batch, rows, 6 or more]`. */
  readonly output: number;
  readonly inclusive: boolean;
}

/** Where a {@link NativeKeyPointQueriesHead} lies. */
export interface NativeKeyPointQueriesLayout extends Omit<NativeQueriesLayout, "kind"> {
  readonly kind: "key-point-queries";
  /** Index of the output `[batch, queries, classes * slots, 7 or more]`. */
  readonly points: number;
  /** 1 to 65535. */
  readonly slots: number;
  /** One for each picture. */
  readonly scales: readonly NativeKeyPointScale[];
}

/** Key points of what is found: x, y and confidence for each slot, among the attributes of its candidate. */
export interface NativeKeyPointsRequest extends NativeHeadPart {
  /** 1 to 65535. */
  readonly slots: number;
}

/** Where the planes of a {@link NativeMaskHead} and its coefficients lie. */
export interface NativeMasksLayout {
  /** Index of the output `[batch, channels, height, width]` ("first") or `[batch, height, width, channels]` ("last"). */
  readonly planes: number;
  readonly channels: "first" | "last";
  /** As many attributes as there are channels; null = each candidate has a plane of its own. */
  readonly coefficients: NativeHeadPart | null;
}

/** Masks of what is found. */
export interface NativeMasksRequest extends NativeMasksLayout {
  readonly sigmoid: boolean;
  /** Cells per unit of the boxes, at which masks end; null = they do not. */
  readonly boxScale: number | null;
  /** One for each picture. */
  readonly targets: readonly NativeMaskTarget[];
}

/** What the device is to make of the outputs of a run. */
export interface NativeDetectionRequest {
  readonly head: NativeDenseLayout | NativeQueriesLayout | NativeRowsLayout | NativeKeyPointQueriesLayout;
  readonly settings: NativeDecodeSettings;
  /** Not of queries with key points. */
  readonly masks?: NativeMasksRequest;
  /** Not of queries with key points, which have their own. */
  readonly keyPoints?: NativeKeyPointsRequest;
  /** The first ones of the batch; the others are padding. */
  readonly pictures: number;
  /** Indices of the outputs that are to be downloaded besides. */
  readonly outputs: readonly number[];
}

/** A class, or a value, for every pixel of each picture. */
export interface NativeMapRequest {
  /** Index of the output `[batch, channels, height, width]`, or, of one channel, `[batch, height, width]`. */
  readonly planes: number;
  /** null: values of the first channel. */
  readonly classes: NativeClassMapSettings | null;
  /** For values; classes are always enlarged by `triangle`. */
  readonly filter: NativeMapFilter;
  /** One for each picture; the rest of the batch is padding. */
  readonly placements: readonly NativePlacement[];
  /** Indices of the outputs that are to be downloaded besides. */
  readonly outputs: readonly number[];
}

export interface NativeMapRun {
  /** Values of pictures `[canvas.height, canvas.width]` where the request has no classes. */
  readonly pictures: readonly (NativeClassMap | Float32Array)[];
  readonly outputs: readonly NativeTensor[];
}

export interface NativeDecodedPicture {
  readonly rows: NativeDetectionRows;
  /** Where the request asks for them; null when they take more memory than masks on the device may take. */
  readonly masks?: NativeMaskRuns | null;
  /** Where the request asks for them, and of queries with key points. */
  readonly keyPoints?: NativeKeyPoints;
}

export interface NativeDetectionRun {
  readonly pictures: readonly NativeDecodedPicture[];
  readonly outputs: readonly NativeTensor[];
}

/** A tensor that a run has left on the device. */
export interface NativeDeviceTensor {
  /** ONNX's element type number. */
  readonly type: number;
  readonly dims: readonly number[];
  /** Ordinal of the GPU. */
  readonly device: number;
  /** Its elements. */
  read(cancel: NativeCancelToken | null): Promise<NativeTensor["data"]>;
  /** Once. Runs that were submitted before may still use it. */
  close(): Promise<void>;
}

/** In the place of a tensor, as an input or an output: one that is on the device. */
export interface NativeResident {
  readonly name: string;
  readonly resident: NativeDeviceTensor;
}

/** What becomes of an output. */
export type NativeOutputUse = "download" | "keep" | "ignore";

export interface NativeTensorRtEngine {
  readonly name: string;
  readonly inputs: readonly NativeTensorRtPort[];
  readonly outputs: readonly NativeTensorRtPort[];
  readonly libraryVersion: string;
  readonly builtByVersion: string;
  readonly layers: number;
  readonly profile: number;
  readonly profiles: number;
  readonly hardwareCompatibility: "none" | "ampere-plus" | "same-compute-capability";
  readonly device: number;
  readonly deviceName: string;
  /**
   * Inputs that lie in memory from `allocate` are read in place, others are copied; one may be pictures.
   * @param uses one for each output, in their order: those that are downloaded or kept come back. null downloads all.
   */
  run(
    inputs: readonly (NativeTensor | NativePictures | NativeResident)[],
    uses: readonly NativeOutputUse[] | null,
    cancel: NativeCancelToken | null,
  ): Promise<readonly (NativeTensor | NativeResident)[]>;
  /** Likewise, but the device decodes the outputs, which have to be float32 or float16 and stay where they are. Refuses a head that does not lie in them. */
  runDetections(
    inputs: readonly (NativeTensor | NativePictures | NativeResident)[],
    request: NativeDetectionRequest,
    cancel: NativeCancelToken | null,
  ): Promise<NativeDetectionRun>;
  /** Likewise. Together the pictures have at most 2^25 pixels. */
  runMaps(
    inputs: readonly (NativeTensor | NativePictures | NativeResident)[],
    request: NativeMapRequest,
    cancel: NativeCancelToken | null,
  ): Promise<NativeMapRun>;
  statistics(): NativeTensorRtStatistics;
  /** Counts a run that found no place in the queue. */
  countRefusal(): void;
  /** Once. Resolves when every run in progress has settled and the memory is free. */
  close(): Promise<void>;
}

export interface NativeTensorRtBuildOptions {
  readonly cudaLibraryPath: string;
  readonly tensorRtLibraryPath: string;
  /** Ordinal of the GPU, from 0. */
  readonly device: number;
  /** TensorRT 10 only. */
  readonly fp16: boolean;
  readonly stronglyTyped: boolean;
  readonly versionCompatible: boolean;
  /** 0 = no limit. */
  readonly workspaceBytes: number;
  readonly hardwareCompatibility: "none" | "ampere-plus" | "same-compute-capability";
  /** For inputs whose first size varies. */
  readonly batch: { readonly minimum: number; readonly optimum: number; readonly maximum: number } | null;
  /** For inputs `[pictures, channels, height, width]` whose last two sizes vary. */
  readonly imageSize: { readonly width: number; readonly height: number } | null;
  readonly profiles: readonly (readonly {
    readonly input: string;
    readonly minimum: readonly number[];
    readonly optimum: readonly number[];
    readonly maximum: readonly number[];
  }[])[];
  /** null: measure everything and keep nothing. */
  readonly timingCache: Uint8Array | null;
}

export interface NativeTensorRtBuildPhase {
  readonly name: string;
  /** "" = none. */
  readonly parent: string;
  readonly steps: number;
  readonly done: number;
}

export interface NativeBuiltEngine {
  readonly engine: Uint8Array;
  readonly inputs: readonly NativeTensorRtPort[];
  readonly outputs: readonly NativeTensorRtPort[];
  /** Of the network, before the builder fuses them. */
  readonly layers: number;
  readonly profiles: number;
  /** null when none was asked for. */
  readonly timingCache: Uint8Array | null;
  /** The given one is of another device or release, and was not used. */
  readonly timingCacheRefused: boolean;
  /** "" = none. */
  readonly warnings: string;
  readonly libraryVersion: string;
  readonly device: number;
  readonly deviceName: string;
  /** `8.9`. */
  readonly computeCapability: string;
}

/** Runs that wait or run now, and what became of the others. */
export interface NativeRunCounts {
  readonly waiting: number;
  readonly running: number;
  readonly completed: number;
  readonly failed: number;
  readonly cancelled: number;
  /** Rejected with QueueFullError. */
  readonly refused: number;
  /** The most that have waited at once. */
  readonly mostWaiting: number;
  /** The longest that a run has waited before the device's thread began with it. */
  readonly longestWaitMs: number;
}

export interface NativeTensorRtStatistics {
  readonly runs: NativeRunCounts;
  /** Of all engines of this environment on this device, since the first of those was loaded. */
  readonly deviceRuns: NativeRunCounts;
  readonly graphLaunches: number;
  readonly graphsCaptured: number;
  /** Captures that failed, after which the shape runs without a graph until it is tried again; and why the last one did. */
  readonly graphsGivenUp: number;
  readonly lastCaptureFailure: string | null;
  /** Weights and what else TensorRT holds, bytes. */
  readonly engineBytes: number;
  /** Per context. */
  readonly scratchBytes: number;
  /** In use on the device by all engines of this environment; pinned host memory likewise. */
  readonly deviceBytes: number;
  readonly pinnedBytes: number;
}

/** What a native failure looks like before `native/errors` turns it into one of ours. */
export interface NativeFailure extends Error {
  /** `invalid-argument`, `runtime`, `cancelled`, `closed`, `out-of-memory`, `cuda`, `tensorrt`, `out-of-device-memory`. */
  readonly nativeCode: string;
  /** Which step failed: "preprocess", "onnxruntime.run", ... */
  readonly stage: string;
  /** The function of somebody else's library that failed, and its answer. */
  readonly api?: string;
  readonly errorCode?: number;
  /** Of what cannot be used: a `GpuFailureReason`, or one that is of no interest here. */
  readonly reason?: string;
  /** Of memory that could not be had, where they are known. */
  readonly requestedBytes?: number;
  readonly freeBytes?: number;
}
