import { afterEach, describe, expect, it } from "vitest";

import { AutoModel, CorruptedModelPackageError, type InstanceSegmentationModel } from "../../../src/index.js";
import { blankPicture, constantNetwork, inferenceConfig, writePackage, type KnownOutput } from "../../support/packages.js";

const SIZE = { width: 64, height: 64 };
const CELLS = 16;
const PROTOTYPES = 32;

/** Two prototypes that matter: one everywhere 1, one positive in the left half. The others are 0. */
function prototypes(channelsLast = false): KnownOutput {
  const data = new Float32Array(PROTOTYPES * CELLS * CELLS);
  for (let cell = 0; cell < CELLS * CELLS; cell++) {
    const put = (channel: number, value: number): void => {
      data[channelsLast ? cell * PROTOTYPES + channel : channel * CELLS * CELLS + cell] = value;
    };
    put(0, 1);
    put(1, cell % CELLS < CELLS / 2 ? 1 : -1);
  }
  return { name: "prototypes", dims: channelsLast ? [1, CELLS, CELLS, PROTOTYPES] : [1, PROTOTYPES, CELLS, CELLS], data };
}

const coefficients = (everywhere: number, left: number): number[] => [everywhere, left, ...new Array<number>(PROTOTYPES - 2).fill(0)];

/** A "dog" in the middle, 32 x 32 pixels, and a "cat" of 16 x 16 in the upper left; the dog's mask is its left half. */
const DOG = { box: [32, 32, 32, 32], corners: [16, 16, 48, 48], scores: [0.1, 0.9], classId: 1, mask: coefficients(0, 4) };
const CAT = { box: [8, 8, 16, 16], corners: [0, 0, 16, 16], scores: [0.6, 0.2], classId: 0, mask: coefficients(4, 0) };

const rowsOf = (rows: readonly (readonly number[])[]): Float32Array => Float32Array.from(rows.flat());
const columnsOf = (rows: readonly (readonly number[])[]): Float32Array =>
  Float32Array.from((rows[0] ?? []).flatMap((_, attribute) => rows.map((row) => row[attribute] ?? 0)));

const anchors = [DOG, CAT].map(({ box, scores, mask }) => [...box, ...scores, ...mask]);
const withObjectness = [DOG, CAT].map(({ box, scores, mask }) => [...box, 0.95, ...scores, ...mask]);
const endToEnd = [DOG, CAT].map(({ corners, scores, classId, mask }) => [...corners, scores[classId] ?? 0, classId, ...mask]);

const output = (name: string, dims: readonly number[], data: Float32Array): KnownOutput => ({ name, dims, data });
const unused = (name: string): KnownOutput => output(name, [1, 1], new Float32Array(1));

/** Every prior is the box itself, as a fraction; offsets of 0 leave it alone. */
const YOLACT: readonly KnownOutput[] = [
  output("loc", [1, 2, 4], new Float32Array(8)),
  output("conf", [1, 2, 3], rowsOf([DOG, CAT].map(({ scores }) => [0.01, ...scores]))),
  output("mask", [1, 2, PROTOTYPES], rowsOf([DOG, CAT].map(({ mask }) => mask))),
  output("priors", [2, 4], rowsOf([DOG, CAT].map(({ box }) => box.map((value) => value / SIZE.width)))),
  prototypes(true),
];

const logit = (probability: number): number => Math.log(probability / (1 - probability));
const inBox = ([x1 = 0, y1 = 0, x2 = 0, y2 = 0]: readonly number[], inside: (x: number) => boolean): number[] =>
  Array.from({ length: CELLS * CELLS }, (_, cell) => {
    const [x, y] = [(cell % CELLS) * 4, Math.floor(cell / CELLS) * 4];
    return x >= x1 && x < x2 && y >= y1 && y < y2 && inside(x) ? 1 : -1;
  });

const RFDETR: readonly KnownOutput[] = [
  output("dets", [1, 2, 4], rowsOf([DOG, CAT].map(({ box }) => box.map((value) => value / SIZE.width)))),
  output("labels", [1, 2, 2], rowsOf([DOG, CAT].map(({ scores }) => scores.map(logit)))),
  output("masks", [1, 2, CELLS, CELLS], rowsOf([inBox(DOG.corners, (x) => x < 32), inBox(CAT.corners, () => true)])),
];

const NETWORKS: Readonly<Record<string, { readonly outputs: readonly KnownOutput[]; readonly fused?: boolean }>> = {
  yolov5: { outputs: [output("output0", [1, 2, 39], rowsOf(withObjectness)), prototypes()] },
  yolov7: { outputs: [output("output0", [1, 2, 39], rowsOf(withObjectness)), unused("a"), unused("b"), unused("c"), prototypes()] },
  yolov8: { outputs: [output("output0", [1, 38, 2], columnsOf(anchors)), prototypes()] },
  yolov11: { outputs: [output("output0", [1, 2, 38], rowsOf(endToEnd)), prototypes()], fused: true },
  yolo26: { outputs: [output("output0", [1, 2, 38], rowsOf(endToEnd)), prototypes()] },
  yolact: { outputs: YOLACT },
  rfdetr: { outputs: RFDETR },
};

