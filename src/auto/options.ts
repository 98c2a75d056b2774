/** Everything that can be said when a model is loaded, and the checks of it that need no file and no network. */
import { InvalidOptionError } from "../errors.js";
import type { ExecutionProvider } from "../engines/index.js";
import {
  parseDevice,
  type BackendRequest,
  type BatchSizeRequest,
  type NmsFusionPreferences,
  type QuantizationRequest,
} from "../negotiation/index.js";
import { invalidOption, requireKnownOptions } from "../options.js";
import type { RecommendedParameters } from "../packages/index.js";
import type { AutoResolutionCache, ProgressEvent } from "../store/index.js";
import type { ModelAccessManager } from "./access-manager.js";

/** Where models come from, and as whom. */
export interface ProviderOptions {
  /** Name of a weights provider, or several in the order in which they are asked. Default `roboflow`. */
  readonly weightsProvider?: string | readonly string[];
  /** Default `ROBOFLOW_API_KEY`, for the Roboflow provider only; `local` means none. */
  readonly apiKey?: string;
  /** Added to the provider's queries; a name may repeat. */
  readonly weightsProviderExtraQueryParams?: readonly (readonly [name: string, value: string])[];
  readonly weightsProviderExtraHeaders?: Readonly<Record<string, string>>;
}

/** Which package of a model. */
export interface SelectionOptions {
  /** Exactly this package, whatever the other wishes and this machine say. */
  readonly modelPackageId?: string;
  /** `onnx`, `trt`, ... one or several; default any. */
  readonly backend?: BackendRequest;
  /** Pictures per network run: a number, or a range that one package must cover; default any. */
  readonly batchSize?: BatchSizeRequest;
  /** One or several; `[]` allows all. Default by device: cpu fp32, bf16; cuda fp32, fp16. */
  readonly quantization?: QuantizationRequest;
  /** `cpu`, `cuda`, `cuda:1`; default `DEFAULT_DEVICE`, else `cuda` where there is a GPU. */
  readonly device?: string;
  /** ONNX Runtime providers in order of preference; default those of `ONNXRUNTIME_EXECUTION_PROVIDERS` that this machine has. */
  readonly onnxExecutionProviders?: readonly ExecutionProvider[];
  /** Whether ONNX Runtime's TensorRT provider keeps its engines in the package's folder and computes in half precision. Default true. */
  readonly defaultOnnxTrtOptions?: boolean;
  /** Packages with NMS inside the network: wanted, not wanted (default), or wanted with these settings. */
  readonly nmsFusionPreferences?: boolean | NmsFusionPreferences;
  /** Packages from others than the provider itself, such as engines compiled on this machine. Default false. */
  readonly allowUntrustedPackages?: boolean;
  /** Engines that carry code of their own to run on newer TensorRT versions. Default true. */
  readonly trtEngineHostCodeAllowed?: boolean;
}

/** How packages get to the disk. */
export interface StorageOptions {
  /** At most so many of the ranked packages are tried; default all. */
  readonly maxPackageLoadingAttempts?: number;
  /** Seconds to wait for another process that shows no sign of life; default `INFERENCE_MODELS_FILE_LOCK_ACQUIRE_TIMEOUT`. */
  readonly fileLockTimeoutSeconds?: number;
  /** Default true. */
  readonly verifyHashWhileDownload?: boolean;
  /** Files for which the provider gives no hash are refused unless this is true. */
  readonly downloadFilesWithoutHash?: boolean;
  /** Whether a request that was resolved before is answered without asking the provider. Default true. */
  readonly useAutoResolutionCache?: boolean;
  /** Default: files in the cache folder. */
  readonly autoResolutionCache?: AutoResolutionCache;
  readonly onProgress?: (event: ProgressEvent) => void;
  /** Called with the package's folder after a successful load from a provider. */
  readonly onModelDirectory?: (directory: string) => void;
  readonly modelAccessManager?: ModelAccessManager;
}

