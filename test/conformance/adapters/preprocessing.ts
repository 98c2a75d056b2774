import {
  compilePreprocessPlan,
  cpuExecutor,
  referenceExecutor,
  requireBatchable,
  resolvePreprocess,
  roundUpToMultiple,
  type ColorFormat,
  type PixelImage,
  type PreprocessExecutor,
  type PreprocessSteps,
} from "../../../src/imaging/index.js";
import { loadAddon } from "../../../src/native/index.js";
import { loadPicture } from "../../../src/imaging/index.js";
import { ModelInputError } from "../../../src/errors.js";
import type { ContrastKind } from "../../../src/imaging/index.js";
import { NotCovered, type Adapter, type AdapterTable } from "../adapter.js";
import { decodeArray, encodeArray, encodeGeometry, type VectorArray, type VectorSize } from "../values.js";

interface VectorImages {
  readonly layout: "hwc-array" | "chw-tensor";
  readonly list: boolean;
  readonly items: readonly VectorArray[];
}

interface VectorImagePreProcessing {
  readonly "static-crop"?: {
    readonly enabled: boolean;
    readonly x_min: number;
    readonly x_max: number;
    readonly y_min: number;
    readonly y_max: number;
  } | null;
  readonly contrast?: { readonly enabled: boolean; readonly type: string } | null;
  readonly grayscale?: { readonly enabled: boolean } | null;
}

interface VectorNetworkInput {
  readonly training_input_size: VectorSize;
  readonly dataset_version_resize_dimensions?: VectorSize | null;
  readonly dynamic_spatial_size_supported: boolean;
  readonly dynamic_spatial_size_mode?:
    { readonly type: "any-size" } | { readonly type: "pad-to-be-divisible"; readonly value: number } | null;
  readonly color_mode: ColorFormat;
  readonly resize_mode: "stretch" | "letterbox" | "center-crop" | "fit-longer-edge" | "letterbox-reflect-edges";
  readonly padding_value?: number | null;
  readonly input_channels: number;
  readonly scaling_factor?: number | null;
  readonly normalization?: readonly [readonly number[], readonly number[]] | null;
}

interface PreprocessCase {
  readonly images: VectorImages;
  readonly image_pre_processing: VectorImagePreProcessing;
  readonly network_input: VectorNetworkInput;
  readonly input_color_format?: ColorFormat;
  readonly image_size_wh?: number | readonly [number, number];
  readonly pre_processing_overrides?: {
    readonly disable_contrast_enhancement?: boolean;
    readonly disable_grayscale?: boolean;
    readonly disable_static_crop?: boolean;
  };
}

const CONTRAST: Readonly<Record<string, ContrastKind>> = {
  "Adaptive Equalization": "adaptive-equalization",
  "Contrast Stretching": "contrast-stretching",
  "Histogram Equalization": "histogram-equalization",
};

/** Pixels of the vectors through the door that callers use. */
async function toPictures(images: VectorImages, colorFormat: ColorFormat = "bgr"): Promise<readonly PixelImage[]> {
  if (images.layout !== "hwc-array") throw new NotCovered("tensors are not accepted as pictures");
  if (images.items.length === 0) throw new ModelInputError("There are no pictures.");
  return Promise.all(
    images.items.map((item) => {
      const [height = 0, width = 0, channels = 0] = item.shape;
      if (item.dtype !== "uint8") throw new NotCovered(`pictures of ${item.dtype} are not accepted`);
      if (item.shape.length !== 3) throw new ModelInputError(`A picture has three dimensions, not ${item.shape.length}.`);
      return loadPicture({ data: decodeArray(item) as Uint8Array, width, height, channels: channels as 3, colorFormat });
    }),
  );
}

