import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { packageRoot } from "../../src/package-root.js";
import { writePackage } from "../support/packages.js";
import type { ExpectedCase, ExpectedPackage } from "./expected.js";
import { openPackage } from "./package.js";

let directory: string;

/** A fixture folder with one package, whose network finds the same two boxes in every picture, and a grey picture. */
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), "parity-"));
  for (const folder of ["packages", "images", "expected"]) mkdirSync(join(directory, folder));
  renameSync(await writePackage(), join(directory, "packages", "made"));
  renameSync(
    await writePackage({ modelConfig: { model_architecture: "unheard-of", task_type: "object-detection", backend_type: "onnx" } }),
    join(directory, "packages", "unknown"),
  );
  await sharp({ create: { width: 640, height: 320, channels: 3, background: { r: 51, g: 102, b: 255 } } })
    .png()
    .toFile(join(directory, "images", "blue.png"));
});
afterAll(() => rmSync(directory, { recursive: true }));

const DETECTIONS: ExpectedCase["predictions"][number] = {
  xyxy: [
    [80, 40, 240, 120],
    [440, 220, 520, 260],
  ],
  xyxy_unrounded: [
    [80, 40, 240, 120],
    [440, 220, 520, 260],
  ],
  confidence: [0.9, 0.6],
  class_id: [1, 0],
  class_name: ["dog", "cat"],
};

const CASE: ExpectedCase = {
  id: "default/blue.png",
  images: ["blue.png"],
  input: { kind: "numpy-hwc-uint8", colour: "bgr" },
  init: {},
  kwargs: {},
  stage: "s0",
  predictions: [DETECTIONS],
};

const EXPECTED: ExpectedPackage = {
  package: "made",
  task_type: "object-detection",
  class_names: ["cat", "dog"],
  stages: [
    {
      id: "s0",
      // One sample of each channel: red, green, blue.
      pre_process: { shape: [1, 3, 64, 64], dtype: "float32", sample_flat_index: [0, 4096, 8192], sample_value: [0.2, 0.4, 1] },
      pre_process_metadata: [
        {
          pad_left: 0,
          pad_top: 0,
          pad_right: 0,
          pad_bottom: 0,
          original_size: { width: 640, height: 320 },
          size_after_pre_processing: { width: 640, height: 320 },
          inference_size: { width: 64, height: 64 },
          scale_width: 0.1,
          scale_height: 0.2,
          static_crop_offset: { offset_x: 0, offset_y: 0, crop_width: 640, crop_height: 320 },
          nonsquare_intermediate_size: null,
        },
      ],
    },
  ],
  cases: [CASE],
};