/** How the loaded model works. */
export interface RuntimeOptions {
  /**
   * Which code prepares pictures and decodes outputs: `auto` takes the addon where there is one, `reference` plain TypeScript. `cuda` has
   * the GPU of a TensorRT package prepare pictures, which are uploaded as bytes; the CPU goes on decoding outputs, and prepares what
   * wants contrast enhancement.
   */
  readonly executor?: "auto" | "reference" | "cuda";
  /** Threads inside one network run, default 1; 0 = one per physical core. */
  readonly intraOpThreads?: number;
  /** Network runs at once, default 1. */
  readonly lanes?: number;
  /** Predictions that may wait for a place; one more rejects with QueueFullError. Default 256. */
  readonly queueLimit?: number;
  /** Thresholds for `confidence: "best"`, instead of the package's own. */
  readonly recommendedParameters?: RecommendedParameters;
  /** Options of a call that the model cannot honour are errors instead of one warning each. Default false. */
  readonly strictOptions?: boolean;
  /** Files with more pixels than this are refused before they are decoded; a sharp pipeline keeps its own limit. */
  readonly maximumPixels?: number;
  /**
   * Packages whose network takes larger pictures are refused: `n` (square) or `[width, height]`, pixels. For machines that have no memory
   * for them; Python's `rf_detr_max_input_resolution`, for every family.
   */
  readonly maximumInputSize?: number | readonly [width: number, height: number];
}

/** Other models that a model needs. */
export interface DependencyOptions {
  /** Default true. */
  readonly allowLoadingDependencyModels?: boolean;
  /** Names of those `modelOptions` that dependencies get too. Default none. */
  readonly forwardedOptions?: readonly string[];
  /** By the name of the dependency. Which model it is, the package says. */
  readonly dependencyModelsParams?: Readonly<Record<string, SelectionOptions & RuntimeOptions>>;
}

/** What a checkpoint file is; for nothing else. */
export interface CheckpointOptions {
  /** `rfdetr-base`, `rfdetr-seg-nano`, ... */
  readonly modelType?: string;
  /** `object-detection` or `instance-segmentation`; default by the type. */
  readonly taskType?: string;
}