function toImagePreProcessing(config: VectorImagePreProcessing) {
  const crop = config["static-crop"] ?? null;
  const { contrast = null, grayscale = null } = config;
  return {
    autoOrient: null,
    staticCrop: crop === null ? null : { enabled: crop.enabled, xMin: crop.x_min, xMax: crop.x_max, yMin: crop.y_min, yMax: crop.y_max },
    contrast: contrast === null ? null : { enabled: contrast.enabled, type: CONTRAST[contrast.type] ?? "contrast-stretching" },
    grayscale,
  };
}

function toNetworkInput(input: VectorNetworkInput) {
  const mode = input.dynamic_spatial_size_mode ?? null;
  const supported =
    mode === null
      ? ({ kind: "unspecified" } as const)
      : mode.type === "any-size"
        ? ({ kind: "any" } as const)
        : ({ kind: "divisible", by: mode.value } as const);
  return {
    trainingInputSize: input.training_input_size,
    datasetVersionResizeDimensions: input.dataset_version_resize_dimensions ?? null,
    dynamicSpatialSize: input.dynamic_spatial_size_supported ? supported : ({ kind: "fixed" } as const),
    colorMode: input.color_mode,
    resizeMode: input.resize_mode,
    paddingValue: input.padding_value ?? null,
    inputChannels: input.input_channels,
    scalingFactor: input.scaling_factor ?? null,
    normalization:
      input.normalization === undefined || input.normalization === null
        ? null
        : { mean: input.normalization[0], std: input.normalization[1] },
  };
}

function preprocess(executor: () => PreprocessExecutor, pipeline: "shared" | "rf-detr"): Adapter {
  return async (input: PreprocessCase) => {
    const plan = compilePreprocessPlan(
      { imagePreProcessing: toImagePreProcessing(input.image_pre_processing), networkInput: toNetworkInput(input.network_input) },
      { pipeline },
    );
    const pictures = await toPictures(input.images, input.input_color_format);
    if (input.images.list) requireBatchable(plan, 2);
    const overrides = {
      contrast: input.pre_processing_overrides?.disable_contrast_enhancement !== true,
      grayscale: input.pre_processing_overrides?.disable_grayscale !== true,
      staticCrop: input.pre_processing_overrides?.disable_static_crop !== true,
    };
    const options = { overrides, ...(input.image_size_wh === undefined ? {} : { imageSize: input.image_size_wh }) };
    const resolved = pictures.map((picture) => resolvePreprocess(plan, picture, options));
    const { width, height } = resolved[0]?.steps.output ?? { width: 0, height: 0 };
    const target = new Float32Array(pictures.length * 3 * width * height);
    const elements = 3 * width * height;
    await Promise.all(
      resolved.map(({ steps }, index) =>
        executor().run(pictures[index] as PixelImage, steps, target.subarray(index * elements, (index + 1) * elements)),
      ),
    );
    return {
      tensor: encodeArray(target, [pictures.length, 3, height, width]),
      metadata: resolved.map(({ geometry }) => encodeGeometry(geometry)),
    };
  };
}

/** Steps that end with 8-bit pixels in HWC order: what single operations of the vectors give. */
async function runToPixels(
  executor: PreprocessExecutor,
  image: PixelImage,
  steps: Omit<PreprocessSteps, "swapChannels" | "normalization" | "source">,
): Promise<VectorArray> {
  const { width, height } = steps.output;
  const planes = new Float32Array(3 * width * height);
  await executor.run(
    image,
    {
      ...steps,
      source: { width: image.width, height: image.height },
      swapChannels: false,
      normalization: { divisor: null, factor: null, mean: null, std: null },
    },
    planes,
  );
  const pixels = new Uint8Array(planes.length);
  for (let pixel = 0; pixel < width * height; pixel++) {
    for (let channel = 0; channel < 3; channel++) pixels[pixel * 3 + channel] = planes[channel * width * height + pixel] ?? 0;
  }
  return encodeArray(pixels, [height, width, 3]);
}

function resizeStep(filter: "linear" | "pillow" | "none", width: number, height: number) {
  return { kind: "resize", filter, width, height, canvas: { width, height, left: 0, top: 0, fill: 0 } } as const;
}

