const { fround } = Math;

/** One pixel of an axis resized with antialiased bilinear interpolation: the inputs it is made of, and their weights. */
export interface Tap {
  readonly begin: number;
  /** float32, of the inputs from `begin` on; their sum is 1. */
  readonly weights: readonly number[];
}

/**
 * A triangle as wide as two inputs, or two outputs when shrinking, around the middle of each output.
 *
 * Positions are float32, because PyTorch's are: where an output lies exactly on an input, their rounding error gives the
 * neighbour a weight of some millionths, and above a threshold of 0 that is what counts.
 *
 * @returns one tap for each of `outputs`; none where there are no inputs.
 */
export function bilinearTaps(inputs: number, outputs: number): readonly Tap[] {
  if (inputs <= 0 || outputs <= 0) return [];
  const scale = fround(inputs / outputs);
  const radius = Math.max(scale, 1);
  const inverse = fround(1 / radius);
  return Array.from({ length: outputs }, (_, output) => {
    const centre = fround(scale * (output + 0.5));
    const begin = Math.max(Math.trunc(fround(centre - radius) + 0.5), 0);
    const end = Math.min(Math.trunc(fround(centre + radius) + 0.5), inputs);
    const weights: number[] = [];
    for (let input = begin; input < end; input++) {
      const distance = Math.abs(fround((fround(input - centre) + 0.5) * inverse));
      weights.push(distance < 1 ? fround(1 - distance) : 0);
    }
    // A weight of nothing would let an infinite input through.
    while (weights.length > 1 && weights.at(-1) === 0) weights.pop();
    const total = weights.reduce((sum, weight) => fround(sum + weight), 0);
    return { begin, weights: weights.map((weight) => fround(weight / total)) };
  });
}
