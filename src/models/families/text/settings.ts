/** What `inference.yml` says about a text detector and a text recogniser (PaddleOCR's layout). */
import { ModelInputError } from "../../../errors.js";
import { parseYaml, YamlSyntaxError, type YamlValue } from "../../../packages/index.js";

export interface TextDetectionSettings {
  /** Which side of the picture is brought to how many pixels; `limitType` as the file says it. */
  readonly limitSideLength: number;
  readonly limitType: string;
  /** Of channel values times `scale`, in the network's order. */
  readonly mean: readonly [number, number, number];
  readonly std: readonly [number, number, number];
  readonly scale: number;
  readonly colorFormat: "rgb" | "bgr";
  /** Pixels above it are text. */
  readonly threshold: number;
  /** Regions whose mean probability is below it are dropped. */
  readonly boxThreshold: number;
  readonly unclipRatio: number;
  readonly maximumCandidates: number;
}

export interface TextRecognitionSettings {
  /** `[channels, height, width]`; the width is the least one. */
  readonly imageShape: readonly [channels: number, height: number, width: number];
  /** Classes 1, 2, ... of the network. */
  readonly characters: readonly string[];
}

interface Source {
  readonly path: string;
}

function refuse({ path }: Source, problem: string, cause?: unknown): never {
  throw new ModelInputError(`${path}: ${problem} Export the package again, or correct the file.`, cause === undefined ? {} : { cause });
}

type Mapping = Readonly<Record<string, YamlValue>>;

function isMapping(value: YamlValue | undefined): value is Mapping {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function parse(content: string, source: Source): Mapping {
  let value: YamlValue;
  try {
    value = parseYaml(content);
  } catch (error) {
    if (error instanceof YamlSyntaxError) refuse(source, `it cannot be read (${error.message})`, error);
    throw error;
  }
  return isMapping(value) ? value : refuse(source, "it is not a mapping.");
}

const section = (of: Mapping, name: string): Mapping => {
  const value = of[name];
  return isMapping(value) ? value : {};
};

/** The first of `PreProcess.transform_ops` with this name. */
function operation(config: Mapping, name: string): Mapping {
  const operations = section(config, "PreProcess")["transform_ops"];
  const found = Array.isArray(operations) ? operations.find((one: YamlValue): one is Mapping => isMapping(one) && name in one) : undefined;
  return found === undefined ? {} : section(found, name);
}

function number(of: Mapping, name: string, standard: number, source: Source): number {
  const value = of[name] ?? standard;
  const parsed = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
  return typeof parsed === "number" && Number.isFinite(parsed)
    ? parsed
    : refuse(source, `${name} is ${JSON.stringify(value)}; expected a number.`);
}

const text = (of: Mapping, name: string, standard: string): string => {
  const value = of[name];
  return typeof value === "string" ? value : standard;
};

function triple(of: Mapping, name: string, standard: readonly [number, number, number], source: Source): readonly [number, number, number] {
  const value: YamlValue = of[name] ?? standard;
  if (Array.isArray(value) && value.length === 3) {
    const [a, b, c] = value as readonly YamlValue[];
    if (typeof a === "number" && typeof b === "number" && typeof c === "number") return [a, b, c];
  }
  return refuse(source, `${name} is ${JSON.stringify(value)}; expected three numbers.`);
}

/** A number, or a fraction written out: `1./255.` */
function scaleOf(of: Mapping, source: Source): number {
  const value = of["scale"] ?? 1 / 255;
  if (typeof value !== "string") return number(of, "scale", 1 / 255, source);
  const [numerator = "", denominator = "1", ...rest] = value.split("/");
  const scale = Number(numerator) / Number(denominator);
  const valid = rest.length === 0 && numerator.trim() !== "" && denominator.trim() !== "" && Number.isFinite(scale);
  return valid ? scale : refuse(source, `scale is ${JSON.stringify(value)}; expected a number or a fraction.`);
}

function requireAtLeast(name: string, value: number, minimum: number, source: Source): number {
  return value >= minimum ? value : refuse(source, `${name} is ${value}; expected at least ${minimum}.`);
}

/** Everything is optional and has a default. @throws ModelInputError */
export function parseTextDetectionSettings(content: string, source: Source): TextDetectionSettings {
  const config = parse(content, source);
  const resize = operation(config, "DetResizeForTest");
  const normalize = operation(config, "NormalizeImage");
  const post = section(config, "PostProcess");
  const std = triple(normalize, "std", [0.229, 0.224, 0.225], source);
  if (std.includes(0)) refuse(source, "std holds a 0.");
  return {
    limitSideLength: requireAtLeast("limit_side_len", Math.trunc(number(resize, "limit_side_len", 736, source)), 1, source),
    limitType: text(resize, "limit_type", "min"),
    mean: triple(normalize, "mean", [0.485, 0.456, 0.406], source),
    std,
    scale: scaleOf(normalize, source),
    colorFormat: text(operation(config, "DecodeImage"), "img_mode", "BGR").toUpperCase() === "RGB" ? "rgb" : "bgr",
    threshold: number(post, "thresh", 0.3, source),
    boxThreshold: number(post, "box_thresh", 0.6, source),
    unclipRatio: requireAtLeast("unclip_ratio", number(post, "unclip_ratio", 1.5, source), 0, source),
    maximumCandidates: requireAtLeast("max_candidates", Math.trunc(number(post, "max_candidates", 1000, source)), 0, source),
  };
}

/** Python's words, as the reference turns entries into text. */
function characterOf(entry: YamlValue, source: Source): string {
  if (typeof entry === "string") return entry;
  if (typeof entry === "number") return String(entry);
  return refuse(source, `character_dict holds ${JSON.stringify(entry)}; quote it if it is meant as text.`);
}

/** @throws ModelInputError without an input shape or characters. */
export function parseTextRecognitionSettings(content: string, source: Source): TextRecognitionSettings {
  const config = parse(content, source);
  const shape = operation(config, "RecResizeImg")["image_shape"];
  const sides: readonly YamlValue[] = Array.isArray(shape) ? (shape as readonly YamlValue[]) : [];
  const isSide = (side: YamlValue | undefined): side is number =>
    typeof side === "number" && Number.isInteger(side) && side >= 1 && side <= 65535;
  const [channels, height, width] = sides;
  if (sides.length !== 3 || !isSide(channels) || !isSide(height) || !isSide(width)) {
    refuse(source, `RecResizeImg.image_shape is ${JSON.stringify(shape ?? null)}; expected [channels, height, width].`);
  }
  const dictionary = section(config, "PostProcess")["character_dict"];
  if (!Array.isArray(dictionary)) refuse(source, "PostProcess.character_dict is missing; without it outputs are no text.");
  return { imageShape: [channels, height, width], characters: dictionary.map((entry: YamlValue) => characterOf(entry, source)) };
}