const METHODS: Readonly<Record<string, "linear" | "pillow">> = { "opencv-linear": "linear", "pillow-bilinear-antialias": "pillow" };

function resize(executor: () => PreprocessExecutor): Adapter {
  return async (input: { readonly image: VectorArray; readonly width: number; readonly height: number; readonly method: string }) => {
    const filter = METHODS[input.method];
    if (filter === undefined) throw new NotCovered(`${input.method} is not one of this library's filters`);
    if (input.image.dtype !== "uint8") throw new NotCovered(`pictures of ${input.image.dtype} are not accepted`);
    const [image] = await toPictures({ layout: "hwc-array", list: false, items: [input.image] });
    const { width, height } = image as PixelImage;
    const steps = {
      crop: { left: 0, top: 0, width, height },
      grayscale: false,
      contrast: null,
      geometry: [resizeStep(filter, input.width, input.height)],
      output: { width: input.width, height: input.height },
    };
    return { image: await runToPixels(executor(), image as PixelImage, steps) };
  };
}

/** The reference returns a picture without pixels and fails later; here a crop that leaves nothing is refused at once. */
function refuseEmptyCrop({ "static-crop": crop }: VectorImagePreProcessing, { width, height }: VectorSize): void {
  if (crop?.enabled !== true) return;
  const span = (from: number, to: number, side: number): number => Math.trunc((to / 100) * side) - Math.trunc((from / 100) * side);
  if (span(crop.x_min, crop.x_max, width) <= 0 || span(crop.y_min, crop.y_max, height) <= 0)
    throw new NotCovered("an empty crop is refused on purpose");
}

function imageOperations(executor: () => PreprocessExecutor): Adapter {
  return async (input: {
    readonly image: VectorImages;
    readonly image_pre_processing: VectorImagePreProcessing;
    readonly input_color_format?: ColorFormat;
  }) => {
    const [image] = await toPictures(input.image, input.input_color_format);
    const picture = image as PixelImage;
    refuseEmptyCrop(input.image_pre_processing, picture);
    const plan = compilePreprocessPlan(
      {
        imagePreProcessing: toImagePreProcessing(input.image_pre_processing),
        networkInput: toNetworkInput({
          training_input_size: { width: picture.width, height: picture.height },
          dynamic_spatial_size_supported: false,
          color_mode: "bgr",
          resize_mode: "stretch",
          input_channels: 3,
        }),
      },
      { pipeline: "shared" },
    );
    const { steps, geometry } = resolvePreprocess(plan, picture);
    const { width, height } = steps.crop;
    const { static_crop_offset } = encodeGeometry(geometry);
    const operations = { ...steps, geometry: [resizeStep("none", width, height)], output: { width, height } };
    return { image: await runToPixels(executor(), picture, operations), static_crop_offset };
  };
}

/** The functions of the vectors that an executor carries out. */
export function preprocessingOn(executor: () => PreprocessExecutor): Readonly<Record<string, Adapter>> {
  return {
    "pre-process-network-input": preprocess(executor, "shared"),
    "rfdetr-pre-process": preprocess(executor, "rf-detr"),
    "resize-image": resize(executor),
    "apply-image-pre-processing": imageOperations(executor),
  };
}

const onCpu = preprocessingOn(() => {
  const addon = loadAddon();
  if (addon === null) throw new NotCovered("the addon is not available");
  return cpuExecutor(addon);
});

export const adapters: AdapterTable = {
  ...Object.fromEntries(
    Object.entries(preprocessingOn(() => referenceExecutor)).map(([name, reference]) => [name, { cpu: onCpu[name] as Adapter, reference }]),
  ),
  "input-image-dimensions": {
    "": async (input: { readonly images: VectorImages }) => ({
      dimensions: (await toPictures(input.images)).map(({ width, height }) => ({ width, height })),
    }),
  },
  "round-up-to-multiple": {
    "": (input: { readonly value: number; readonly by: number }) => ({ value: roundUpToMultiple(input.value, input.by) }),
  },
};
