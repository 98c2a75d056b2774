/** Heads for the tests of decoding: random ones from few enough values that ties, NaN and overlaps are common. */
import fc from "fast-check";

import type {
  CandidateMatrix,
  DecodeSettings,
  DenseHead,
  KeyPointQueriesHead,
  QueriesHead,
  RowsHead,
} from "../../../src/models/decoding/index.js";

const single = (minimum: number, maximum: number): fc.Arbitrary<number> =>
  fc.float({ min: Math.fround(minimum), max: Math.fround(maximum), noNaN: true });

/** Mostly ordinary, some on a coarse grid (ties), a few that are no numbers. */
const values = (minimum: number, maximum: number): fc.Arbitrary<number> =>
  fc.oneof(
    { weight: 6, arbitrary: single(minimum, maximum) },
    { weight: 4, arbitrary: fc.integer({ min: 0, max: 4 }).map((step) => Math.fround(minimum + ((maximum - minimum) * step) / 4)) },
    { weight: 1, arbitrary: fc.constantFrom(Number.NaN, Infinity, -Infinity, 0, -0) },
  );

const floats = (length: number, minimum: number, maximum: number): fc.Arbitrary<Float32Array> =>
  fc.array(values(minimum, maximum), { minLength: length, maxLength: length }).map((numbers) => Float32Array.from(numbers));

export const settings = (classes: number): fc.Arbitrary<DecodeSettings> =>
  fc.record({
    thresholds: fc.oneof(
      values(0, 1).map((threshold) => Float32Array.of(threshold)),
      fc.integer({ min: 1, max: classes + 1 }).chain((length) => floats(length, 0, 1)),
    ),
    iouThreshold: fc.option(fc.double({ min: 0, max: 1, noNaN: true })),
    classAgnostic: fc.boolean(),
    maxDetections: fc.option(fc.integer({ min: 0, max: 20 })),
  });

export const denseCase: fc.Arbitrary<readonly [DenseHead, DecodeSettings]> = fc
  .record({
    candidates: fc.integer({ min: 0, max: 60 }),
    classes: fc.integer({ min: 1, max: 20 }),
    channelsFirst: fc.boolean(),
    boxFormat: fc.constantFrom("cxcywh" as const, "xyxy" as const, "offsets" as const),
    objectnessUse: fc.constantFrom("none" as const, "gate" as const, "product" as const),
    offset: fc.integer({ min: 0, max: 5 }),
  })
  .chain(({ candidates, classes, channelsFirst, boxFormat, objectnessUse, offset }) => {
    const attributes = 5 + classes;
    const product = objectnessUse === "product";
    const offsets = boxFormat === "offsets";
    return fc
      .tuple(
        floats(candidates * 4, offsets ? -5 : 0, offsets ? 5 : 100),
        floats(candidates * 4 + 1, 0, 1),
        floats(candidates * (1 + classes), product ? -8 : 0, product ? 20 : 1),
        settings(classes),
      )
      .map(([coordinates, fractions, scores, decodeSettings]): readonly [DenseHead, DecodeSettings] => {
        const data = new Float32Array(offset + candidates * attributes);
        const [candidateStride, attributeStride] = channelsFirst ? [1, candidates] : [attributes, 1];
        const write = (candidate: number, attribute: number, value: number | undefined): void => {
          data[offset + candidate * candidateStride + attribute * attributeStride] = value ?? 0;
        };
        for (let candidate = 0; candidate < candidates; candidate++) {
          for (let i = 0; i < 4; i++) write(candidate, i, coordinates[candidate * 4 + i]);
          for (let i = 0; i <= classes; i++) write(candidate, 4 + i, scores[candidate * (1 + classes) + i]);
        }
        const matrix = (first: number) => ({ data, offset: offset + first * attributeStride, candidateStride, attributeStride });
        const head = { candidates, classes, boxes: matrix(0), boxFormat, scores: matrix(5), objectness: matrix(4), objectnessUse };
        const priors = { data: fractions, offset: 1, candidateStride: 4, attributeStride: 1, inputSize: { width: 64, height: 48 } };
        return [offsets ? { ...head, priors } : head, decodeSettings];
      });
  });

