/** One pixel of an axis resized with antialiased bilinear interpolation: the inputs it is made of, and their weights. */
export interface Tap {
  readonly begin: number;
  /** float32, of the inputs from `begin` on; their sum is 1. */
  readonly weights: readonly number[];
}

/**
 * A triangle as wide as two inputs, or two outputs when shrinking, around the middle of each output (torchvision's resize of
 * tensors, as Pillow does it). The weights are computed in double precision and rounded to float32.
 *
 * @returns one tap for each of `outputs`; none where there are no inputs.
 */
export function bilinearTaps(inputs: number, outputs: number): readonly Tap[] {
  if (inputs <= 0 || outputs <= 0) return [];
  const scale = inputs / outputs;
  const radius = Math.max(scale, 1);
  return Array.from({ length: outputs }, (_, output) => {
    const centre = (output + 0.5) * scale;
    const begin = Math.max(Math.trunc(centre - radius + 0.5), 0);
    const end = Math.min(Math.trunc(centre + radius + 0.5), inputs);
    const weights: number[] = [];
    for (let input = begin; input < end; input++) weights.push(Math.max(0, 1 - Math.abs((input - centre + 0.5) / radius)));
    // A weight of nothing would let an infinite input through.
    while (weights.length > 1 && weights.at(-1) === 0) weights.pop();
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    return { begin, weights: weights.map((weight) => Math.fround(weight / total)) };
  });
}
