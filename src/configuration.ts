/**
 * Every setting, declared once: environment variable, kind, default, meaning. No other file reads the environment.
 *
 * Variables are read when they are first needed, not when the package is imported, so that a malformed value of something
 * unrelated breaks nothing, and tests or two configurations in one process stay possible.
 */
import { InvalidEnvVariable, InvalidParameterError } from "./errors.js";
import { invalidOption, requireKnownOptions } from "./options.js";

type Kind = "boolean" | "integer" | "number" | "text" | "list" | "integers";

interface Variable<K extends Kind, Value> {
  readonly name: string;
  readonly kind: K;
  readonly standard: Value;
  readonly meaning: string;
  /** Setting of `defaults.general` that counts when this one is not given. */
  readonly inherits?: General;
  /** What counts instead of `standard` where another setting decides. */
  readonly dependent?: () => Value;
  /** Another spelling, read when the first is not set. */
  readonly oldName?: string;
}

type General = "confidence" | "iouThreshold" | "maxDetections" | "classAgnosticNms";

function fail(name: string, value: string, expected: string): never {
  throw new InvalidEnvVariable(`The environment variable ${name} is "${value}"; expected ${expected}. Correct or unset it.`, {
    variable: name,
    value,
  });
}

/** `true` or `false` in any case. @throws InvalidEnvVariable */
export function parseBoolean(name: string, text: string): boolean {
  const lower = text.toLowerCase();
  if (lower !== "true" && lower !== "false") fail(name, text, "true or false");
  return lower === "true";
}

/** @throws InvalidEnvVariable */
export function parseInteger(name: string, text: string): number {
  if (!/^\s*[+-]?\d+\s*$/.test(text)) fail(name, text, "an integer");
  return Number(text);
}

/** @throws InvalidEnvVariable */
export function parseNumber(name: string, text: string): number {
  if (!/^\s*[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?\s*$/i.test(text)) fail(name, text, "a number");
  return Number(text);
}

/** Comma separated, trimmed, blanks dropped. */
export function splitList(text: string): readonly string[] {
  return text
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "");
}

/** Comma separated integers, blanks dropped. @throws InvalidEnvVariable */
export function parseIntegerList(name: string, text: string): readonly number[] {
  return splitList(text).map((part) => parseInteger(name, part));
}

const DEFAULTS = "INFERENCE_MODELS_";

function inheriting(general: General | undefined) {
  return general === undefined ? {} : { inherits: general };
}
function unit(name: string, standard: number, meaning: string, inherits?: General): Variable<"number", number> {
  return { name: DEFAULTS + name, kind: "number", standard, meaning, ...inheriting(inherits) };
}
function count(name: string, standard: number, meaning: string, inherits?: General): Variable<"integer", number> {
  return { name: DEFAULTS + name, kind: "integer", standard, meaning, ...inheriting(inherits) };
}
function flag(name: string, standard: boolean, meaning: string, inherits?: General): Variable<"boolean", boolean> {
  return { name: DEFAULTS + name, kind: "boolean", standard, meaning, ...inheriting(inherits) };
}

/** What families without a value of their own take. */
const GENERAL = {
  confidence: unit("DEFAULT_CONFIDENCE", 0.4, "Default confidence of every family that names no other."),
  iouThreshold: unit("DEFAULT_IOU_THRESHOLD", 0.3, "Default IoU threshold of every family with NMS."),
  maxDetections: count("DEFAULT_MAX_DETECTIONS", 300, "Default limit of detections of every family that has one."),
  classAgnosticNms: flag("DEFAULT_CLASS_AGNOSTIC_NMS", false, "Whether classes compete in NMS, for every family with NMS."),
} as const satisfies Readonly<Record<General, Variable<Kind, number | boolean>>>;

/** A confidence that a family takes from the general one, or names itself. */
function confidence(prefix: string, title: string, own?: number) {
  const name = `${prefix}_DEFAULT_CONFIDENCE`;
  const meaning = `Default confidence of ${title}.`;
  return own === undefined ? unit(name, GENERAL.confidence.standard, meaning, "confidence") : unit(name, own, meaning);
}

function maxDetections(prefix: string, title: string) {
  const { standard } = GENERAL.maxDetections;
  return count(`${prefix}_DEFAULT_MAX_DETECTIONS`, standard, `Default limit of detections of ${title}.`, "maxDetections");
}

