/**
 * The vocabulary of the imaging room: what a picture is once decoded, what has to happen to it, and how to get back.
 *
 * A package's `inference_config.json` is compiled once into a {@link PreprocessPlan}. For each picture the plan is
 * resolved to {@link PreprocessSteps} (what an executor does) and a {@link Geometry} (how results find their way back).
 */

/** Order of the colour channels in interleaved pixels. */
export type ColorFormat = "rgb" | "bgr";

/** Pixels as the caller holds them: 8-bit, interleaved, row-major, without padding between rows. */
export interface RawPixels {
  /** `height * width * channels` values, 0..255. */
  readonly data: Uint8Array | Uint8ClampedArray;
  readonly width: number;
  readonly height: number;
  /** 1 = gray, 3 = colour, 4 = colour with alpha (the alpha is dropped, not blended). */
  readonly channels: 1 | 3 | 4;
  /** Order of the colour channels; ignored for gray. */
  readonly colorFormat: ColorFormat;
}

/** What executors read. The memory is not written to. */
export interface PixelImage extends Omit<RawPixels, "data"> {
  readonly data: Uint8Array;
  /**
   * True when the memory belongs to the caller, who may detach or overwrite it while a prediction runs: an executor on
   * another thread copies it first. False for pixels that this package decoded itself.
   */
  readonly borrowed: boolean;
}

/** A decoded picture with its history. */
export interface Picture extends PixelImage {
  /** Path or URL when the caller gave one. */
  readonly source: string | null;
  /** EXIF orientation found in the file, 1..8; 1 when there is none. */
  readonly exifOrientation: number;
  /** Whether the pixels were turned upright because of it. */
  readonly orientationApplied: boolean;
}

export interface Size {
  readonly width: number;
  readonly height: number;
}

export interface Rectangle extends Size {
  readonly left: number;
  readonly top: number;
}

export type ContrastKind = "contrast-stretching" | "histogram-equalization" | "adaptive-equalization";

/**
 * How pixels are interpolated.
 * - `linear`: 8-bit bilinear without antialiasing, half-pixel centres, 11-bit weights (OpenCV's INTER_LINEAR), bit-exact.
 * - `pillow`: 8-bit bilinear whose support grows when shrinking, 22-bit weights, 8 bits between the passes (Pillow), bit-exact.
 * - `none`: pixels are copied, the size does not change.
 * - `triangle`: bilinear whose support grows when shrinking, in float32 and not rounded; only as the last step.
 * - `gaussian`: the square of which the picture is the upper left part and `canvas.fill` the rest, as large as the picture's longer
 *   side: blurred when shrinking, then bilinear, in float32 and not rounded; only as the last step. (OWLv2's.)
 * - `cubic`: bicubic (a = -0.5) whose support grows when shrinking, rounded half to even to 8 bits once; only as the last step.
 */
export type ResizeFilter = "linear" | "pillow" | "none" | "triangle" | "cubic" | "gaussian";

/** Resize to `width` x `height` and place the result on a canvas. */
export interface ResizeStep {
  readonly kind: "resize";
  readonly filter: ResizeFilter;
  /** Size after interpolation, pixels. */
  readonly width: number;
  readonly height: number;
  readonly canvas: {
    readonly width: number;
    readonly height: number;
    /** Where the resized picture's left column lands; negative = that many columns are cut off. */
    readonly left: number;
    readonly top: number;
    /** Value of canvas pixels without picture, all channels, 0..255 scale. */
    readonly fill: number;
  };
}

/**
 * Sample on a regular grid: output pixel (u, v) is the bilinear value of the picture at
 * `(originX + u * stepX, originY + v * stepY)`, integer coordinates being pixel centres and everything outside black;
 * rounded half to even to 8 bits. (MediaPipe's CPU sampling.)
 */
export interface SampleStep {
  readonly kind: "sample";
  readonly width: number;
  readonly height: number;
  readonly originX: number;
  readonly originY: number;
  readonly stepX: number;
  readonly stepY: number;
}

/** Numbers after resizing, in float32: `x / divisor`, then `* factor`, then `(x - mean) / std`; null = step left out. */
export interface Normalization {
  readonly divisor: number | null;
  readonly factor: number | null;
  readonly mean: readonly [number, number, number] | null;
  readonly std: readonly [number, number, number] | null;
}

/** All an executor needs for one picture; plain data, also handed to the addon as it is. */
export interface PreprocessSteps {
  /** Size of the picture these steps were resolved for. */
  readonly source: Size;
  /** Part of the picture that is used, inside the picture, never empty. */
  readonly crop: Rectangle;
  readonly grayscale: boolean;
  readonly contrast: ContrastKind | null;
  /** One step, or two (RF-DETR with dataset dimensions), each on 8-bit pixels. */
  readonly geometry: readonly (ResizeStep | SampleStep)[];
  /** Whether channels 0 and 2 are exchanged to reach the network's order. */
  readonly swapChannels: boolean;
  readonly normalization: Normalization;
  /** Size of the network input: the output is float32 `[3, height, width]`. */
  readonly output: Size;
}

/** The way back from network pixels to the original picture (the reference's ImageMetadata). */
export interface Geometry {
  /** Network pixels; negative = cut off by center-crop. */
  readonly padLeft: number;
  readonly padTop: number;
  readonly padRight: number;
  readonly padBottom: number;
  /** The picture as given (upright when EXIF was applied). */
  readonly originalSize: Size;
  /** After the static crop. */
  readonly sizeAfterPreProcessing: Size;
  /** Network input really used. */
  readonly inferenceSize: Size;
  /** Network pixels per picture pixel. */
  readonly scaleWidth: number;
  readonly scaleHeight: number;
  readonly staticCropOffset: {
    readonly offsetX: number;
    readonly offsetY: number;
    readonly cropWidth: number;
    readonly cropHeight: number;
  };
  /** RF-DETR with dataset dimensions only. */
  readonly nonsquareIntermediateSize: Size | null;
}

/** Switches for one call; false leaves the package's step out. */
export interface PreprocessingOverrides {
  readonly staticCrop?: boolean;
  readonly grayscale?: boolean;
  readonly contrast?: boolean;
}

/** Runs resolved steps on one picture. Implementations: `cpu` (addon), `reference` (TypeScript), `cuda` (addon, on a GPU). */
export interface PreprocessExecutor {
  readonly name: "cpu" | "reference" | "cuda";
  /**
   * @param target float32 `[3, steps.output.height, steps.output.width]`, written completely.
   * @throws ModelInputError when the picture and the steps do not belong together.
   */
  run(image: PixelImage, steps: PreprocessSteps, target: Float32Array): Promise<void>;
}
