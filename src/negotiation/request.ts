/** What callers ask for, checked and in one form. */
import type { RuntimeXRay } from "../environment/types.js";
import { InvalidParameterError, InvalidRequestedBatchSizeError, UnknownBackendTypeError, UnknownQuantizationError } from "../errors.js";
import { closest } from "../options.js";
import { BACKENDS, QUANTIZATIONS, type BackendType, type Quantization } from "../packages/index.js";
import type { BatchRange, BatchSizeRequest, Device, NegotiationRules } from "./types.js";

function textOf(value: unknown): string {
  if (typeof value === "object" && value !== null) return JSON.stringify(value).slice(0, 60);
  return typeof value === "string" ? JSON.stringify(value.slice(0, 60)) : String(value);
}

function meant(value: unknown, names: readonly string[]): string {
  const suggestion = typeof value === "string" && value.length <= 32 ? closest(value, names) : null;
  return suggestion === null ? "" : ` Did you mean "${suggestion}"?`;
}

/** @throws UnknownBackendTypeError */
export function parseBackend(value: unknown): BackendType {
  const backend = BACKENDS.find((name) => typeof value === "string" && name === value.toLowerCase());
  if (backend !== undefined) return backend;
  // The two that people know by other names.
  const other = value === "tensorrt" ? ' Did you mean "trt"?' : value === "hf" ? ' Did you mean "hugging-face"?' : meant(value, BACKENDS);
  throw new UnknownBackendTypeError(`There is no backend ${textOf(value)}.${other} Known: ${BACKENDS.join(", ")}.`, {
    value: String(value),
    allowed: BACKENDS,
  });
}

/** @throws UnknownQuantizationError */
export function parseQuantization(value: unknown, rules: NegotiationRules = "own"): Quantization {
  const wanted = typeof value === "string" && rules === "own" ? value.toLowerCase() : value;
  const quantization = QUANTIZATIONS.find((name) => name === wanted);
  if (quantization !== undefined) return quantization;
  throw new UnknownQuantizationError(
    `There is no quantization ${textOf(value)}.${meant(value, QUANTIZATIONS)} Known: ${QUANTIZATIONS.join(", ")}.`,
    { value: String(value), allowed: QUANTIZATIONS },
  );
}

/** One name or a list of them, as a set. @throws UnknownBackendTypeError */
export function parseBackends(request: unknown): ReadonlySet<BackendType> {
  return new Set((Array.isArray(request) ? request : [request]).map(parseBackend));
}

/** One name or a list of them, as a set. @throws UnknownQuantizationError */
export function parseQuantizations(request: unknown, rules: NegotiationRules = "own"): ReadonlySet<Quantization> {
  return new Set((Array.isArray(request) ? request : [request]).map((value) => parseQuantization(value, rules)));
}

/** @throws InvalidRequestedBatchSizeError */
export function parseBatchSize(request: BatchSizeRequest): BatchRange {
  const value: unknown = request;
  const ends: readonly unknown[] = Array.isArray(value)
    ? value
    : typeof value === "object" && value !== null && "min" in value && "max" in value
      ? [value.min, value.max]
      : [value, value];
  const [min, max] = ends as readonly number[];
  const valid = ends.length === 2 && ends.every((end) => Number.isSafeInteger(end) && (end as number) > 0);
  if (!valid || min === undefined || max === undefined || min > max) {
    throw new InvalidRequestedBatchSizeError(
      `Expected a batch size of at least 1, or a range [min, max] with 1 <= min <= max, but received ${textOf(value)}.`,
      { value },
    );
  }
  return { min, max };
}

/** `cpu`, `cuda`, `cuda:<n>` or `mps`, as written. @throws InvalidParameterError */
export function parseDevice(text: string): Device {
  const [, type, index] = /^(cpu|cuda|mps)(?::(\d{1,4}))?$/.exec(text) ?? [];
  if (type === undefined || (type !== "cuda" && index !== undefined)) {
    throw new InvalidParameterError(`Expected "cpu", "cuda", "cuda:N" or "mps" as device but received ${textOf(text)}.`, {
      parameter: "device",
    });
  }
  return { type: type as Device["type"], index: index === undefined ? null : Number(index) };
}

/** What is accepted when the caller names no quantization. INT8 is not in it: it costs accuracy and has to be asked for. */
export function defaultQuantizations(device: Device | null, { gpuDevices }: Pick<RuntimeXRay, "gpuDevices">): ReadonlySet<Quantization> {
  if (device?.type === "cpu") return new Set(["unknown", "fp32", "bf16"]);
  if (device !== null || gpuDevices.length > 0) return new Set(["unknown", "fp32", "fp16"]);
  return new Set(["unknown", "fp32", "fp16", "bf16"]);
}
