/**
 * Over the fields of a message in a file, one after the other: what is not asked for is stepped over and never read, which for an ONNX
 * file is nearly all of it. The file may be damaged, or made to hurt.
 */
import { closeSync, openSync, readSync } from "node:fs";

/** May return fewer bytes at the end. */
export type ReadBytes = (offset: number, length: number) => Uint8Array;

export interface WalkedField {
  readonly number: number;
  /** Of protocol buffers: 0 integer, 2 bytes, 1 and 5 numbers of eight and four bytes. */
  readonly wireType: number;
  /** Of integer fields; null for what is too large for a number, negative ones among them. */
  readonly value: number | null;
  /** Of all others. */
  readonly content: { readonly offset: number; readonly length: number } | null;
}

const WINDOW_BYTES = 4096;

/**
 * Ends with one of two words: `end`, or `damaged` for bytes that are no message, or one that ends within a field.
 * @param fieldsLeft how many fields may come; counted down, so that several walks may share it. One more is `damaged`.
 */
export function* walkFields(
  read: ReadBytes,
  start: number,
  end: number,
  fieldsLeft: { count: number },
): Generator<WalkedField | "end" | "damaged"> {
  let position = start;
  for (; fieldsLeft.count > 0; fieldsLeft.count -= 1) {
    if (position >= end || read(position, 1).length === 0) {
      yield position > end ? "damaged" : "end";
      return;
    }
    const field = fieldAt(read, position);
    // The last byte has to exist: a truncated file ends inside a field.
    if (field === null || (field.next > position && read(field.next - 1, 1).length === 0)) break;
    const { next, ...walked } = field;
    position = next;
    yield walked;
  }
  yield "damaged";
}

function fieldAt(read: ReadBytes, position: number): (WalkedField & { readonly next: number }) | null {
  const tag = varint(read, position);
  // There is no field 0, so zeros are no fields.
  if (tag?.value == null || tag.value < 8) return null;
  const [number, wireType] = [Math.floor(tag.value / 8), tag.value % 8];
  if (wireType === 1 || wireType === 5) {
    const content = { offset: tag.next, length: wireType === 1 ? 8 : 4 };
    return { number, wireType, value: null, content, next: tag.next + content.length };
  }
  if (wireType !== 0 && wireType !== 2) return null;
  const integer = varint(read, tag.next);
  if (integer === null) return null;
  const { value, next } = integer;
  if (wireType === 0) return { number, wireType, value, content: null, next };
  return value === null ? null : { number, wireType, value: null, content: { offset: next, length: value }, next: next + value };
}

/** null for what does not end; `value` is null for what is too large for a number, negative ones among them. */
export function varint(read: ReadBytes, offset: number): { readonly value: number | null; readonly next: number } | null {
  const bytes = read(offset, 10);
  let value = 0;
  for (const [index, byte] of bytes.entries()) {
    value += (byte & 0x7f) * 2 ** (7 * index);
    if (byte < 0x80) return { value: Number.isSafeInteger(value) ? value : null, next: offset + index + 1 };
  }
  return null;
}

/** Small reads from one window, so that a walk over many small fields is not a system call for each. */
export function buffered(read: ReadBytes): ReadBytes {
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

/** `use` gets a reader of the file or the bytes, for as long as it works. @throws what opening or reading throws */
export function withReader<T>(model: string | Uint8Array, use: (read: ReadBytes) => T): T {
  if (typeof model !== "string") return use((offset, length) => model.subarray(offset, offset + length));
  const file = openSync(model, "r");
  try {
    return use((offset, length) => {
      const bytes = new Uint8Array(length);
      return bytes.subarray(0, readSync(file, bytes, 0, length, offset));
    });
  } finally {
    closeSync(file);
  }
}