/** Defaults of a family with NMS of its own. */
function nmsFamily(prefix: string, title: string, ownConfidence?: number) {
  const { iouThreshold, classAgnosticNms } = GENERAL;
  return {
    confidence: confidence(prefix, title, ownConfidence),
    iouThreshold: unit(`${prefix}_DEFAULT_IOU_THRESHOLD`, iouThreshold.standard, `Default IoU threshold of ${title}.`, "iouThreshold"),
    maxDetections: maxDetections(prefix, title),
    classAgnosticNms: flag(
      `${prefix}_DEFAULT_CLASS_AGNOSTIC_NMS`,
      classAgnosticNms.standard,
      `Whether classes compete in NMS of ${title}.`,
      "classAgnosticNms",
    ),
  };
}

/** Raw numbers of a network are cut at 0, probabilities in the middle. */
function thresholdOfMasks(): number {
  return configuration().defaults.yoloUltralytics.masksSmoothingEnabled ? 0.5 : 0;
}

function keyPointsThreshold(prefix: string, title: string, standard: number) {
  return unit(`${prefix}_DEFAULT_KEY_POINTS_THRESHOLD`, standard, `Key points of ${title} below this confidence count as invisible.`);
}

const VARIABLES = {
  native: {
    addon: {
      name: "INFERENCE_MODELS_NATIVE",
      kind: "text",
      standard: "",
      meaning: '"off" runs without the native addon; a path loads another binary.',
    },
    onnxRuntime: {
      name: "INFERENCE_MODELS_ONNXRUNTIME",
      kind: "text",
      standard: "",
      meaning: "Path of another ONNX Runtime library than onnxruntime-node's.",
    },
  },
  onnx: {
    executionProviders: {
      name: "ONNXRUNTIME_EXECUTION_PROVIDERS",
      kind: "list",
      standard: ["CUDAExecutionProvider", "OpenVINOExecutionProvider", "CoreMLExecutionProvider", "CPUExecutionProvider"],
      meaning:
        "Execution providers in order of preference, when the caller names none. Those that this machine does not have are left out.",
    },
  },
  api: {
    key: {
      name: "ROBOFLOW_API_KEY",
      kind: "text",
      standard: "",
      meaning: "API key of the Roboflow provider when the caller gives none; `local` means none.",
    },
    environment: {
      name: "ROBOFLOW_ENVIRONMENT",
      kind: "text",
      standard: "prod",
      meaning: "`prod`; anything else selects the staging hosts.",
    },
    region: { name: "ROBOFLOW_REGION", kind: "text", standard: "us", meaning: "`us` or `eu`: which hosts serve the API." },
    host: {
      name: "ROBOFLOW_API_HOST",
      kind: "text",
      standard: "",
      meaning: "Address of the API, instead of the one by region and environment.",
    },
    secureGateway: {
      name: "SECURE_GATEWAY",
      kind: "text",
      standard: "",
      meaning: "Address of a gateway through which every API answer and every file is fetched.",
    },
    licenseServer: {
      name: "LICENSE_SERVER",
      kind: "text",
      standard: "",
      meaning: "Old name of `SECURE_GATEWAY`, used when that is empty. Deprecated.",
    },
    callsTimeoutSeconds: {
      name: "API_CALLS_TIMEOUT",
      kind: "integer",
      standard: 5,
      meaning: "Seconds for connecting to the API, and for each wait for its answer.",
    },
    callsMaxTries: { name: "API_CALLS_MAX_TRIES", kind: "integer", standard: 3, meaning: "Attempts of one API call, the first included." },
    retryStatuses: {
      name: "IDEMPOTENT_API_REQUEST_CODES_TO_RETRY",
      kind: "integers",
      standard: [408, 429, 502, 503, 504],
      meaning: "HTTP statuses after which a request is tried again.",
    },
  },
  download: {
    connectTimeoutSeconds: {
      name: "CHUNK_DOWNLOAD_CONNECT_TIMEOUT",
      kind: "number",
      standard: 30,
      meaning: "Seconds for connecting to a file server.",
    },
    readTimeoutSeconds: {
      name: "CHUNK_DOWNLOAD_READ_TIMEOUT",
      kind: "number",
      standard: 60,
      meaning: "Seconds without a single byte after which a download is interrupted and resumed.",
    },
    maxAttempts: {
      name: "CHUNK_DOWNLOAD_MAX_ATTEMPTS",
      kind: "integer",
      standard: 60,
      meaning: "How often a download that makes progress may be resumed.",
    },
    parallelFiles: count("PARALLEL_DOWNLOADS", 8, "Files that are downloaded at once."),
  },
  cache: {
    home: {
      name: "INFERENCE_HOME",
      kind: "text",
      standard: "",
      meaning: "Folder of the cache. Not set: that of `MODEL_CACHE_DIR`, else the user's cache folder.",
    },
    xdgCacheHome: {
      name: "XDG_CACHE_HOME",
      kind: "text",
      standard: "",
      meaning: "The user's cache folder where it is not `~/.cache` (neither on Windows nor macOS). Ignored unless absolute.",
    },
    localAppData: {
      name: "LOCALAPPDATA",
      kind: "text",
      standard: "",
      meaning: "The user's folder for data of this machine, on Windows only.",
    },
    legacyHome: { name: "MODEL_CACHE_DIR", kind: "text", standard: "", meaning: "Folder of the cache when `INFERENCE_HOME` is not set." },
    lockTimeoutSeconds: {
      name: "INFERENCE_MODELS_FILE_LOCK_ACQUIRE_TIMEOUT",
      kind: "integer",
      standard: 20,
      meaning: "Seconds to wait for a lock whose owner shows no sign of life.",
    },
    resolutionExpirationMinutes: {
      name: "AUTO_LOADER_CACHE_EXPIRATION_MINUTES",
      kind: "integer",
      standard: 1440,
      meaning: "Minutes for which a resolved request is answered without asking the provider again.",
    },
    maxBytes: count("CACHE_MAX_BYTES", 0, "Size at which the least recently used packages are removed from the cache; 0 = never."),
  },
  offline: {
    enabled: {
      name: "OFFLINE_MODE",
      kind: "boolean",
      standard: false,
      meaning: "Whether models come from the cache and the offline registry alone. Decided once per process.",
    },
    warmUp: {
      name: "OFFLINE_MODE_WARM_UP",
      kind: "boolean",
      standard: false,
      meaning: "Whether successful loads are recorded for offline use.",
    },
  },
  device: {
    standard: {
      name: "DEFAULT_DEVICE",
      kind: "text",
      standard: "",
      meaning: "Device of models for which the caller names none: `cpu`, `cuda`, `cuda:1`. Not set: `cuda` where there is a GPU.",
    },
    runningOnJetson: {
      name: "RUNNING_ON_JETSON",
      kind: "text",
      standard: "",
      meaning: "`true` or `false` decides whether this is a Jetson. Not set: looked at the machine.",
    },
    l4tVersion: { name: "L4T_VERSION", kind: "text", standard: "", meaning: "Version of L4T. Not set: looked at the machine." },
    jetsonModule: {
      name: "JETSON_MODULE",
      kind: "text",
      standard: "",
      meaning: "Name of the Jetson module. Not set: looked at the machine.",
    },
    cudaLibraryPath: {
      name: "INFERENCE_MODELS_CUDA_LIBRARY_PATH",
      kind: "text",
      standard: "",
      meaning: "Folder of libcuda and libcudart, instead of the loader's search.",
    },
    tensorRtLibraryPath: {
      name: "INFERENCE_MODELS_TENSORRT_LIBRARY_PATH",
      kind: "text",
      standard: "",
      meaning: "Folder of libnvinfer and its parser, instead of the loader's search.",
    },
  },
  inputs: {
    maximumPixels: count("MAXIMUM_PIXELS", 100_000_000, "Pictures with more pixels are refused before they are decoded."),
  },
  defaults: {
    general: GENERAL,
    yoloUltralytics: {
      ...nmsFamily("YOLO_ULTRALYTICS", "YOLOv8, v9, v11 and v12"),
      masksSmoothingEnabled: flag(
        "YOLO_ULTRALYTICS_DEFAULT_MASKS_SMOOTHING_ENABLED",
        true,
        "Whether masks of YOLOv8 and v11 become probabilities before they are enlarged.",
      ),
      masksBinarizationThreshold: {
        ...unit(
          "YOLO_ULTRALYTICS_DEFAULT_MASKS_BINARIZATION_THRESHOLD",
          0.5,
          "Mask values of YOLOv8 and v11 above this belong to the mask. Not set: 0 where masks are not smoothed.",
        ),
        dependent: thresholdOfMasks,
      },
      keyPointsThreshold: keyPointsThreshold("YOLO_ULTRALYTICS", "YOLOv8 and v11", 0),
    },
    yolov5: nmsFamily("YOLOV5", "YOLOv5"),
    yolov7: nmsFamily("YOLOV7", "YOLOv7"),
    yolact: nmsFamily("YOLACT", "YOLACT"),
    yololite: nmsFamily("YOLOLITE", "YOLOLite", 0.25),
    yolonas: nmsFamily("YOLONAS", "YOLO-NAS"),
    yolov10: {
      confidence: confidence("YOLOV10", "YOLOv10"),
      maxDetections: maxDetections("YOLOV10", "YOLOv10"),
    },
    yolo26: { confidence: confidence("YOLO26", "YOLO26", 0.25), keyPointsThreshold: keyPointsThreshold("YOLO26", "YOLO26", 0.3) },
    rfdetr: {
      confidence: confidence("RFDETR", "RF-DETR"),
      maxDetections: maxDetections("RFDETR", "RF-DETR with masks"),
      keyPointsThreshold: {
        ...keyPointsThreshold("RFDETR", "RF-DETR", 0.3),
        oldName: "INFERENCE_MODELS_DETR_DEFAULT_KEY_POINTS_THRESHOLD",
      },
    },
    deepLabV3Plus: { confidence: confidence("DEEP_LAB_V3_PLUS", "DeepLabV3+", 0.5) },
    vitClassifier: { confidence: confidence("VIT_CLASSIFIER", "ViT with several labels") },
    resnet: { confidence: confidence("RESNET", "ResNet with several labels") },
    owlv2: nmsFamily("OWLV2", "OWLv2", 0.99),
    groundingDino: {
      confidence: unit("GROUNDING_DINO_DEFAULT_BOX_CONFIDENCE", 0.5, "Default confidence of Grounding DINO."),
      iouThreshold: unit("GROUNDING_DINO_DEFAULT_IOU_THRESHOLD", 0.5, "Default IoU threshold of Grounding DINO."),
      maxDetections: maxDetections("GROUNDING_DINO", "Grounding DINO"),
      classAgnosticNms: flag(
        "GROUNDING_DINO_DEFAULT_CLASS_AGNOSTIC_NMS",
        false,
        "Whether classes compete in NMS of Grounding DINO.",
        "classAgnosticNms",
      ),
    },
    dinov3: { confidence: confidence("DINOV3", "DINOv3 with several labels", 0.5) },
  },
} as const satisfies Readonly<Record<string, Readonly<Record<string, object>>>>;

