/** Masks and maps by the kernels of a real device, behind networks that hand out their inputs, compared with the CPU's. */
import type { DetectionRequest, MapRequest, Tensor } from "../../src/engines/index.js";
import { cpuDecoder, type Decoder, type MaskTarget } from "../../src/models/decoding/index.js";
import { decodeHead, readHead, type DenseLayout, type QueriesLayout } from "../../src/models/families/head.js";
import { readMasks } from "../../src/models/families/mask-planes.js";
import type { NativeAddon } from "../../src/native/index.js";
import { bitsOf, loadIdentity, median } from "./identity.js";

const BATCH = 2;
const [CLASSES, CHANNELS, ANCHORS, SIDE] = [4, 32, 600, 40];
const PICTURE = { width: 320, height: 180 };
const SETTINGS = { thresholds: Float32Array.of(0.5), iouThreshold: 0.6, classAgnostic: false, maxDetections: 100 };

type ExpectThat = (holds: boolean, what: string) => void;
type Say = (text: string) => void;
type Inputs = Readonly<Record<string, Tensor>>;

/** Numbers from -1 to 1 that do not repeat soon. */
const noise = (index: number): number => (Math.imul(index + 1, 2654435761) >>> 8) / 2 ** 23 - 1;

function tensor(dims: readonly number[], valueAt: (index: number) => number): Tensor {
  const length = dims.reduce((product, size) => product * size, 1);
  return { type: "float32", dims, data: Float32Array.from({ length }, (_, index) => valueAt(index)) };
}

/** Boxes of every size, scores, coefficients. */
function anchorValue(index: number): number {
  const attribute = Math.floor(index / ANCHORS) % (4 + CLASSES + CHANNELS);
  if (attribute < 4) return 20 + (noise(index) + 1) * (attribute < 2 ? 60 : 30);
  return attribute < 4 + CLASSES ? Math.abs(noise(index)) : noise(index);
}

const TARGET: MaskTarget = {
  ...{ trim: { left: 0, top: 8, right: 0, bottom: 9 }, resize: PICTURE, left: 0, top: 0, picture: PICTURE, threshold: 0.5 },
};

const anchors = { output: 0, attributes: "first" } as const;

interface Segmenter {
  readonly head: DenseLayout | QueriesLayout;
  readonly request: Omit<DetectionRequest, "head">;
  /** Of the network. */
  readonly outputs: readonly Tensor[];
}

/** Instances with prototypes, and queries with a plane each. */
const SEGMENTERS: Readonly<Record<string, Segmenter>> = {
  prototypes: {
    head: {
      kind: "dense",
      boxes: { ...anchors, from: 0 },
      boxFormat: "cxcywh",
      scores: { ...anchors, from: 4 },
      extras: CHANNELS,
      objectness: null,
      objectnessUse: "none",
    },
    request: {
      settings: SETTINGS,
      pictures: BATCH,
      masks: {
        planes: 1,
        channels: "first",
        coefficients: { ...anchors, from: 4 + CLASSES },
        sigmoid: true,
        boxScale: 0.25,
        targets: [TARGET, TARGET],
      },
    },
    outputs: [tensor([BATCH, 4 + CLASSES + CHANNELS, ANCHORS], anchorValue), tensor([BATCH, CHANNELS, SIDE, SIDE], noise)],
  },
  "a plane for each query": {
    head: { kind: "queries", boxes: 0, logits: 1, classMapping: Int32Array.from({ length: CLASSES }, (_, id) => id) },
    request: {
      settings: SETTINGS,
      pictures: BATCH,
      masks: {
        ...{ planes: 2, channels: "first", coefficients: null, sigmoid: false, boxScale: null },
        targets: [
          { ...TARGET, threshold: 0 },
          { ...TARGET, threshold: 0 },
        ],
      },
    },
    outputs: [
      tensor([BATCH, 50, 4], (index) => Math.abs(noise(index))),
      tensor([BATCH, 50, CLASSES], (index) => noise(index) * 4),
      tensor([BATCH, 50, SIDE, SIDE], (index) => noise(index) + noise(Math.floor(index / 7))),
    ],
  },
};

/** What the CPU makes of one picture, comparable to the bit. */
async function expectedMasks(
  { head, settings, masks }: DetectionRequest & Pick<Segmenter, "head">,
  outputs: readonly Tensor[],
  image: number,
  decoder: Decoder,
) {
  if (masks === undefined) throw new Error("There are no masks to compare.");
  const rows = await decodeHead(readHead(head, outputs, image), settings, decoder);
  const { sigmoid, boxScale, targets } = masks;
  const runs = await decoder.decodeMasks(
    { ...readMasks(masks, outputs, image), sigmoid },
    { indices: rows.indices, boxes: boxScale === null ? null : rows.xyxy, boxScale: boxScale ?? 1 },
    targets[image] as MaskTarget,
  );
  return { bits: bitsOf(rows.xyxy, rows.scores, rows.classIds, runs.runs, runs.offsets), length: runs.runs.length };
}