const opened: InstanceSegmentationModel[] = [];
afterEach(async () => {
  for (const model of opened.splice(0)) await model.close();
});

async function load(
  architecture: string,
  outputs: readonly KnownOutput[] = NETWORKS[architecture]?.outputs ?? [],
  fused = NETWORKS[architecture]?.fused ?? false,
): Promise<InstanceSegmentationModel> {
  const folder = await writePackage({
    modelConfig: { model_architecture: architecture, task_type: "instance-segmentation", backend_type: "onnx" },
    inferenceConfig: inferenceConfig({ postProcessing: { type: "nms", fused } }),
    weights: constantNetwork(outputs, SIZE),
  });
  const model = await AutoModel.fromPretrained(folder);
  if (model.task !== "instance-segmentation") throw new Error("expected a segmenter");
  opened.push(model);
  return model;
}

describe("instance segmentation", () => {
  it.each(Object.keys(NETWORKS))("of %s finds boxes and masks in the picture", async (architecture) => {
    const model = await load(architecture);
    // Twice as wide as the network, as high as it.
    const result = await model.predict(blankPicture(128, 64));
    expect(Array.from(result, ({ className, confidence }) => [className, Math.round(confidence * 100)])).toEqual([
      ["dog", 90],
      ["cat", 60],
    ]);
    expect([...result.xyxy]).toEqual([32, 16, 96, 48, 0, 0, 32, 16]);
    const [dog, cat] = result;
    // Its left half: columns 32 to 64. Borders may lie a mask cell (8 pixels wide, 4 high) further out.
    expect(dog!.mask.width).toBe(128);
    expect(dog!.mask.height).toBe(64);
    expect(dog!.mask.area).toBeGreaterThan(0.9 * 32 * 32);
    expect(dog!.mask.area).toBeLessThanOrEqual(48 * 40);
    const { left, top, right, bottom } = dog!.mask.bounds!;
    expect([left, top, right, bottom].map((side, index) => Math.abs(side - [32, 16, 64, 48][index]!) <= [8, 4, 8, 4][index]!)).toEqual([
      true,
      true,
      true,
      true,
    ]);
    expect(cat!.mask.bounds!.left).toBe(0);
    expect(cat!.mask.area).toBeGreaterThan(0.9 * 32 * 16);
  });

  it("gives the same pixels dense and as runs", async () => {
    const model = await load("yolov8");
    const runs = await model.predict(blankPicture(128, 64));
    const dense = await model.predict(blankPicture(128, 64), { maskFormat: "dense" });
    expect(runs.masks.format).toBe("rle");
    if (dense.masks.format !== "dense") throw new Error("dense masks expected");
    expect(dense.masks.data).toHaveLength(2 * 128 * 64);
    for (const [index, mask] of [...runs.masks].entries()) expect(dense.masks.at(index)!.toDense()).toEqual(mask.toDense());
  });

  it("of YOLOv8 lets callers choose threshold and smoothing", async () => {
    const model = await load("yolov8");
    const area = async (options: object): Promise<number> => (await model.predict(blankPicture(64, 64), options)).masks.at(0)!.area;
    expect(await area({ maskThreshold: 0.99 })).toBe(0);
    expect(await area({ maskThreshold: 0.2 })).toBeGreaterThan(await area({ maskThreshold: 0.8 }));
    // Without smoothing the numbers of the network count: 4 where it is sure.
    expect(await area({ smoothMasks: false, maskThreshold: 3.9 })).toBeGreaterThan(0);
    await expect(area({ maskFormat: "polygon" })).rejects.toThrow(/maskFormat/);
    await expect(area({ maskThreshold: Number.NaN })).rejects.toThrow(/maskThreshold/);
  });

  it("finds nothing, with masks of nothing, where nothing is sure enough", async () => {
    const model = await load("rfdetr");
    const result = await model.predict(blankPicture(64, 64), { confidence: 0.99 });
    expect([result.length, result.masks.length]).toEqual([0, 0]);
    expect(result.toJSON().detections).toEqual([]);
  });

  it.each([
    ["without prototypes", "yolov8", [output("output0", [1, 38, 2], columnsOf(anchors))], false, /output 1/],
    ["with other classes", "yolov8", [output("output0", [1, 39, 2], new Float32Array(78)), prototypes()], false, /3 classes/],
    ["with other columns", "yolo26", [output("output0", [1, 2, 6], new Float32Array(12)), prototypes()], false, /6 columns/],
    ["with other prototypes", "yolo26", [output("output0", [1, 2, 38], rowsOf(endToEnd)), unused("x")], false, /prototypes/],
    ["without masks", "rfdetr", RFDETR.slice(0, 2), false, /output 2/],
  ] as const)("refuses a network %s", async (_, architecture, outputs, fused, message) => {
    const loading = load(architecture, outputs, fused);
    await expect(loading).rejects.toThrow(CorruptedModelPackageError);
    await expect(loading).rejects.toThrow(message);
  });
});