type ValueOf<V> =
  V extends Variable<"boolean", infer _>
    ? boolean
    : V extends { readonly kind: "boolean" }
      ? boolean
      : V extends { readonly kind: "integer" | "number" }
        ? number
        : V extends { readonly kind: "text" }
          ? string
          : V extends { readonly kind: "list" }
            ? readonly string[]
            : V extends { readonly kind: "integers" }
              ? readonly number[]
              : { readonly [Key in keyof V]: ValueOf<V[Key]> };

export type Configuration = { readonly [Group in keyof typeof VARIABLES]: ValueOf<(typeof VARIABLES)[Group]> };

type DeepPartial<T> = T extends readonly unknown[] ? T : T extends object ? { readonly [Key in keyof T]?: DeepPartial<T[Key]> } : T;

let overrides: DeepPartial<Configuration> = {};

/**
 * Settings from code: they win over the environment, and options of a call win over them. Replaces earlier ones.
 * @throws InvalidOptionError for a setting that does not exist, or a value of the wrong type.
 */
export function configure(settings: DeepPartial<Configuration>): void {
  checkSettings(VARIABLES, settings, "configure");
  overrides = settings;
}

type AnyVariable = Variable<Kind, boolean | number | string | readonly string[] | readonly number[]>;

function isVariable(value: object): value is AnyVariable {
  return "kind" in value && "name" in value;
}