export interface AutoModelOptions
  extends ProviderOptions, SelectionOptions, StorageOptions, RuntimeOptions, DependencyOptions, CheckpointOptions {
  /** Whether folders and files may be loaded. Default true. */
  readonly allowDirectLocalStorageLoading?: boolean;
  /** Whether a folder may bring code of its own. Default true: naming the folder is the decision. */
  readonly allowLocalCodePackages?: boolean;
  /** Handed to the class of a code package as it is. */
  readonly modelOptions?: Readonly<Record<string, unknown>>;
  /** Log lines about what is decided, at level info. */
  readonly verbose?: boolean;
  /** Stops loading; rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

type Check = readonly [expected: string, test: (value: unknown) => boolean];

const isObject = (value: unknown): boolean => typeof value === "object" && value !== null && !Array.isArray(value);
const isText = (value: unknown): value is string => typeof value === "string" && value.trim() !== "";
const isTexts = (value: unknown): boolean => Array.isArray(value) && value.length > 0 && value.every(isText);
const isSide = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 1;
const atLeast = (minimum: number): Check => [
  `an integer of at least ${minimum}`,
  (value) => Number.isSafeInteger(value) && (value as number) >= minimum,
];
const FLAG: Check = ["true or false", (value) => typeof value === "boolean"];
const TEXT: Check = ["text", isText];
const CALLBACK: Check = ["a function", (value) => typeof value === "function"];
const OBJECT: Check = ["an object", isObject];
/** Read by the room that knows what it means. */
const ELSEWHERE: Check = ["", () => true];

const SELECTION = {
  modelPackageId: TEXT,
  backend: ELSEWHERE,
  batchSize: ELSEWHERE,
  quantization: ELSEWHERE,
  device: [
    "`cpu`, `cuda` or `cuda:N`",
    (value) => {
      if (!isText(value)) return false;
      parseDevice(value);
      return true;
    },
  ],
  onnxExecutionProviders: ["a list of execution providers", Array.isArray],
  defaultOnnxTrtOptions: FLAG,
  nmsFusionPreferences: ["true, false or an object of preferences", (value) => typeof value === "boolean" || isObject(value)],
  allowUntrustedPackages: FLAG,
  trtEngineHostCodeAllowed: FLAG,
} as const satisfies Readonly<Record<keyof SelectionOptions, Check>>;

const RUNTIME = {
  executor: ['"auto", "reference" or "cuda"', (value) => value === "auto" || value === "reference" || value === "cuda"],
  intraOpThreads: atLeast(0),
  lanes: atLeast(1),
  queueLimit: atLeast(0),
  recommendedParameters: OBJECT,
  strictOptions: FLAG,
  maximumPixels: atLeast(1),
  maximumInputSize: [
    "a number of pixels, or [width, height]",
    (value) => isSide(value) || (Array.isArray(value) && value.length === 2 && value.every(isSide)),
  ],
} as const satisfies Readonly<Record<keyof RuntimeOptions, Check>>;

const PROVIDER = {
  weightsProvider: ["the name of a provider, or a list of names", (value) => isText(value) || isTexts(value)],
  apiKey: ["text", (value) => typeof value === "string"],
  weightsProviderExtraQueryParams: [
    "a list of pairs of texts",
    (value) =>
      Array.isArray(value) &&
      value.every((pair) => Array.isArray(pair) && pair.length === 2 && pair.every((part) => typeof part === "string")),
  ],
  weightsProviderExtraHeaders: [
    "an object of texts",
    (value) => isObject(value) && Object.values(value as object).every((header) => typeof header === "string"),
  ],
} as const satisfies Readonly<Record<keyof ProviderOptions, Check>>;

const CHECKS: Readonly<Record<keyof AutoModelOptions, Check>> = {
  ...PROVIDER,
  ...SELECTION,
  ...RUNTIME,
  maxPackageLoadingAttempts: atLeast(1),
  fileLockTimeoutSeconds: ["a number of seconds", (value) => Number.isFinite(value) && (value as number) >= 0],
  verifyHashWhileDownload: FLAG,
  downloadFilesWithoutHash: FLAG,
  useAutoResolutionCache: FLAG,
  autoResolutionCache: OBJECT,
  onProgress: CALLBACK,
  onModelDirectory: CALLBACK,
  modelAccessManager: OBJECT,
  allowLoadingDependencyModels: FLAG,
  dependencyModelsParams: OBJECT,
  forwardedOptions: ["a list of names", (value) => Array.isArray(value) && value.every(isText)],
  modelType: TEXT,
  taskType: TEXT,
  allowDirectLocalStorageLoading: FLAG,
  allowLocalCodePackages: FLAG,
  modelOptions: OBJECT,
  verbose: FLAG,
  signal: ["an AbortSignal", (value) => value instanceof AbortSignal],
};

/** Names of all options. */
export const AUTO_MODEL_OPTIONS: readonly string[] = Object.keys(CHECKS);

function check(options: object, checks: Readonly<Record<string, Check>>, where: string): void {
  if (!isObject(options)) throw new InvalidOptionError(`Expected an object of options for ${where}.`, { parameter: "options" });
  requireKnownOptions(options, Object.keys(checks), where);
  for (const [name, [expected, test]] of Object.entries(checks)) {
    const value = (options as Readonly<Record<string, unknown>>)[name];
    if (value !== undefined && !test(value)) throw invalidOption(name, expected, value);
  }
}

/** @throws InvalidOptionError for an unknown option or one with an impossible value. */
export function checkAutoModelOptions(options: AutoModelOptions): void {
  check(options, CHECKS, "AutoModel.fromPretrained");
}

/** @throws InvalidOptionError */
export function checkProviderOptions(options: object, more: readonly string[], where: string): void {
  check(options, { ...PROVIDER, signal: CHECKS.signal, ...Object.fromEntries(more.map((name) => [name, ELSEWHERE])) }, where);
}

/** Parameters of one dependency. @throws InvalidOptionError */
export function checkDependencyParameters(parameters: object, where: string): void {
  check(parameters, { ...SELECTION, ...RUNTIME }, where);
}
