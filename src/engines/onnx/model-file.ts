/**
 * What can be told from the first level of an ONNX file without its library: ModelProto's small fields. The graph, which
 * holds the weights, is stepped over and never read.
 *
 * Field numbers: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
 */
import { buffered, walkFields, withReader, type ReadBytes } from "./field-walk.js";

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
/** Wire type of texts and messages. */
const TEXT = 2;

// Real files have a dozen fields; a file that has more than these is not worth the time.
const MAXIMUM_FIELDS = 4096;
const MAXIMUM_TEXT_BYTES = 1 << 20;

/** @returns the header, or null when the bytes are no protocol buffer message or end too early. */
export function readModelHeader(model: string | Uint8Array): ModelHeader | null {
  try {
    return withReader(model, parseHeader);
  } catch {
    return null; // the library will say what is wrong with it
  }
}

function parseHeader(read: ReadBytes): ModelHeader | null {
  const custom: [string, string][] = [];
  const header = { opset: null as number | null, producer: "", domain: "", description: "", version: null as number | null };
  let complete = false;
  for (const field of walkFields(buffered(read), 0, Infinity, { count: MAXIMUM_FIELDS })) {
    if (field === "damaged") return null;
    if (field === "end") {
      complete = true;
      break;
    }
    if (field.number === MODEL_VERSION && field.content === null) header.version = field.value;
    if (field.content === null || field.wireType !== TEXT || field.content.length > MAXIMUM_TEXT_BYTES) continue;
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
  const read: ReadBytes = (offset, length) => bytes.subarray(offset, offset + length);
  for (const field of walkFields(read, 0, bytes.length, { count: MAXIMUM_FIELDS })) {
    if (typeof field === "string") break;
    const value =
      field.content === null ? field.value : text(bytes.subarray(field.content.offset, field.content.offset + field.content.length));
    if (field.number === 1 && typeof value === "string") first = value;
    if (field.number === 2) second = value;
  }
  return { first, second };
}

function text(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