const EXPECTED: Readonly<Record<Kind, readonly [text: string, test: (value: unknown) => boolean]>> = {
  boolean: ["true or false", (value) => typeof value === "boolean"],
  integer: ["an integer", (value) => Number.isSafeInteger(value)],
  number: ["a number", (value) => Number.isFinite(value)],
  text: ["text", (value) => typeof value === "string"],
  list: ["a list of texts", (value) => Array.isArray(value) && value.every((element) => typeof element === "string")],
  integers: ["a list of integers", (value) => Array.isArray(value) && value.every((element) => Number.isSafeInteger(element))],
};

function checkSettings(node: object, settings: unknown, where: string): void {
  if (settings === undefined) return;
  if (isVariable(node)) {
    const [expected, test] = EXPECTED[node.kind];
    if (!test(settings)) throw invalidOption(where, expected, settings);
    return;
  }
  if (typeof settings !== "object" || settings === null) throw invalidOption(where, "an object", settings);
  requireKnownOptions(settings, Object.keys(node), where);
  for (const [key, child] of Object.entries(node) as [string, object][]) {
    checkSettings(child, (settings as Readonly<Record<string, unknown>>)[key], `${where}.${key}`);
  }
}

/** What the environment says, or undefined. */
function readVariable({ name: newName, oldName, kind }: AnyVariable): unknown {
  const name = oldName !== undefined && process.env[newName] === undefined ? oldName : newName;
  const text = process.env[name];
  if (text === undefined || (text === "" && ["text", "list", "integers"].includes(kind))) return undefined;
  switch (kind) {
    case "boolean":
      return parseBoolean(name, text);
    case "integer":
      return parseInteger(name, text);
    case "number":
      return parseNumber(name, text);
    case "list":
      // The reference allows the list to be written in brackets.
      return splitList(text.trim().replace(/^\[(.*)\]$/s, "$1"));
    case "integers":
      return parseIntegerList(name, text);
    case "text":
      return text;
  }
}

