/**
 * Every setting, declared once: environment variable, kind, default, meaning. No other file reads the environment.
 *
 * Variables are read when they are first needed, not when the package is imported, so that a malformed value of something
 * unrelated breaks nothing, and tests or two configurations in one process stay possible.
 */
import { InvalidEnvVariable } from "./errors.js";

type Kind = "boolean" | "integer" | "number" | "text" | "list";

interface Variable<K extends Kind, Value> {
  readonly name: string;
  readonly kind: K;
  readonly standard: Value;
  readonly meaning: string;
}

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
  if (!/^\s*[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?\s*$/i.test(text)) fail(name, text, "a number");
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

function unit(name: string, standard: number, meaning: string): Variable<"number", number> {
  return { name: DEFAULTS + name, kind: "number", standard, meaning };
}
function count(name: string, standard: number, meaning: string): Variable<"integer", number> {
  return { name: DEFAULTS + name, kind: "integer", standard, meaning };
}
function flag(name: string, standard: boolean, meaning: string): Variable<"boolean", boolean> {
  return { name: DEFAULTS + name, kind: "boolean", standard, meaning };
}

/** Defaults of a family with NMS of its own. */
function nmsFamily(prefix: string, title: string, confidence = 0.4) {
  return {
    confidence: unit(`${prefix}_DEFAULT_CONFIDENCE`, confidence, `Default confidence of ${title}.`),
    iouThreshold: unit(`${prefix}_DEFAULT_IOU_THRESHOLD`, 0.3, `Default IoU threshold of ${title}.`),
    maxDetections: count(`${prefix}_DEFAULT_MAX_DETECTIONS`, 300, `Default limit of detections of ${title}.`),
    classAgnosticNms: flag(`${prefix}_DEFAULT_CLASS_AGNOSTIC_NMS`, false, `Whether classes compete in NMS of ${title}.`),
  };
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
      standard: ["cpu"],
      meaning: "Execution providers in order of preference, when the caller names none.",
    },
  },
  inputs: {
    maximumPixels: count("MAXIMUM_PIXELS", 100_000_000, "Pictures with more pixels are refused before they are decoded."),
  },
  defaults: {
    yoloUltralytics: nmsFamily("YOLO_ULTRALYTICS", "YOLOv8, v9, v11 and v12"),
    yolov5: nmsFamily("YOLOV5", "YOLOv5"),
    yololite: nmsFamily("YOLOLITE", "YOLOLite", 0.25),
    yolonas: nmsFamily("YOLONAS", "YOLO-NAS"),
    yolov10: {
      confidence: unit("YOLOV10_DEFAULT_CONFIDENCE", 0.4, "Default confidence of YOLOv10."),
      maxDetections: count("YOLOV10_DEFAULT_MAX_DETECTIONS", 300, "Default limit of detections of YOLOv10."),
    },
    yolo26: { confidence: unit("YOLO26_DEFAULT_CONFIDENCE", 0.25, "Default confidence of YOLO26.") },
    rfdetr: { confidence: unit("RFDETR_DEFAULT_CONFIDENCE", 0.4, "Default confidence of RF-DETR.") },
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
            : { readonly [Key in keyof V]: ValueOf<V[Key]> };

export type Configuration = { readonly [Group in keyof typeof VARIABLES]: ValueOf<(typeof VARIABLES)[Group]> };

type DeepPartial<T> = T extends readonly unknown[] ? T : T extends object ? { readonly [Key in keyof T]?: DeepPartial<T[Key]> } : T;

let overrides: DeepPartial<Configuration> = {};

/** Settings from code: they win over the environment, and options of a call win over them. Replaces earlier ones. */
export function configure(settings: DeepPartial<Configuration>): void {
  overrides = settings;
}

function isVariable(value: object): value is Variable<Kind, boolean | number | string | readonly string[]> {
  return "kind" in value && "name" in value;
}

function readVariable({ name, kind, standard }: Variable<Kind, boolean | number | string | readonly string[]>): unknown {
  const text = process.env[name];
  if (text === undefined || (text === "" && (kind === "text" || kind === "list"))) return standard;
  switch (kind) {
    case "boolean":
      return parseBoolean(name, text);
    case "integer":
      return parseInteger(name, text);
    case "number":
      return parseNumber(name, text);
    case "list":
      return splitList(text);
    case "text":
      return text;
  }
}

/** A view whose properties read their variable when they are looked at. */
function view(node: object, override: unknown): object {
  const result = {};
  for (const [key, child] of Object.entries(node) as [string, object][]) {
    const given = typeof override === "object" && override !== null ? (override as Readonly<Record<string, unknown>>)[key] : undefined;
    const get = isVariable(child) ? () => given ?? readVariable(child) : () => view(child, given);
    Object.defineProperty(result, key, { get, enumerable: true });
  }
  return result;
}

/** @throws InvalidEnvVariable on the property whose variable is malformed. */
export function configuration(): Configuration {
  return view(VARIABLES, overrides) as Configuration;
}

export interface VariableDescription {
  readonly name: string;
  readonly kind: Kind;
  readonly standard: string;
  readonly meaning: string;
}

function collect(node: object): readonly VariableDescription[] {
  return Object.values(node).flatMap((child: object) =>
    isVariable(child) ? [{ name: child.name, kind: child.kind, standard: String(child.standard), meaning: child.meaning }] : collect(child),
  );
}

/** All variables, for documentation. */
export const ENVIRONMENT_VARIABLES: readonly VariableDescription[] = collect(VARIABLES);
