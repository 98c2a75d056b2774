/**
 * What can be told from the first level of an ONNX file without its library: ModelProto's small fields. The graph, which
 * holds the weights, is stepped over and never read.
 *
 * Field numbers: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
 */
import { closeSync, openSync, readSync } from "node:fs";

export interface ModelHeader {
  readonly opset: number | null;
  readonly producer: string;
  readonly domain: string;
  readonly description: string;
  readonly version: number | null;
  readonly custom: Readonly<Record<string, string>>;
}

const PRODUCER_NAME = 2;
const DOMAIN = 4;
const MODEL_VERSION = 5;
const DOC_STRING = 6;
const OPSET_IMPORT = 8;
const METADATA_PROPS = 14;

// Real files have a dozen fields; a file that has more than these is not worth the time.
const MAXIMUM_FIELDS = 4096;
const MAXIMUM_TEXT_BYTES = 1 << 20;
const WINDOW_BYTES = 4096;

/** @returns the header, or null when the bytes are no protocol buffer message or end too early. */
export function readModelHeader(model: string | Uint8Array): ModelHeader | null {
  if (typeof model !== "string") return parseHeader((offset, length) => model.subarray(offset, offset + length));
  let file: number;
  try {
    file = openSync(model, "r");
  } catch {
    return null; // the library will say what is wrong with it
  }
  try {
    return parseHeader((offset, length) => {
      const bytes = new Uint8Array(length);
      return bytes.subarray(0, readSync(file, bytes, 0, length, offset));
    });
  } catch {
    return null;
  } finally {
    closeSync(file);
  }
}

/** May return fewer bytes at the end. */
type ReadBytes = (offset: number, length: number) => Uint8Array;

interface Field {
  readonly number: number;
  /** Integer fields. */
  readonly value: number;
  /** Length-delimited fields. */
  readonly content: { readonly offset: number; readonly length: number } | null;
}

function parseHeader(read: ReadBytes): ModelHeader | null {
  const custom: [string, string][] = [];
  const header = { opset: null as number | null, producer: "", domain: "", description: "", version: null as number | null };
  let complete = false;
  for (const field of fields(buffered(read), 0, Infinity)) {
    if (field === "damaged") return null;
    if (field === "end") {
      complete = true;
      break;
    }
    if (field.number === MODEL_VERSION && field.content === null) header.version = field.value;
    if (field.content === null || field.content.length > MAXIMUM_TEXT_BYTES) continue;
    const bytes = read(field.content.offset, field.content.length);
    if (field.number === PRODUCER_NAME) header.producer = text(bytes);
    if (field.number === DOMAIN) header.domain = text(bytes);
    if (field.number === DOC_STRING) header.description = text(bytes);
    if (field.number === OPSET_IMPORT) {
      const { first: domain, second: version } = readPair(bytes);
      if (typeof version === "number" && (domain === "" || domain === "ai.onnx")) header.opset = version;
    }
    if (field.number === METADATA_PROPS) {
      const { first: key, second: value } = readPair(bytes);
      if (typeof value === "string") custom.push([key, value]);
    }
  }
  return complete ? { ...header, custom: Object.fromEntries(custom) } : null;
}

/** The two messages of this level have a text in field 1; field 2 is a text or a number. */
function readPair(bytes: Uint8Array): { readonly first: string; readonly second: string | number | null } {
  let first = "";
  let second: string | number | null = null;
  for (const field of fields((offset, length) => bytes.subarray(offset, offset + length), 0, bytes.length)) {
    if (typeof field === "string") break;
    const value =
      field.content === null ? field.value : text(bytes.subarray(field.content.offset, field.content.offset + field.content.length));
    if (field.number === 1 && typeof value === "string") first = value;
    if (field.number === 2) second = value;
  }
  return { first, second };
}

function* fields(read: ReadBytes, start: number, end: number): Generator<Field | "end" | "damaged"> {
  let position = start;
  for (let count = 0; count < MAXIMUM_FIELDS; count += 1) {
    if (position >= end || read(position, 1).length === 0) {
      yield "end";
      return;
    }
    const tag = varint(read, position);
    if (tag === null) {
      yield "damaged";
      return;
    }
    position = tag.next;
    const number = Math.floor(tag.value / 8);
    const wireType = tag.value % 8;
    if (wireType === 0 || wireType === 2) {
      const value = varint(read, position);
      if (value === null) {
        yield "damaged";
        return;
      }
      const content = wireType === 2 ? { offset: value.next, length: value.value } : null;
      position = value.next + (content?.length ?? 0);
      // The last byte has to exist: a truncated file ends inside a field.
      if (content !== null && content.length > 0 && read(position - 1, 1).length === 0) {
        yield "damaged";
        return;
      }
      yield { number, value: value.value, content };
    } else if (wireType === 1 || wireType === 5) {
      position += wireType === 1 ? 8 : 4;
    } else {
      yield "damaged";
      return;
    }
  }
  yield "damaged";
}

function varint(read: ReadBytes, offset: number): { readonly value: number; readonly next: number } | null {
  const bytes = read(offset, 10);
  let value = 0;
  for (const [index, byte] of bytes.entries()) {
    value += (byte & 0x7f) * 2 ** (7 * index);
    if (byte < 0x80) return Number.isSafeInteger(value) ? { value, next: offset + index + 1 } : null;
  }
  return null;
}

/** Small reads from one window, so that a walk over many small fields is not a system call for each. */
function buffered(read: ReadBytes): ReadBytes {
  let window = new Uint8Array();
  let start = 0;
  return (offset, length) => {
    if (length > WINDOW_BYTES) return read(offset, length);
    if (offset < start || offset + length > start + window.length) {
      window = new Uint8Array(read(offset, WINDOW_BYTES));
      start = offset;
    }
    return window.subarray(offset - start, offset - start + length);
  };
}

function text(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
