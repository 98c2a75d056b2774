/** Values of command line options. */
import { InvalidArgumentError } from "commander";

export function parseFraction(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !(value >= 0 && value <= 1)) throw new InvalidArgumentError("Expected a number from 0 to 1.");
  return value;
}

export function parseConfidence(text: string): number | "default" | "best" {
  return text === "default" || text === "best" ? text : parseFraction(text);
}

export function parseCount(text: string): number {
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(Number(text)))
    throw new InvalidArgumentError("Expected a whole number that is not negative.");
  return Number(text);
}

/** `a cat, remote control` */
export function parseNames(text: string): readonly string[] {
  const names = text
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "");
  if (names.length === 0) throw new InvalidArgumentError("Expected one name or several, with commas between them.");
  return names;
}

/** `640` (a square) or `640x480` (width x height). */
export function parseImageSize(text: string): number | readonly [width: number, height: number] {
  const [, width, height] = /^([1-9]\d{0,5})(?:x([1-9]\d{0,5}))?$/i.exec(text) ?? [];
  if (width === undefined) throw new InvalidArgumentError("Expected pixels as N or WIDTHxHEIGHT, for example 640 or 640x480.");
  return height === undefined ? Number(width) : [Number(width), Number(height)];
}

/** `8` (always so many), or `1,8,16`: the smallest, the best and the largest number of pictures. */
export function parseBatchRange(text: string): { readonly minimum: number; readonly optimum: number; readonly maximum: number } {
  const [, minimum, optimum = minimum, maximum = minimum] = /^([1-9]\d{0,5})(?:,([1-9]\d{0,5}),([1-9]\d{0,5}))?$/.exec(text) ?? [];
  const range = { minimum: Number(minimum), optimum: Number(optimum), maximum: Number(maximum) };
  if (range.minimum <= range.optimum && range.optimum <= range.maximum) return range;
  throw new InvalidArgumentError("Expected numbers of pictures as N or MIN,BEST,MAX, for example 1,4,8.");
}

/** `cuda` or `cuda:1`, to the GPU's number. */
export function parseGpu(text: string): number {
  const [match, ordinal = "0"] = /^cuda(?::(\d{1,3}))?$/.exec(text) ?? [];
  if (match === undefined) throw new InvalidArgumentError("Expected cuda or cuda:N.");
  return Number(ordinal);
}
