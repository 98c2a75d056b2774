/** Random masks for the tests of decoding: small planes, every geometry, values around the threshold and some that are no numbers. */
import fc from "fast-check";

import type { MaskHead, MaskSelection, MaskTarget } from "../../../src/models/decoding/index.js";

const value = fc.oneof(
  { weight: 6, arbitrary: fc.float({ min: -4, max: 4, noNaN: true }) },
  { weight: 4, arbitrary: fc.constantFrom(-1, 0, 0.5, 1) },
);
const odd = fc.oneof(
  { weight: 30, arbitrary: value },
  { weight: 1, arbitrary: fc.constantFrom(Number.NaN, Infinity, -Infinity, -0, 1e30) },
);

const numbers = (length: number, of: fc.Arbitrary<number>): fc.Arbitrary<Float32Array> =>
  fc.array(of, { minLength: length, maxLength: length }).map((list) => Float32Array.from(list));

const shift = fc.integer({ min: -3, max: 3 });
const target: fc.Arbitrary<MaskTarget> = fc.record({
  trim: fc.record({ left: shift, top: shift, right: shift, bottom: shift }),
  // From much smaller than the planes to much larger.
  resize: fc.record({ width: fc.integer({ min: 1, max: 40 }), height: fc.integer({ min: 1, max: 40 }) }),
  left: fc.integer({ min: -5, max: 10 }),
  top: fc.integer({ min: -5, max: 10 }),
  picture: fc.record({ width: fc.integer({ min: 1, max: 50 }), height: fc.integer({ min: 1, max: 50 }) }),
  threshold: fc.constantFrom(0, 0.5, 0.25, -0.5, 1),
});

export const maskCase: fc.Arbitrary<readonly [MaskHead, MaskSelection, MaskTarget]> = fc
  .record({
    width: fc.integer({ min: 1, max: 12 }),
    height: fc.integer({ min: 1, max: 12 }),
    channels: fc.integer({ min: 1, max: 5 }),
    candidates: fc.integer({ min: 1, max: 4 }),
    prototypes: fc.boolean(),
    channelsLast: fc.boolean(),
    sigmoid: fc.boolean(),
    wild: fc.boolean(),
    offset: fc.integer({ min: 0, max: 3 }),
  })
  .chain(({ width, height, channels, candidates, prototypes, channelsLast, sigmoid, wild, offset }) => {
    const cells = width * height;
    const rows = prototypes ? candidates : channels;
    const selection = fc.array(fc.integer({ min: 0, max: rows - 1 }), { maxLength: 4 }).chain((indices) =>
      fc.record({
        indices: fc.constant(Int32Array.from(indices)),
        boxes: fc.option(numbers(4 * indices.length, fc.oneof(fc.float({ min: -8, max: 60, noNaN: true }), odd))),
        boxScale: fc.constantFrom(0.25, 1),
      }),
    );
    return fc.tuple(
      fc
        .tuple(numbers(offset + cells * channels, wild ? odd : value), numbers(candidates * channels, wild ? odd : value))
        .map(([data, weights]): MaskHead => ({
          width,
          height,
          channels,
          sigmoid,
          planes: {
            data,
            offset,
            ...(channelsLast ? { candidateStride: channels, attributeStride: 1 } : { candidateStride: 1, attributeStride: cells }),
          },
          coefficients: prototypes ? { data: weights, offset: 0, candidateStride: channels, attributeStride: 1, candidates } : null,
        })),
      selection,
      target,
    );
  });
