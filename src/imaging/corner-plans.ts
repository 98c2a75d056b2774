/** Pictures in the upper left corner of a square input, whose rest is 0 after the normalization. */
import { stretchInto } from "./text-plans.js";
import type { ColorFormat, Geometry, Normalization, PreprocessExecutor, PreprocessSteps, ResizeStep, Size } from "./types.js";

/** The longer side becomes the network's, by Pillow's antialiased bilinear interpolation. */
export interface CornerPlan {
  readonly kind: "corner";
  readonly defaultSize: Size;
  readonly colorFormat: ColorFormat;
  readonly normalization: Normalization;
}

/** Sides of a picture in the network: halves are rounded up, and no side vanishes. */
export function cornerSize({ width, height }: Size, network: Size): Size {
  const scale = Math.min(network.width / width, network.height / height);
  const side = (length: number): number => Math.max(Math.trunc(length * scale + 0.5), 1);
  return { width: side(width), height: side(height) };
}

/** A plan for RGB networks: value = `(x - mean) / std`, both on the scale of bytes. */
export function compileCornerPlan(size: Size, mean: readonly [number, number, number], std: readonly [number, number, number]): CornerPlan {
  return Object.freeze({
    kind: "corner",
    defaultSize: Object.freeze({ ...size }),
    colorFormat: "rgb",
    normalization: Object.freeze({ divisor: null, factor: null, mean, std }),
  });
}

export function resolveCorner(
  { defaultSize, colorFormat, normalization }: CornerPlan,
  picture: Size & { readonly colorFormat: ColorFormat },
): { readonly steps: PreprocessSteps; readonly geometry: Geometry } {
  return stretchInto(picture, cornerSize(picture, defaultSize), defaultSize, 0, colorFormat, normalization, "pillow");
}

/** Fills of canvases are gray levels, which normalization makes something else of: here what lies beside the picture is 0. */
export function zeroPadded(executor: PreprocessExecutor): PreprocessExecutor {
  return {
    name: executor.name,
    async run(image, steps, target) {
      const { output } = steps;
      const step = steps.geometry.at(-1) as ResizeStep;
      const { width, height } = step;
      if (width === output.width && height === output.height) return executor.run(image, steps, target);
      const picture = new Float32Array(3 * width * height);
      const own = { ...step, canvas: { width, height, left: 0, top: 0, fill: 0 } };
      await executor.run(image, { ...steps, geometry: [...steps.geometry.slice(0, -1), own], output: { width, height } }, picture);
      target.fill(0);
      for (let row = 0; row < 3 * height; row++) {
        const [channel, y] = [Math.trunc(row / height), row % height];
        target.set(picture.subarray(row * width, (row + 1) * width), (channel * output.height + y) * output.width);
      }
    },
  };
}
