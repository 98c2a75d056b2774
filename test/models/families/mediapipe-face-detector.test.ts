import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { AutoModel, type KeyPointModel } from "../../../src/index.js";
import { packageRoot } from "../../../src/package-root.js";

const SHARED = join(packageRoot, "..", "shared");
const EXPECTED = join(SHARED, "models", "mediapipe-face-detector", "expected.json");

interface ExpectedFaces {
  readonly tolerance: { readonly xyxy_px: number; readonly keypoints_px: number; readonly score: number };
  readonly cases: Readonly<
    Record<
      string,
      {
        readonly image_size: readonly [number, number];
        readonly faces: readonly {
          readonly xyxy: readonly number[];
          readonly score: number;
          readonly keypoints: Readonly<Record<string, readonly number[]>>;
        }[];
      }
    >
  >;
}

describe.each(["auto", "reference"] as const)("the embedded face detector, executor %s", (executor) => {
  let model: KeyPointModel;
  beforeAll(async () => {
    const loaded = await AutoModel.fromPretrained("mediapipe/face-detector", { executor });
    if (loaded.task !== "keypoint-detection") throw new Error("unexpected task");
    model = loaded;
  });
  afterAll(() => model.close());

  it("finds the one face of the photograph that ships with the package", async () => {
    const result = await model.predict(join(packageRoot, "assets", "images", "astronaut.jpg"));
    expect(result.length).toBe(1);
    expect(result.detections.at(0)).toMatchObject({ className: "face" });
    // The eyes lie above the mouth, the person's right eye on the left of the picture.
    const point = (slot: number) => ({ x: result.xy[slot * 2] ?? 0, y: result.xy[slot * 2 + 1] ?? 0 });
    const [rightEye, leftEye, , mouth] = [0, 1, 2, 3].map(point);
    expect(rightEye?.x).toBeLessThan(leftEye?.x ?? 0);
    expect(mouth?.y).toBeGreaterThan(rightEye?.y ?? 0);
  });

  const present = existsSync(EXPECTED);
  if (!present) process.stderr.write("skipped: the expectations of the shared models are not there\n");
  const expected = present ? (JSON.parse(readFileSync(EXPECTED, "utf8")) as ExpectedFaces) : null;
  it.skipIf(!present).each(Object.entries(expected?.cases ?? { none: null }))(
    "agrees with the reference implementation on %s",
    async (name, faces) => {
      const { tolerance } = expected as ExpectedFaces;
      const result = await model.predict(join(SHARED, "images", name), { rounding: "none" });
      expect([result.image.width, result.image.height]).toEqual(faces?.image_size);
      expect(result.length).toBe(faces?.faces.length);
      faces?.faces.forEach((face, index) => {
        expect(Math.abs((result.detections.confidence[index] ?? 0) - face.score)).toBeLessThanOrEqual(tolerance.score);
        face.xyxy.forEach((value, corner) =>
          expect(Math.abs((result.detections.xyxy[index * 4 + corner] ?? 0) - value)).toBeLessThanOrEqual(tolerance.xyxy_px),
        );
        Object.values(face.keypoints)
          .flat()
          .forEach((value, coordinate) =>
            expect(Math.abs((result.xy[index * 12 + coordinate] ?? 0) - value)).toBeLessThanOrEqual(tolerance.keypoints_px),
          );
      });
    },
  );
});
