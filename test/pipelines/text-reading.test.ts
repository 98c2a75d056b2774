import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { AutoModel, AutoModelPipeline, ModelPipelineInitializationError, ModelPipelineNotFound } from "../../src/index.js";
import type { TextReadingPipeline, TextResult } from "../../src/index.js";
import { packageRoot } from "../../src/package-root.js";
import { readingOrder } from "../../src/pipelines/reading-order.js";
import { saveAnnotated } from "../../src/results/drawing/index.js";
import { blankPicture, writePackage } from "../support/packages.js";

const shared = join(packageRoot, "..", "shared");
const models = join(shared, "models", "pp-ocr");
const present = existsSync(models);
if (!present) process.stderr.write(`skipped: the text models are not there (${models})\n`);

describe("reading order", () => {
  it("goes line by line, from left to right", () => {
    // Second line first, its parts swapped; the right part of the first line hangs a little lower.
    const boxes = [60, 40, 90, 50, 10, 41, 50, 51, 55, 12, 90, 22, 10, 10, 50, 20];
    expect(readingOrder(boxes)).toEqual([
      [3, 2],
      [1, 0],
    ]);
    expect(readingOrder([])).toEqual([]);
  });
});

interface ExpectedReading {
  readonly tolerance: { readonly polygon_px: number; readonly detection_score: number; readonly confidence: number };
  readonly cases: Readonly<
    Record<
      string,
      {
        readonly lines: readonly {
          readonly text: string;
          readonly confidence: number;
          readonly polygon: readonly (readonly [number, number])[];
          readonly detection_score: number;
          readonly stable: boolean;
          readonly truth: string;
        }[];
      }
    >
  >;
}

/** Insertions, deletions and replacements from one text to the other. */
function edits(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (const [i, character] of Array.from(a).entries()) {
    const next = [i + 1];
    for (let j = 0; j < b.length; j++) next.push(Math.min(next[j]! + 1, row[j + 1]! + 1, row[j]! + (character === b[j] ? 0 : 1)));
    row = next;
  }
  return row.at(-1)!;
}

describe.skipIf(!present).each([
  ["rec-latin", "expected-latin.json"],
  ["rec", "expected.json"],
])("reading with %s, as expected", { timeout: 120_000 }, (recogniser, file) => {
  const { cases, tolerance } = present
    ? (JSON.parse(readFileSync(join(models, file), "utf8")) as ExpectedReading)
    : { cases: {}, tolerance: { polygon_px: 0, detection_score: 0, confidence: 0 } };
  let pipeline: TextReadingPipeline;
  beforeAll(async () => {
    pipeline = await AutoModelPipeline.fromPretrained("pp-ocrv6", { models: [join(models, "det"), join(models, recogniser)] });
  });
  afterAll(() => pipeline.close());

  it.each(Object.keys(cases))("%s", async (name) => {
    const result: TextResult = await pipeline.predict(join(shared, "images", name));
    const { lines } = cases[name]!;
    expect(result.lines).toHaveLength(lines.length);
    expect(result.detections).toHaveLength(lines.length);
    for (const [index, line] of lines.entries()) {
      const { text, confidence } = result.lines[index]!;
      if (line.stable) expect(text).toBe(line.text);
      else expect(edits(text.replaceAll(" ", ""), line.truth.replaceAll(" ", ""))).toBeLessThanOrEqual(3);
      expect(Math.abs(confidence - line.confidence)).toBeLessThanOrEqual(tolerance.confidence);
      const detection = result.detections!.at(index)!;
      expect(Math.abs(detection.confidence - line.detection_score)).toBeLessThanOrEqual(tolerance.detection_score);
      const corners = (detection.data["polygon"] as readonly (readonly number[])[]).flat();
      line.polygon.flat().forEach((value, corner) => {
        expect(Math.abs(corners[corner]! - value)).toBeLessThanOrEqual(tolerance.polygon_px);
      });
    }
    expect(result.text.split("\n").join(" ").replaceAll(/\s+/g, " ").trim()).toBe(
      result.lines
        .map(({ text }) => text.trim())
        .filter((text) => text !== "")
        .join(" "),
    );
  });
});

describe.skipIf(!present)("a pipeline for text", { timeout: 120_000 }, () => {
  it("finds without reading, and reads without finding", async () => {
    const picture = join(shared, "images", "notice.png");
    const detector = await AutoModel.fromPretrained(join(models, "det"));
    await using finder = await AutoModelPipeline.fromPretrained("pp-ocrv6", { models: [detector, join(models, "rec-latin")] });
    expect((await finder.predict([picture]))[0]?.lines).toHaveLength(9);
    const blank = await finder.predict(blankPicture(64, 64));
    expect(blank).toMatchObject({ text: "", lines: [], detections: { length: 0 } });

    const recogniser = await AutoModel.fromPretrained(join(models, "rec-latin"));
    if (recogniser.task !== "text-only-ocr") throw new Error("another task was expected");
    await using reader = recogniser;
    const [narrow, wide] = await reader.predict([blankPicture(10, 48), blankPicture(900, 48)]);
    expect([narrow?.detections, wide?.detections]).toEqual([null, null]);
  });

  it("draws what it read", async () => {
    await using pipeline = await AutoModelPipeline.fromPretrained("pp-ocrv6", { models: [join(models, "det"), join(models, "rec-latin")] });
    const picture = join(shared, "images", "notice.png");
    const result = await pipeline.predict(picture);
    const { saved } = { saved: join(await writePackage(), "annotated.png") };
    const { data } = await saveAnnotated(saved, picture, result);
    expect(data.length).toBe(640 * 480 * 3);
    expect(existsSync(saved)).toBe(true);
  });
});

describe("putting a pipeline together", () => {
  it("names the pipelines there are", async () => {
    expect(AutoModelPipeline.list()).toContain("pp-ocrv6");
    await expect(AutoModelPipeline.fromPretrained("pp-ocrv5")).rejects.toThrow(ModelPipelineNotFound);
    await expect(AutoModelPipeline.fromPretrained("pp-ocrv5")).rejects.toThrow(/Did you mean "pp-ocrv6"/);
  });

  it("takes two models of the right tasks", async () => {
    const detector = await writePackage();
    await expect(AutoModelPipeline.fromPretrained("pp-ocrv6", { models: [detector, detector] })).rejects.toThrow(/text-only-ocr/);
    await expect(AutoModelPipeline.fromPretrained("pp-ocrv6", { models: [detector, detector, detector] })).rejects.toThrow(
      ModelPipelineInitializationError,
    );
    await expect(AutoModelPipeline.fromPretrained("pp-ocrv6", { models: [detector, "./nowhere"] })).rejects.toMatchObject({
      name: "ModelPipelineInitializationError",
      message: expect.stringContaining("Model 1") as unknown,
      cause: expect.objectContaining({ message: expect.stringContaining("nowhere") as unknown }) as unknown,
    });
  });
});
