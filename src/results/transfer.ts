/**
 * Results as plain data, for `postMessage`: a structured clone drops methods, and typed arrays can change their owner
 * instead of being copied.
 *
 * ```ts
 * const { data, transferList } = toTransferable(result);
 * port.postMessage(data, transferList);          // in the worker; the columns of `result` are empty from here on
 * const result = fromTransferable(data);         // on the other side
 * ```
 */
import { InvalidParameterError } from "../errors.js";
import {
  columnsOfClassification,
  columnsOfMultiLabelClassification,
  createClassification,
  createMultiLabelClassification,
} from "./classification.js";
import { columnsOfDetections, createDetections } from "./detections.js";
import { columnsOfEmbedding, createEmbedding } from "./embedding.js";
import { columnsOfGaze, createGaze } from "./gaze.js";
import { flattenInstanceDetections, unflattenInstanceDetections } from "./instance-detections.js";
import { columnsOfKeyPoints, createKeyPoints } from "./key-points.js";
import { columnsOfDepthMap, columnsOfSegmentation, createDepthMap, createSemanticSegmentation } from "./maps.js";
import { columnsOfText, createTextResult } from "./text.js";
import type { Result } from "./types.js";

/** How a kind of result is taken apart and put together again. */
interface Kind<Whole, Columns> {
  readonly columns: (result: Whole) => Columns;
  readonly create: (columns: Columns) => Whole;
}

function kind<Whole, Columns>(columns: (result: Whole) => Required<Columns>, create: (columns: Columns) => Whole): Kind<Whole, Columns> {
  return { columns, create };
}

const KINDS = {
  detections: kind(columnsOfDetections, createDetections),
  "instance-detections": kind(flattenInstanceDetections, unflattenInstanceDetections),
  "key-points": kind(columnsOfKeyPoints, createKeyPoints),
  classification: kind(columnsOfClassification, createClassification),
  "multi-label-classification": kind(columnsOfMultiLabelClassification, createMultiLabelClassification),
  "semantic-segmentation": kind(columnsOfSegmentation, createSemanticSegmentation),
  depth: kind(columnsOfDepthMap, createDepthMap),
  gaze: kind(columnsOfGaze, createGaze),
  embedding: kind(columnsOfEmbedding, createEmbedding),
  text: kind(columnsOfText, createTextResult),
} as const satisfies Readonly<Record<Result["kind"], unknown>>;

type Kinds = typeof KINDS;
type DataOrNull<R extends Result | null> = R extends Result ? ResultDataOf<R["kind"]> : null;
/** Results inside results travel as data, too. */
type AsData<Columns> = {
  readonly [Name in keyof Columns]: Columns[Name] extends Result | null ? DataOrNull<Columns[Name]> : Columns[Name];
};
type ColumnsOf<K extends Result["kind"]> = Kinds[K] extends Kind<infer _, infer Columns> ? Required<Columns> : never;

/** Columns of one kind of result, with its name. */
export type ResultDataOf<K extends Result["kind"]> = K extends unknown ? { readonly kind: K } & AsData<ColumnsOf<K>> : never;
export type ResultData = ResultDataOf<Result["kind"]>;

function isResultLike(value: unknown): value is { readonly kind: Result["kind"] } {
  return typeof value === "object" && value !== null && "kind" in value && typeof value.kind === "string" && value.kind in KINDS;
}

/** A view of a larger buffer would take the whole buffer along. */
function compact(column: Float32Array): Float32Array {
  return column.byteLength === column.buffer.byteLength ? column : column.slice();
}

function isColumn(value: unknown): value is Float32Array {
  return ArrayBuffer.isView(value) && !(value instanceof DataView);
}

function toData(result: Result, buffers: Set<ArrayBuffer>): ResultData {
  const { columns } = KINDS[result.kind] as unknown as Kind<Result, Readonly<Record<string, unknown>>>;
  const data = Object.entries(columns(result)).map(([name, value]) => {
    if (isResultLike(value)) return [name, toData(value as Result, buffers)] as const;
    if (!isColumn(value)) return [name, value] as const;
    const column = compact(value);
    if (column.buffer instanceof ArrayBuffer) buffers.add(column.buffer);
    return [name, column] as const;
  });
  return { kind: result.kind, ...Object.fromEntries(data) } as ResultData;
}

/** @param result its `data` and `metadata` must consist of values that a structured clone can copy. */
export function toTransferable<R extends Result>(
  result: R,
): { readonly data: ResultDataOf<R["kind"]>; readonly transferList: ArrayBuffer[] } {
  const buffers = new Set<ArrayBuffer>();
  const data = toData(result, buffers) as ResultDataOf<R["kind"]>;
  return { data, transferList: [...buffers] };
}

/** @throws InvalidParameterError when the data was damaged on its way. */
export function fromTransferable<K extends Result["kind"]>(data: ResultDataOf<K>): Extract<Result, { readonly kind: K }>;
export function fromTransferable(data: unknown): unknown {
  if (!isResultLike(data)) {
    throw new InvalidParameterError("The data is not that of a result. Pass the `data` of toTransferable as it arrived.", {
      parameter: "data",
    });
  }
  const { create } = KINDS[data.kind] as unknown as Kind<Result, Readonly<Record<string, unknown>>>;
  const columns = Object.entries(data as object).map(([name, value]: [string, unknown]) => [
    name,
    isResultLike(value) ? fromTransferable(value as ResultData) : value,
  ]);
  return create(Object.fromEntries(columns) as Readonly<Record<string, unknown>>);
}