const named = (outputs: readonly Tensor[]): Inputs => Object.fromEntries(outputs.map((output, index) => [`values${index}`, output]));

async function checkMasks(decoder: Decoder, device: number, rounds: number, expectThat: ExpectThat, say: Say): Promise<void> {
  for (const [name, { head, request, outputs: given }] of Object.entries(SEGMENTERS)) {
    await using engine = await loadIdentity(given, device);
    const inputs = named(given);
    const handed = await engine.run(inputs);
    const outputs = engine.outputs.map((port) => handed[port.name] as Tensor);
    let [differing, runs] = [0, 0];
    // Runs after the second are launches of a graph.
    for (const threshold of [0.5, 0.7, 0.9, 0.3]) {
      const changed = { ...request, head, settings: { ...SETTINGS, thresholds: Float32Array.of(threshold) } };
      const { pictures } = await engine.runDetections!(inputs, changed);
      for (const [image, { rows, masks }] of pictures.entries()) {
        const expected = await expectedMasks(changed, outputs, image, decoder);
        const bits = masks == null ? "" : bitsOf(rows.xyxy, rows.scores, rows.classIds, masks.runs, masks.offsets);
        if (bits !== expected.bits) differing += 1;
        runs += expected.length;
      }
    }
    expectThat(differing === 0 && runs > 100, `masks of ${name}: ${differing} of 8 pictures differ from the CPU's, with ${runs} runs`);
    const onDevice = await median(rounds, () => engine.runDetections!(inputs, { ...request, head }));
    say(
      `masks of ${name}, batch ${BATCH}, upload included: ${onDevice}; ${await median(rounds, () => engine.run(inputs))} with the outputs`,
    );
  }
}

async function checkMaps(decoder: Decoder, device: number, rounds: number, expectThat: ExpectThat, say: Say): Promise<void> {
  const planes = tensor([BATCH, CLASSES, SIDE, SIDE], (index) => (noise(index) + noise(Math.floor(index / 9))) * 3);
  await using engine = await loadIdentity([planes], device);
  const placement = {
    trim: { left: 0, top: 6, right: 0, bottom: -3 },
    resize: PICTURE,
    canvas: { width: PICTURE.width + 40, height: PICTURE.height + 10, left: 30, top: 5 },
  };
  const placements = [placement, placement];
  const classes = { classIds: Int32Array.from({ length: CLASSES }, (_, id) => id), background: 0, thresholds: Float32Array.of(0.4) };
  const map = { data: planes.data as Float32Array, channels: CLASSES, width: SIDE, height: SIDE };
  const kinds: Readonly<Record<string, { readonly request: MapRequest; readonly expected: (offset: number) => Promise<string> }>> = {
    classes: {
      request: { planes: 0, placements, classes, filter: "triangle" },
      async expected(offset) {
        const { classMap, confidence } = await decoder.makeClassMap({ ...map, offset }, placement, classes);
        return bitsOf(classMap, confidence);
      },
    },
    values: {
      request: { planes: 0, placements, classes: null, filter: "nearest-cubic" },
      expected: async (offset) => bitsOf(await decoder.makeValueMap({ ...map, offset }, placement, "nearest-cubic")),
    },
  };
  for (const [name, { request, expected }] of Object.entries(kinds)) {
    let differing = 0;
    for (let round = 0; round < 4; round += 1) {
      const { pictures } = await engine.runMaps!(named([planes]), request);
      for (const [image, found] of pictures.entries()) {
        const bits = found instanceof Float32Array ? bitsOf(found) : bitsOf(found.classMap, found.confidence);
        if (bits !== (await expected(image * CLASSES * SIDE * SIDE))) differing += 1;
      }
    }
    expectThat(differing === 0, `maps of ${name}: ${differing} of 8 differ from the CPU's`);
    say(`maps of ${name}, batch ${BATCH}, upload included: ${await median(rounds, () => engine.runMaps!(named([planes]), request))}`);
  }
}

export async function checkMasksAndMaps(
  addon: NativeAddon,
  { device, rounds }: { readonly device: number; readonly rounds: number },
  expectThat: ExpectThat,
  say: Say,
): Promise<void> {
  const decoder = cpuDecoder(addon);
  await checkMasks(decoder, device, rounds, expectThat, say);
  await checkMaps(decoder, device, rounds, expectThat, say);
}
