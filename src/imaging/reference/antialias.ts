/**
 * Resizing without rounding: by a filter whose support grows when shrinking (the "antialiased" resizing of torchvision and Pillow),
 * or by the four nearest positions whatever the scale. The addon's twin is native/image/antialias.h: same operations, same bits.
 */

/**
 * `cubic`: antialiased, a = -0.5. `nearest-cubic`: the four nearest positions, a = -0.75, those beyond the ends being the outermost
 * (torch's `interpolate` in mode "bicubic" without antialiasing and without aligned corners).
 */
export type AntialiasKernel = "triangle" | "cubic" | "nearest-cubic";

/** Source positions `first`, `first + 1`, ... and their float32 weights, which add up to 1. */
export interface AntialiasTap {
  readonly first: number;
  readonly weights: Float32Array;
  /** float32: weight of what lies beside the picture, where something does. */
  readonly beyond?: number;
}

/** Keys' cubic. */
function cubic(position: number, a: number): number {
  const x = Math.abs(position);
  if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  if (x < 2) return (((x - 5) * x + 8) * x - 4) * a;
  return 0;
}

const triangle = (x: number): number => Math.max(0, 1 - Math.abs(x));

function nearestCubicTaps(input: number, output: number): readonly AntialiasTap[] {
  const scale = input / output;
  const within = (source: number): number => Math.min(Math.max(source, 0), input - 1);
  return Array.from({ length: output }, (_, position) => {
    const centre = (position + 0.5) * scale - 0.5;
    const nearest = Math.floor(centre);
    const first = within(nearest - 1);
    const raw = new Array<number>(within(nearest + 2) - first + 1).fill(0);
    for (let source = nearest - 1; source <= nearest + 2; source++) raw[within(source) - first]! += cubic(centre - source, -0.75);
    return { first, weights: Float32Array.from(raw) };
  });
}

/** One axis from `input` to `output` positions; weights are computed in double precision, kept in single. */
export function antialiasTaps(input: number, output: number, kernel: AntialiasKernel): readonly AntialiasTap[] {
  if (kernel === "nearest-cubic") return nearestCubicTaps(input, output);
  const weigh = (x: number): number => (kernel === "cubic" ? cubic(x, -0.5) : triangle(x));
  const scale = input / output;
  const stretch = Math.max(scale, 1);
  const radius = (kernel === "cubic" ? 2 : 1) * stretch;
  return Array.from({ length: output }, (_, position) => {
    const centre = (position + 0.5) * scale;
    const first = Math.max(Math.trunc(centre - radius + 0.5), 0);
    const last = Math.min(Math.trunc(centre + radius + 0.5), input);
    const raw = Array.from({ length: last - first }, (__, k) => weigh((first + k - centre + 0.5) / stretch));
    const total = raw.reduce((sum, weight) => sum + weight, 0);
    // Positions at the end that weigh nothing are left out.
    while (raw.length > 1 && raw.at(-1) === 0) raw.pop();
    return { first, weights: Float32Array.from(raw, (weight) => weight / total) };
  });
}
