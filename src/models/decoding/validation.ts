/** The checks of the addon, for the TypeScript implementation: what one refuses, the other refuses. */

import { ModelInputError } from "../../errors.js";
import type { NativeMatrix, NativePriors } from "../../native/index.js";
import type { DecodeSettings, DenseMap, MapPlacement, MaskHead, MaskSelection, MaskTarget, QueriesHead } from "./types.js";

const MAXIMUM_COUNT = 2 ** 31 - 1;
const MAXIMUM_STRIDE = 2 ** 40;
const MAXIMUM_SLOTS = 65535;
/** Sides of pictures, planes and networks' inputs. */
const MAXIMUM_SIDE = 2 ** 20;

function refuse(name: string, expected: string, received: unknown): never {
  throw new ModelInputError(
    `Expected ${expected} for ${name} but received ${describe(received)}. Pass what the network's outputs really hold.`,
  );
}

function describe(value: unknown): string {
  if (ArrayBuffer.isView(value)) return `a ${value.constructor.name} with ${(value as Float32Array).length} elements`;
  return typeof value === "object" && value !== null ? "an object" : String(value);
}

export function requireCount(value: unknown, name: string, minimum = 0): number {
  return requireInteger(value, name, minimum, MAXIMUM_COUNT);
}

export function requireStride(value: unknown, name: string): number {
  return requireInteger(value, name, 0, MAXIMUM_STRIDE);
}

function requireInteger(value: unknown, name: string, minimum: number, maximum: number): number {
  if (typeof value !== "number" || !Number.isInteger(value) || value < minimum || value > maximum) {
    refuse(name, `an integer between ${minimum} and ${maximum}`, value);
  }
  return value;
}

export function requireFinite(value: unknown, name: string): number {
  if (typeof value !== "number" || !Number.isFinite(value)) refuse(name, "a finite number", value);
  return value;
}

export function requireBoolean(value: unknown, name: string): boolean {
  if (typeof value !== "boolean") refuse(name, "a boolean", value);
  return value;
}

export function requireOneOf<T extends string>(value: unknown, name: string, allowed: readonly T[]): T {
  const found = allowed.find((choice) => choice === value);
  return found ?? refuse(name, `one of ${allowed.join(", ")}`, value);
}

export function requireObject(value: unknown, name: string): void {
  if (typeof value !== "object" || value === null) refuse(name, "an object", value);
}

export function requireFloat32Array(value: unknown, name: string): Float32Array {
  if (!(value instanceof Float32Array)) refuse(name, "a Float32Array", value);
  return value;
}

export function requireInt32Array(value: unknown, name: string): Int32Array {
  if (!(value instanceof Int32Array)) refuse(name, "an Int32Array", value);
  return value;
}

export function requireLength(array: Float32Array | Int32Array, name: string, length: number): void {
  if (array.length !== length) refuse(name, `${length} elements`, array);
}

/** Every element must lie in the array, and no dimension may repeat elements (a stride of 0). */
export function requireMatrix(matrix: NativeMatrix, name: string, candidates: number, attributes: number): void {
  requireObject(matrix, name);
  const { length } = requireFloat32Array(matrix.data, `${name}.data`);
  const offset = requireStride(matrix.offset, `${name}.offset`);
  const candidateStride = requireStride(matrix.candidateStride, `${name}.candidateStride`);
  const attributeStride = requireStride(matrix.attributeStride, `${name}.attributeStride`);
  if (candidates === 0) return;
  // Above 2^53 these sums are rounded, but by then they are far beyond any array.
  const last = offset + (candidates - 1) * candidateStride + (attributes - 1) * attributeStride;
  const repeats = (candidates > 1 && candidateStride === 0) || (attributes > 1 && attributeStride === 0);
  if (last >= length || repeats || candidates * attributes > length) {
    throw new ModelInputError(
      `${name} does not fit its array: ${candidates} candidates with ${attributes} attributes at offset ${offset} with strides ${candidateStride} and ${attributeStride} do not lie within ${length} elements.`,
    );
  }
}

export function requirePriors(priors: NativePriors | undefined, name: string, candidates: number): void {
  requireMatrix(priors as NativePriors, name, candidates, 4);
  const { inputSize } = priors as NativePriors;
  requireObject(inputSize, `${name}.inputSize`);
  requireSide(inputSize.width, `${name}.inputSize.width`);
  requireSide(inputSize.height, `${name}.inputSize.height`);
}

/** Key points of an instance. */
export const requireSlots = (value: unknown, name: string): number => requireInteger(value, name, 1, MAXIMUM_SLOTS);

export function requireSize(size: { readonly width: number; readonly height: number }, name: string): void {
  requireObject(size, name);
  requireFinite(size.width, `${name}.width`);
  requireFinite(size.height, `${name}.height`);
}