describe.each(["auto", "reference"] as const)("cases of a package, executor %s", (executor) => {
  async function judge(change: Partial<ExpectedCase>, expected = EXPECTED) {
    await using opened = openPackage(directory, expected.package, expected, executor);
    return await opened.judge({ ...CASE, ...change });
  }

  it.each<[string, Partial<ExpectedCase>]>([
    ["a picture file", {}],
    ["pixels in RGB order", { input: { kind: "numpy-hwc-uint8", colour: "rgb" }, kwargs: { input_color_format: "rgb" } }],
    [
      "a threshold",
      { kwargs: { confidence: 0.95 }, predictions: [{ xyxy: [], xyxy_unrounded: [], confidence: [], class_id: [], class_name: [] }] },
    ],
    [
      "recommended parameters",
      {
        init: { recommended_parameters: { confidence: 0.99, per_class_confidence: { cat: 0.5, dog: 0.5 } } },
        kwargs: { confidence: "best" },
      },
    ],
  ])("passes: %s", async (_name, change) => {
    expect(await judge(change)).toEqual({ kind: "passed" });
  });

  it("joins the parts of a batch", async () => {
    const [stage] = EXPECTED.stages;
    const batch = {
      ...EXPECTED,
      stages: [
        {
          ...stage!,
          pre_process: { ...stage!.pre_process, shape: [2, 3, 64, 64], sample_flat_index: [0, 3 * 4096], sample_value: [0.2, 0.2] },
          pre_process_metadata: [stage!.pre_process_metadata![0], stage!.pre_process_metadata![0]],
        },
      ],
    };
    const change = { images: ["blue.png", "blue.png"], predictions: [DETECTIONS, DETECTIONS] };
    expect(await judge(change, batch)).toEqual({ kind: "passed" });
  });

  it.each<[string, Partial<ExpectedCase>, string]>([
    [
      "another box",
      {
        predictions: [
          {
            ...DETECTIONS,
            xyxy_unrounded: [
              [80, 40, 240, 120.5],
              [440, 220, 520, 260],
            ],
          },
        ],
      },
      "picture 0: box 0, corner 3",
    ],
    ["another number of results", { predictions: [DETECTIONS, DETECTIONS] }, "2 results expected, got 1 and 1"],
    [
      "channels in the wrong order",
      { input: { kind: "numpy-hwc-uint8", colour: "bgr" }, stage: "swapped" },
      "samples of the network input differ",
    ],
    ["other metadata", { stage: "padded" }, "metadata[0].pad_left: 1 expected, got 0"],
    ["a picture that is not there", { images: ["absent.png"] }, "absent.png"],
    ["a stage that is not there", { stage: "s9" }, "stage s9 is missing"],
  ])("fails: %s", async (_name, change, difference) => {
    const [stage] = EXPECTED.stages;
    const stages = [
      stage!,
      { ...stage!, id: "swapped", pre_process: { ...stage!.pre_process, sample_value: [1, 0.4, 0.2] } },
      { ...stage!, id: "padded", pre_process_metadata: [{ ...(stage!.pre_process_metadata![0] as object), pad_left: 1 }] },
    ];
    const verdict = await judge(change, { ...EXPECTED, stages });
    expect(verdict).toEqual({ kind: "failed", difference: expect.stringContaining(difference) as unknown });
  });

  it("does not cover architectures and arguments that are not offered", async () => {
    expect(await judge({}, { ...EXPECTED, package: "unknown" })).toMatchObject({ kind: "not-covered" });
    expect(await judge({ kwargs: { mask_format: "rle" } })).toMatchObject({ kind: "not-covered" });
  });
});

describe("the program", { timeout: 90_000 }, () => {
  const start = (...args: string[]) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, ["--import", "tsx", "test/parity/run.ts", ...args], {
      cwd: packageRoot,
      encoding: "utf8",
    });
    return { status, stderr, lines: stdout.trimEnd().split("\n") };
  };
  const expectFile = (name: string, content: unknown) => writeFileSync(join(directory, "expected", name), JSON.stringify(content));

  it("exits with 1 when no case was found, and with 2 when the folder is not one of fixtures", () => {
    expect(start("--dir", directory)).toMatchObject({ status: 1, lines: expect.arrayContaining(["0 passed, 0 failed"]) as unknown });
    expect(start("--dir", join(directory, "images"))).toMatchObject({ status: 2 });
  });

  it("runs each package with both executors and counts", () => {
    expectFile("made.json", EXPECTED);
    expectFile("checkpoint.json", { variant: "rfdetr-nano", runs: [] });
    const good = start("--dir", directory);
    expect(good.lines).toEqual(
      expect.arrayContaining(["made [auto]  1  0  0  0/0", "made [reference]  1  0  0  0/0", "checkpoint [auto]  0  0  1  0/0"]),
    );
    expect(good).toMatchObject({ status: 0 });
    expect(good.lines.at(-1)).toBe("2 passed, 0 failed");

    expectFile("made.json", { ...EXPECTED, class_names: ["cat", "wolf"] });
    const bad = start("--dir", directory);
    expect(bad).toMatchObject({ status: 1 });
    expect(bad.lines.at(-1)).toBe("0 passed, 2 failed");
    expect(bad.lines).toContain("    default/blue.png: class names cat,wolf expected, got cat,dog");
  });
});
