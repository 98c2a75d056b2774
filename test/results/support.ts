import { convertMasks, createDetections, createInstanceDetections, createKeyPoints, createMasks } from "../../src/results/index.js";
import type { DetectionColumns, Detections, ImageInfo, InstanceDetections, KeyPoints, MaskFormat } from "../../src/results/index.js";

export const IMAGE: ImageInfo = { width: 640, height: 480, source: "street.jpg", exifOrientation: 1, orientationApplied: false };

/** Three boxes: two cars, one without a name. */
export function columns(): DetectionColumns {
  return {
    image: IMAGE,
    xyxy: Int32Array.from([10, 20, 110, 70, 200, 100, 231, 181, 0, 0, 640, 480]),
    classId: Int32Array.from([1, 0, 7]),
    confidence: Float32Array.from([0.93, 0.5, 0.25]),
    classNames: ["person", "car"],
  };
}

export const detections = (): Detections => createDetections(columns());

/** Two instances in a picture of 4 x 3: an L of four pixels, and a single pixel. */
export function instances(format: MaskFormat = "rle"): InstanceDetections {
  const [width, height] = [4, 3];
  const pixels = [1, 0, 0, 0, 1, 0, 0, 0, 1, 1, 0, 0, ...[0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0]];
  return createInstanceDetections({
    detections: createDetections({
      image: { ...IMAGE, width, height },
      xyxy: Int32Array.from([0, 0, 2, 3, 3, 1, 4, 2]),
      classId: Int32Array.from([1, 0]),
      confidence: Float32Array.from([0.9, 0.5]),
      classNames: ["person", "car"],
    }),
    masks: convertMasks(createMasks({ format: "dense", width, height, length: 2, data: Uint8Array.from(pixels) }), format),
  });
}

/** Two instances of four slots; the second one's class has only three points. */
export function keyPoints(): KeyPoints {
  return createKeyPoints({
    detections: createDetections({
      image: IMAGE,
      xyxy: Int32Array.from([0, 0, 10, 10, 20, 20, 40, 40]),
      classId: Int32Array.from([0, 1]),
      confidence: Float32Array.from([0.9, 0.8]),
      classNames: ["square", "triangle"],
    }),
    slots: 4,
    xy: Int32Array.from([0, 0, 10, 0, 10, 10, 0, 0, 20, 40, 30, 20, 40, 40, 0, 0]),
    confidence: Float32Array.from([0.7, 0.6, 0.5, 0, 0.9, 0.9, 0.9, 0]),
    classes: [
      {
        name: "square",
        points: ["a", "b", "c", "d"],
        edges: [
          [0, 1],
          [2, 3],
        ],
      },
      {
        name: "triangle",
        points: ["left", "top", "right"],
        edges: [
          [0, 1],
          [1, 2],
        ],
      },
    ],
  });
}
