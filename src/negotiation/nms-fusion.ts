/** Packages whose network ends in NMS: whether they are wanted, and how well their settings fit. */
import { invalidOption, requireKnownOptions } from "../options.js";
import type { ModelPackageMetadata } from "../packages/index.js";
import type { Filter } from "./filters.js";
import type { NmsFusionPreferences, NumberPreference, Refusal } from "./types.js";

type Preference = boolean | NmsFusionPreferences | null;

const NUMBERS = [
  ["maxDetections", "max_detections"],
  ["confidenceThreshold", "confidence_threshold"],
  ["iouThreshold", "iou_threshold"],
] as const;

/** What `true` asks for. */
const STANDARD: NmsFusionPreferences = { maxDetections: 300, confidenceThreshold: 0.25, iouThreshold: 0.7, classAgnostic: false };

interface FusedNms {
  readonly maxDetections: number;
  readonly confidenceThreshold: number;
  readonly iouThreshold: number;
  readonly classAgnostic: boolean;
}

function read(entry: unknown): FusedNms | null {
  if (typeof entry !== "object" || entry === null) return null;
  const record = entry as Readonly<Record<string, unknown>>;
  const [maxDetections, confidenceThreshold, iouThreshold] = NUMBERS.map(([, key]) => record[key]);
  const classAgnostic = record["class_agnostic"];
  const numbers = [maxDetections, confidenceThreshold, iouThreshold].every((value) => typeof value === "number");
  if (!numbers || !(typeof classAgnostic === "boolean" || classAgnostic === 0 || classAgnostic === 1)) return null;
  return {
    maxDetections: maxDetections as number,
    confidenceThreshold: confidenceThreshold as number,
    iouThreshold: iouThreshold as number,
    classAgnostic: Boolean(classAgnostic),
  };
}

/** What came from JavaScript may be anything; a misspelled key must not be taken for no preference. @throws InvalidOptionError */
export function parseNmsFusionPreferences(value: Preference): Preference {
  if (value === null || typeof value === "boolean") return value;
  if (typeof value !== "object") throw invalidOption("nmsFusionPreferences", "true, false or an object", value);
  requireKnownOptions(value, [...NUMBERS.map(([name]) => name), "classAgnostic"], "nmsFusionPreferences");
  for (const [name] of NUMBERS) {
    const wish: unknown = value[name];
    const numbers: readonly unknown[] = Array.isArray(wish) && wish.length === 2 ? wish : [wish];
    if (wish !== undefined && !numbers.every(Number.isFinite)) {
      throw invalidOption(`nmsFusionPreferences.${name}`, "a number or a pair of numbers", wish);
    }
  }
  const classAgnostic: unknown = value.classAgnostic;
  if (classAgnostic !== undefined && typeof classAgnostic !== "boolean") {
    throw invalidOption("nmsFusionPreferences.classAgnostic", "true or false", classAgnostic);
  }
  return value;
}

const isRange = (preference: NumberPreference): preference is readonly [number, number] => typeof preference === "object";

function meets(value: number, preference: NumberPreference): boolean {
  if (!isRange(preference)) return value === preference;
  const [a, b] = preference;
  return Math.min(a, b) <= value && value <= Math.max(a, b);
}

function mismatch(key: string, value: unknown, preference: unknown): Refusal {
  return {
    code: "NMS_FUSION_PREFERENCE_MISMATCH",
    message: `The package's fused NMS has ${key} ${String(value)}; nmsFusionPreferences asks for ${JSON.stringify(preference)}.`,
    details: { key, value, preference },
  };
}

/** Packages without fused NMS always pass, even when fusion is preferred. */
export function nmsFusionFilter(preference: Preference): Filter {
  return ({ modelFeatures }) => {
    const entry = modelFeatures?.["nms_fused"];
    if (entry === undefined || entry === null) return null;
    if (preference === null || preference === false) {
      return {
        code: "NMS_FUSION_NOT_REQUESTED",
        message: "NMS is part of the package's network, with fixed thresholds. Pass nmsFusionPreferences: true to accept such packages.",
        details: { nmsFused: entry },
      };
    }
    const fused = read(entry);
    if (fused === null) {
      return {
        code: "NMS_FUSION_MALFORMED",
        message: "The package's description of its fused NMS is incomplete.",
        details: { nmsFused: entry },
      };
    }
    const wanted = preference === true ? STANDARD : preference;
    for (const [name] of NUMBERS) {
      const wish = wanted[name];
      if (wish !== undefined && !meets(fused[name], wish)) return mismatch(name, fused[name], wish);
    }
    if (wanted.classAgnostic !== undefined && wanted.classAgnostic !== fused.classAgnostic) {
      return mismatch("classAgnostic", fused.classAgnostic, wanted.classAgnostic);
    }
    return null;
  };
}

/** Settings that differ by less are the same. */
const TOLERANCE = 1e-5;

/** 1 in the middle of the range, 0.5 at its ends, 0 outside; a range of one point scores 0 or 1. */
export function scoreWithinRange(a: number, b: number, value: number): number {
  const [low, high] = [Math.min(a, b), Math.max(a, b)];
  if (high - low < TOLERANCE) return Number(Math.abs(value - low) < TOLERANCE);
  if (!(low <= value && value <= high)) return 0;
  return 1 - Math.abs(0.5 - Math.min(1, (value - low) / (high - low + 1e-6)));
}

/** How well a package's fused NMS fits: the sum over what was asked for. */
export function nmsFusionScore({ modelFeatures }: ModelPackageMetadata, preference: Preference): number {
  const entry = modelFeatures?.["nms_fused"];
  if (entry === undefined || entry === null || preference === null || preference === false) return 0;
  if (preference === true) return 1;
  const fused = read(entry);
  if (fused === null) return 0;
  const scores = NUMBERS.map(([name]) => {
    const wish = preference[name];
    if (wish === undefined) return 0;
    return isRange(wish) ? scoreWithinRange(...wish, fused[name]) : scoreWithinRange(wish, wish, fused[name]);
  });
  return scores.reduce((sum, score) => sum + score, Number(fused.classAgnostic === preference.classAgnostic));
}
