import { describe, expect, it } from "vitest";
import { InvalidParameterError } from "../../src/errors.js";
import { createKeyPoints } from "../../src/results/index.js";
import { detections, keyPoints } from "./support.js";

describe("KeyPoints", () => {
  it("tells (0, 0) as a position from (0, 0) as absence", () => {
    const result = keyPoints();
    expect(result.isVisible(0, 0)).toBe(true);
    expect(result.isVisible(0, 3)).toBe(false);
    // Beyond the slots lies the next instance's first point, which is visible.
    expect(result.isVisible(0, 4)).toBe(false);
    expect(result.isVisible(2, 0)).toBe(false);
  });

  it("names the points of each instance's class, and only those", () => {
    const [square, triangle] = [...keyPoints()];
    expect(square?.points.map(({ name, visible }) => [name, visible])).toEqual([
      ["a", true],
      ["b", true],
      ["c", true],
      ["d", false],
    ]);
    expect(triangle?.points.map(({ name, x, y }) => [name, x, y])).toEqual([
      ["left", 20, 40],
      ["top", 30, 20],
      ["right", 40, 40],
    ]);
    expect(triangle?.detection.className).toBe("triangle");
  });

  it("filters boxes and points together", () => {
    const kept = keyPoints().filter(({ detection }) => detection.className === "triangle");
    expect(kept.length).toBe(1);
    expect(kept.detections.xyxy).toEqual(Int32Array.from([20, 20, 40, 40]));
    expect(kept.xy).toEqual(Int32Array.from([20, 40, 30, 20, 40, 40, 0, 0]));
    expect(kept.at(-1)?.points).toHaveLength(3);
  });

  it("serialises visible points by name", () => {
    const json = keyPoints().toJSON();
    expect(json.kind).toBe("key-points");
    expect(json.instances[0]?.key_points).toEqual([
      { name: "a", x: 0, y: 0, confidence: 0.7 },
      { name: "b", x: 10, y: 0, confidence: 0.6 },
      { name: "c", x: 10, y: 10, confidence: 0.5 },
    ]);
    expect(keyPoints().toRoboflowJson().predictions[1]?.keypoints[2]).toEqual({
      x: 40,
      y: 40,
      confidence: 0.9,
      class: "right",
      class_id: 2,
    });
  });

  it("refuses points that do not belong to the boxes, and edges to nowhere", () => {
    const { slots, xy, confidence, classes } = keyPoints();
    expect(() => createKeyPoints({ detections: detections(), slots, xy, confidence, classes })).toThrow(InvalidParameterError);
    const broken = { name: "line", points: ["only"], edges: [[0, 1]] as const };
    expect(() => createKeyPoints({ detections: keyPoints().detections, slots, xy, confidence, classes: [broken] })).toThrow(
      /beyond its 1 points/,
    );
  });
});