export const rowsCase: fc.Arbitrary<readonly [RowsHead, DecodeSettings]> = fc
  .record({
    rows: fc.integer({ min: 0, max: 30 }),
    columns: fc.integer({ min: 6, max: 9 }),
    inclusive: fc.boolean(),
    offset: fc.integer({ min: 0, max: 5 }),
  })
  .chain((shape) =>
    fc
      .tuple(floats(shape.offset + shape.rows * shape.columns, 0, 4), settings(4))
      .map(([data, decodeSettings]) => [{ ...shape, data }, decodeSettings]),
  );

export const queriesCase: fc.Arbitrary<readonly [QueriesHead, DecodeSettings]> = fc
  .record({
    queries: fc.integer({ min: 0, max: 30 }),
    classes: fc.integer({ min: 1, max: 8 }),
    boxesOffset: fc.nat(3),
    logitsOffset: fc.nat(3),
  })
  .chain((shape) =>
    fc
      .record({
        boxes: floats(shape.boxesOffset + shape.queries * 4, 0, 1),
        logits: floats(shape.logitsOffset + shape.queries * shape.classes, -10, 25),
        classMapping: fc
          .array(fc.integer({ min: -1, max: 8 }), { minLength: shape.classes, maxLength: shape.classes })
          .map((mapping) => Int32Array.from(mapping)),
        decodeSettings: settings(shape.classes),
      })
      .map(({ decodeSettings, ...arrays }) => [{ ...shape, ...arrays }, decodeSettings]),
  );

const sizes = fc.record({ width: fc.integer({ min: 1, max: 700 }), height: fc.integer({ min: 1, max: 700 }) });

export const keyPointQueriesCase: fc.Arbitrary<readonly [KeyPointQueriesHead, DecodeSettings]> = fc
  .tuple(
    queriesCase,
    fc.record({ slots: fc.integer({ min: 1, max: 5 }), numbers: fc.integer({ min: 7, max: 9 }), pointsOffset: fc.nat(3) }),
  )
  .chain(([[head, decodeSettings], shape]) =>
    fc
      .tuple(floats(shape.pointsOffset + head.queries * head.classes * shape.slots * shape.numbers, -3, 3), sizes, sizes)
      .map(([points, size, covarianceSize]): readonly [KeyPointQueriesHead, DecodeSettings] => [
        { ...head, ...shape, points, size, covarianceSize },
        decodeSettings,
      ]),
  );

export const keyPointsCase: fc.Arbitrary<readonly [CandidateMatrix, Int32Array, number]> = fc
  .record({ candidates: fc.integer({ min: 1, max: 9 }), slots: fc.integer({ min: 1, max: 5 }), offset: fc.nat(3), first: fc.boolean() })
  .chain(({ candidates, slots, offset, first }) => {
    const strides = first ? { candidateStride: 1, attributeStride: candidates } : { candidateStride: 3 * slots, attributeStride: 1 };
    return fc
      .tuple(floats(offset + candidates * slots * 3, -9, 99), fc.array(fc.nat(candidates - 1), { maxLength: 20 }))
      .map(([data, indices]) => [{ data, offset, candidates, ...strides }, Int32Array.from(indices), slots]);
  });

export const suppressionCase: fc.Arbitrary<readonly [Float32Array, Float32Array, Int32Array, number]> = fc.nat(80).chain((count) =>
  fc.tuple(
    floats(count * 4, 0, 20),
    floats(count, 0, 1),
    fc.array(fc.constantFrom(-5, 0, 1, 2 ** 31 - 1), { minLength: count, maxLength: count }).map((ids) => Int32Array.from(ids)),
    fc.double({ min: 0, max: 1, noNaN: true }),
  ),
);