/** Of every head whose rows are queries. */
export function requireQueries(head: QueriesHead): { readonly boxes: NativeMatrix; readonly logits: NativeMatrix } {
  requireObject(head, "head");
  requireCount(head.queries, "head.queries");
  requireCount(head.classes, "head.classes", 1);
  const boxes = { data: head.boxes, offset: head.boxesOffset, candidateStride: 4, attributeStride: 1 };
  const logits = { data: head.logits, offset: head.logitsOffset, candidateStride: head.classes, attributeStride: 1 };
  requireMatrix(boxes, "head.boxes", head.queries, 4);
  requireMatrix(logits, "head.logits", head.queries, head.classes);
  requireLength(requireInt32Array(head.classMapping, "head.classMapping"), "head.classMapping", head.classes);
  return { boxes, logits };
}

/** @param rows that there are. */
export function requireIndices(value: unknown, name: string, rows: number): void {
  if (requireInt32Array(value, name).some((index) => index < 0 || index >= rows)) refuse(name, `rows from 0 to ${rows - 1}`, value);
}

export function requireSettings(settings: DecodeSettings): void {
  requireObject(settings, "settings");
  if (settings.iouThreshold !== null) requireFinite(settings.iouThreshold, "settings.iouThreshold");
  requireBoolean(settings.classAgnostic, "settings.classAgnostic");
  if (settings.maxDetections !== null) requireCount(settings.maxDetections, "settings.maxDetections");
  if (requireFloat32Array(settings.thresholds, "settings.thresholds").length === 0) {
    refuse("settings.thresholds", "at least one threshold", settings.thresholds);
  }
}

const requireSide = (value: unknown, name: string): number => requireInteger(value, name, 1, MAXIMUM_SIDE);
const requireShift = (value: unknown, name: string): number => requireInteger(value, name, -MAXIMUM_SIDE, MAXIMUM_SIDE);

export function requireMaskArguments(head: MaskHead, selection: MaskSelection, target: MaskTarget): void {
  requireObject(head, "head");
  const cells = requireSide(head.width, "head.width") * requireSide(head.height, "head.height");
  const channels = requireCount(head.channels, "head.channels", 1);
  requireBoolean(head.sigmoid, "head.sigmoid");
  requireMatrix(head.planes, "head.planes", cells, channels);
  const { coefficients } = head;
  if (coefficients !== null) {
    requireObject(coefficients, "head.coefficients");
    requireCount(coefficients.candidates, "head.coefficients.candidates");
    requireMatrix(coefficients, "head.coefficients", coefficients.candidates, channels);
  }

  requireObject(selection, "selection");
  const rows = coefficients === null ? channels : coefficients.candidates;
  requireIndices(selection.indices, "selection.indices", rows);
  const { length } = selection.indices;
  if (selection.boxes !== null) requireLength(requireFloat32Array(selection.boxes, "selection.boxes"), "selection.boxes", 4 * length);
  requireFinite(selection.boxScale, "selection.boxScale");

  requireObject(target, "target");
  requireObject(target.trim, "target.trim");
  for (const side of ["left", "top", "right", "bottom"] as const) requireShift(target.trim[side], `target.trim.${side}`);
  for (const size of ["resize", "picture"] as const) {
    requireObject(target[size], `target.${size}`);
    requireSide(target[size].width, `target.${size}.width`);
    requireSide(target[size].height, `target.${size}.height`);
  }
  requireShift(target.left, "target.left");
  requireShift(target.top, "target.top");
  requireFinite(target.threshold, "target.threshold");
  if (target.picture.width * target.picture.height > MAXIMUM_COUNT) refuse("target.picture", "fewer than 2^31 pixels", target.picture);
}

const MAXIMUM_MAP_SIDE = 65535;

/** Nothing empty, every element in the array, the resized map within the picture. */
export function requireMap(map: DenseMap, placement: MapPlacement): void {
  requireObject(map, "map");
  requireObject(placement, "placement");
  const side = (value: unknown, name: string): number => requireInteger(value, name, 1, MAXIMUM_MAP_SIDE);
  const count = side(map.channels, "map.channels") * side(map.height, "map.height") * side(map.width, "map.width");
  const { length } = requireFloat32Array(map.data, "map.data");
  if (requireStride(map.offset, "map.offset") + count > length)
    refuse("map.data", "an array of at least offset + channels * height * width floats", map.data);
  const { trim, resize, canvas } = placement;
  const left = map.width - trim.left - trim.right;
  const top = map.height - trim.top - trim.bottom;
  side(left, "the width that trimming leaves");
  side(top, "the height that trimming leaves");
  if (Math.max(trim.left, trim.right) >= map.width || Math.max(trim.top, trim.bottom) >= map.height)
    refuse("placement.trim", "less than the whole map", trim);
  side(resize.width, "placement.resize.width");
  side(resize.height, "placement.resize.height");
  side(canvas.width, "placement.canvas.width");
  side(canvas.height, "placement.canvas.height");
  requireInteger(canvas.left, "placement.canvas.left", 0, canvas.width - resize.width);
  requireInteger(canvas.top, "placement.canvas.top", 0, canvas.height - resize.height);
}
