import { describe, expect, it } from "vitest";
import { InvalidParameterError } from "../../src/errors.js";
import { createDetections } from "../../src/results/index.js";
import { columns, detections, IMAGE } from "./support.js";

describe("Detections", () => {
  it("gives rows by iteration and by index, negative ones from the end", () => {
    const result = detections();
    expect(result.length).toBe(3);
    expect([...result].map(({ index, className, classId }) => [index, className, classId])).toEqual([
      [0, "car", 1],
      [1, "person", 0],
      [2, "", 7],
    ]);
    expect(result.at(0)?.box).toEqual({ x1: 10, y1: 20, x2: 110, y2: 70, width: 100, height: 50, centerX: 60, centerY: 45 });
    expect(result.at(-1)).toEqual(result.at(2));
    expect(result.at(3)).toBeUndefined();
    expect(result.at(-4)).toBeUndefined();
    expect(result.at(0)?.trackerId).toBeNull();
  });

  it("keeps columns, data and provenance in step when rows are filtered or sliced", () => {
    const full = createDetections({ ...columns(), data: [{ trackerId: 5 }, { text: "STOP" }, {}], metadata: { page: 1 } });
    const kept = full.filter(({ confidence }) => confidence < 0.9);
    expect(kept.xyxy).toEqual(Int32Array.from([200, 100, 231, 181, 0, 0, 640, 480]));
    expect(kept.data).toEqual([{ text: "STOP" }, {}]);
    expect(kept.metadata).toEqual({ page: 1 });
    expect(kept.at(0)?.index).toBe(0);
    expect(full.slice(0, 1).at(0)?.trackerId).toBe(5);
    expect([...full.slice(-2)].map(({ classId }) => classId)).toEqual([0, 7]);
    expect(full.length).toBe(3);
    expect(full.filter(() => false).xyxy).toEqual(new Int32Array(0));
  });

  it("keeps sub-pixel boxes as they are", () => {
    const result = createDetections({ ...columns(), xyxy: Float32Array.from({ length: 12 }, (_, index) => index + 0.25) });
    expect(result.filter(({ index }) => index === 1).xyxy).toEqual(Float32Array.from([4.25, 5.25, 6.25, 7.25]));
  });

  it("serialises without float32 noise and without what is empty", () => {
    expect(JSON.parse(JSON.stringify(detections().slice(0, 1)))).toEqual({
      kind: "detections",
      image: { width: 640, height: 480, source: "street.jpg", exif_orientation: 1, orientation_applied: false },
      detections: [{ class: "car", class_id: 1, confidence: 0.93, x1: 10, y1: 20, x2: 110, y2: 70 }],
      served_by: null,
      timings: null,
    });
  });

  it("writes tracker ids and other data of rows that have some", () => {
    const [row] = createDetections({ ...columns(), data: [{ trackerId: 5, text: "STOP" }, {}, {}] }).toJSON().detections;
    expect(row).toMatchObject({ tracker_id: 5, data: { text: "STOP" } });
  });

  it("speaks the hosted API's layout", () => {
    expect(detections().toRoboflowJson().predictions[1]).toEqual({
      x: 215.5,
      y: 140.5,
      width: 31,
      height: 81,
      confidence: 0.5,
      class: "person",
      class_id: 0,
    });
  });

  it.each([
    ["xyxy", { xyxy: new Int32Array(11) }],
    ["confidence", { confidence: new Float32Array(2) }],
    ["data", { data: [{}] }],
    ["image", { image: { ...IMAGE, width: 0 } }],
    ["image", { image: { ...IMAGE, exifOrientation: 9 } }],
    ["xyxy", { xyxy: [1, 2, 3, 4] as unknown as Int32Array }],
  ])("refuses columns that contradict each other: %s", (parameter, wrong) => {
    let thrown: unknown;
    try {
      createDetections({ ...columns(), ...wrong });
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(InvalidParameterError);
    expect((thrown as InvalidParameterError).parameter).toBe(parameter);
  });

  it("carries who served it and how long that took", () => {
    const timings = { decodeImageMs: 1, preprocessMs: 2, inferenceMs: 3, postprocessMs: 4, totalMs: 10 };
    const result = createDetections({ ...columns(), servedBy: null, timings });
    expect(result.timings).toBe(timings);
    expect(result.filter(() => true).timings).toBe(timings);
  });
});
