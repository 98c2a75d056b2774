import { describe, expect, it } from "vitest";

import { InvalidParameterError } from "../../src/errors.js";
import { createInstanceDetections, createMasks, decodeRle } from "../../src/results/index.js";
import { detections, instances } from "./support.js";

describe.each(["rle", "dense"] as const)("instances with masks in the format %s", (format) => {
  it("are rows with everything a detection has, and a mask", () => {
    const result = instances(format);
    expect(result.length).toBe(2);
    const [car, person] = result;
    expect([car!.className, car!.box.height, car!.mask.area]).toEqual(["car", 3, 4]);
    expect(person!.mask.bounds).toEqual({ left: 3, top: 1, right: 4, bottom: 2 });
    expect(result.at(-1)!.index).toBe(1);
    expect(result.at(2)).toBeUndefined();
  });

  it("stay together with their masks when they are chosen", () => {
    const chosen = instances(format).filter(({ className }) => className === "person");
    expect(chosen.masks.format).toBe(format);
    expect([chosen.length, chosen.masks.length, chosen.at(0)!.mask.area]).toEqual([1, 1, 1]);
    expect(instances(format).slice(1).toJSON().detections).toEqual(chosen.toJSON().detections);
    expect(instances(format).slice(0, 0).masks).toHaveLength(0);
  });

  it("become JSON with masks that COCO's tools read", () => {
    const json = JSON.parse(JSON.stringify(instances(format))) as ReturnType<ReturnType<typeof instances>["toJSON"]>;
    expect(json).toMatchObject({
      kind: "instance-detections",
      image: { width: 4, height: 3 },
      detections: [{ class: "car", x1: 0, y2: 3 }, { class: "person" }],
    });
    expect([...decodeRle(json.detections[0]!.mask)]).toEqual([1, 0, 0, 0, 1, 0, 0, 0, 1, 1, 0, 0]);
  });

  it("become annotations of COCO", () => {
    expect(instances(format).toCoco()[0]).toMatchObject({ category_id: 1, bbox: [0, 0, 2, 3], area: 4, iscrowd: 0, score: 0.9 });
  });

  it("become predictions of the hosted API, with the outline of the mask", () => {
    const { image, predictions } = instances(format).toRoboflowJson();
    expect(image).toEqual({ width: 4, height: 3 });
    expect(predictions[1]).toMatchObject({ x: 3.5, y: 1.5, class: "person" });
    const corners = predictions[1]!.points.map(({ x, y }) => `${x},${y}`).sort();
    expect(corners).toEqual(["3,1", "3,2", "4,1", "4,2"]);
  });
});

describe("masks that do not belong to their detections", () => {
  const masks = (length: number, width: number, height: number) =>
    createMasks({ format: "dense", width, height, length, data: new Uint8Array(length * width * height) });

  it("are refused", () => {
    expect(() => createInstanceDetections({ detections: detections(), masks: masks(3, 4, 3) })).toThrow(InvalidParameterError);
    expect(() => createInstanceDetections({ detections: detections(), masks: masks(2, 640, 480) })).toThrow(/2 masks/);
    expect(createInstanceDetections({ detections: detections(), masks: masks(3, 640, 480) })).toHaveLength(3);
  });
});
