import { describe, expect, it } from "vitest";
import { formatPrediction } from "../../src/cli/format-prediction.js";
import { InvalidParameterError } from "../../src/errors.js";
import { annotate } from "../../src/results/drawing/index.js";
import { compareEmbeddings, createEmbedding, createEmbeddings, fromTransferable, toTransferable } from "../../src/results/index.js";
import { blankPicture } from "../support/packages.js";

const image = { width: 4, height: 4, exifOrientation: 1, orientationApplied: false };
const rows = (dimensions: number, ...values: number[]) => createEmbeddings({ values: Float32Array.from(values), dimensions });

describe("one embedding", () => {
  const create = () => createEmbedding({ image, vector: Float32Array.of(0.1, -2, 3) });

  it("is JSON of its numbers", () => {
    expect(create().toJSON()).toMatchObject({ kind: "embedding", vector: [0.1, -2, 3], image: { width: 4 } });
  });

  it("crosses a worker's border without being copied, and is checked", () => {
    const original = create();
    const { data, transferList } = toTransferable(original);
    expect(transferList).toEqual([original.vector.buffer]);
    const arrived = fromTransferable(structuredClone(data, { transfer: transferList }));
    expect(arrived.vector).toEqual(Float32Array.of(0.1, -2, 3));
    expect(original.vector).toHaveLength(0);
    expect(() => createEmbedding({ image, vector: new Float32Array() })).toThrow(InvalidParameterError);
    expect(() => createEmbedding({ image, vector: [1] as unknown as Float32Array })).toThrow(InvalidParameterError);
  });

  it("has nothing to draw, and says its size in a terminal", async () => {
    const { data } = await annotate(blankPicture(4, 4), create());
    expect(data.every((level) => level === 128)).toBe(true);
    expect(formatPrediction("a.jpg", create(), (_style, text) => text).join("\n")).toContain("embedding of 3 numbers");
  });
});

describe("embeddings", () => {
  it("give rows as views", () => {
    const embeddings = rows(2, 1, 2, 3, 4);
    expect(embeddings.length).toBe(2);
    expect(embeddings.at(-1)).toEqual(Float32Array.of(3, 4));
    expect(embeddings.at(1)?.buffer).toBe(embeddings.values.buffer);
    expect(embeddings.at(2)).toBeUndefined();
    expect(rows(0).length).toBe(0);
  });

  it("are made of whole rows", () => {
    expect(() => rows(2, 1, 2, 3)).toThrow(InvalidParameterError);
    expect(() => rows(0, 1)).toThrow(InvalidParameterError);
    expect(() => rows(-1, 1)).toThrow(InvalidParameterError);
  });
});

describe("comparing embeddings", () => {
  it("gives cosines, whatever the lengths", () => {
    const matrix = compareEmbeddings(rows(2, 3, 4, -10, 0), rows(2, 30, 40, 0, 1, 1, 0));
    expect([matrix.rows, matrix.columns]).toEqual([2, 3]);
    [1, 0.8, 0.6, -0.6, 0, -1].forEach((cosine, index) => expect(matrix.values[index]).toBeCloseTo(cosine, 6));
    expect(matrix.at(1, 2)).toBeCloseTo(-1, 6);
    expect([matrix.at(2, 0), matrix.at(0, 3), matrix.at(-1, 0)]).toEqual([undefined, undefined, undefined]);
  });

  it("finds zeros like nothing", () => {
    expect(Array.from(compareEmbeddings(rows(2, 0, 0), rows(2, 1, 0)).values)).toEqual([0]);
  });

  it("wants both of one space", () => {
    expect(() => compareEmbeddings(rows(2, 1, 2), rows(3, 1, 2, 3))).toThrow(InvalidParameterError);
    expect(compareEmbeddings(rows(0), rows(3, 1, 2, 3))).toMatchObject({ rows: 0, columns: 1 });
  });
});