function resolve(variable: AnyVariable, given: unknown): unknown {
  const own = given ?? readVariable(variable);
  if (own !== undefined) return own;
  const { inherits, standard, dependent } = variable;
  if (dependent !== undefined) return dependent();
  return inherits === undefined ? standard : resolve(GENERAL[inherits], overrides.defaults?.general?.[inherits]);
}

/** A view whose properties read their variable when they are looked at. */
function view(node: object, override: unknown): object {
  const result = {};
  for (const [key, child] of Object.entries(node) as [string, object][]) {
    const given = typeof override === "object" && override !== null ? (override as Readonly<Record<string, unknown>>)[key] : undefined;
    const get = isVariable(child) ? () => resolve(child, given) : () => view(child, given);
    Object.defineProperty(result, key, { get, enumerable: true });
  }
  return result;
}

/** @throws InvalidEnvVariable on the property whose variable is malformed. */
export function configuration(): Configuration {
  return view(VARIABLES, overrides) as Configuration;
}

/**
 * Reads variables from a file of `NAME=value` lines; those that are set already keep their value. Nothing reads such a file by itself: it
 * may name libraries to load, so it is for the program to say that the folder is trusted.
 *
 * @param path default `.env` in the working directory.
 * @returns false when there is no such file.
 * @throws InvalidParameterError when it cannot be read.
 */
export function loadDotEnv(path = ".env"): boolean {
  try {
    process.loadEnvFile(path);
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return false;
    throw new InvalidParameterError(`The file of environment variables ${path} cannot be read. Correct or remove it.`, {
      parameter: "path",
      cause: error,
    });
  }
}

export interface VariableDescription {
  readonly name: string;
  readonly kind: Kind;
  readonly standard: string;
  readonly meaning: string;
}

function collect(node: object): readonly VariableDescription[] {
  return Object.values(node).flatMap((child: object) => (isVariable(child) ? describeVariable(child) : collect(child)));
}

function describeVariable({ name, oldName, kind, standard, meaning, inherits }: AnyVariable): readonly VariableDescription[] {
  const source = inherits === undefined ? "" : ` Not set: that of \`${GENERAL[inherits].name}\`.`;
  const description = { name, kind, standard: String(standard), meaning: meaning + source };
  if (oldName === undefined) return [description];
  return [description, { ...description, name: oldName, meaning: `Old name of \`${name}\`, used when that is not set.` }];
}

/** All variables, for documentation. */
export const ENVIRONMENT_VARIABLES: readonly VariableDescription[] = collect(VARIABLES);
