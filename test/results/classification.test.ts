import { describe, expect, it } from "vitest";
import { InvalidParameterError } from "../../src/errors.js";
import { createClassification, createMultiLabelClassification, fromTransferable, toTransferable } from "../../src/results/index.js";
import { IMAGE } from "./support.js";

const classNames = ["cat", "dog", "bird"];
const single = (...probabilities: number[]) =>
  createClassification({ image: IMAGE, probabilities: Float32Array.from(probabilities), classNames });

describe("a classification", () => {
  it("is the first of the greatest probabilities", () => {
    expect(single(0.2, 0.4, 0.4)).toMatchObject({ classId: 1, className: "dog" });
    expect(single(Number.NaN, 0.1, 0.3)).toMatchObject({ classId: 2 });
  });

  it("lists the best classes, equal ones by id", () => {
    const found = single(0.25, 0.5, 0.25).top(2);
    expect(found.map(({ className }) => className)).toEqual(["dog", "cat"]);
    expect(
      single(0.2, Number.NaN, 0.3)
        .top(9)
        .map(({ classId }) => classId),
    ).toEqual([2, 0, 1]);
    expect(() => single(1).top(-1)).toThrow(InvalidParameterError);
  });

  it("becomes JSON with short numbers", () => {
    const json = single(0.1, 0.7, 0.2).toJSON();
    expect(json).toMatchObject({ kind: "classification", class: "dog", class_id: 1, confidence: 0.7 });
    expect(json.predictions.map((one) => one.confidence)).toEqual([0.7, 0.2, 0.1]);
    expect(JSON.parse(JSON.stringify(single(0.1, 0.7, 0.2)))).toEqual(json);
    expect(single(0.1, 0.7, 0.2).toRoboflowJson()).toMatchObject({ top: "dog", confidence: 0.7 });
  });

  it("needs a probability", () => {
    expect(() => single()).toThrow(InvalidParameterError);
  });

  it("crosses a worker's border", () => {
    const { data, transferList } = toTransferable(single(0.1, 0.7, 0.2));
    const arrived = fromTransferable(structuredClone(data, { transfer: transferList }));
    expect(arrived.toJSON()).toEqual(single(0.1, 0.7, 0.2).toJSON());
  });
});

describe("a classification with several labels", () => {
  const several = (...ids: number[]) =>
    createMultiLabelClassification({
      image: IMAGE,
      probabilities: Float32Array.of(0.9, 0.3, 0.6),
      classIds: Int32Array.from(ids),
      classNames,
    });

  it("names its labels and keeps every probability", () => {
    expect(several(0, 2).labels.map(({ className }) => className)).toEqual(["cat", "bird"]);
    expect(several(0, 2).toJSON()).toMatchObject({
      labels: [{ class: "cat" }, { class: "bird" }],
      predictions: [{ class: "cat" }, { class: "dog", confidence: 0.3 }, { class: "bird" }],
    });
    expect(several(0, 2).toRoboflowJson()).toMatchObject({ predicted_classes: ["cat", "bird"], predictions: { dog: { class_id: 1 } } });
    expect(several().labels).toEqual([]);
  });

  it("refuses ids without a probability", () => {
    expect(() => several(3)).toThrow(InvalidParameterError);
    expect(() => several(-1)).toThrow(InvalidParameterError);
  });

  it("crosses a worker's border", () => {
    const { data, transferList } = toTransferable(several(2));
    expect(transferList).toHaveLength(2);
    expect(fromTransferable(structuredClone(data, { transfer: transferList })).toJSON()).toEqual(several(2).toJSON());
  });
});
