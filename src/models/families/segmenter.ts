/** Instance segmentation: a family is a layout of outputs, as for detectors, that also says where masks lie. */
import type { Tensor, TensorPort } from "../../engines/index.js";
import { maskGeometry, type Geometry } from "../../imaging/index.js";
import type { Decoder, DecodeSettings, DetectionRows, MaskHead, MaskTarget } from "../decoding/index.js";
import type { InstanceColumns, InstanceSegmentationFamily, ResolvedSegmentationOptions, SegmentationDefaults } from "../family.js";
import type { HeadWithExtras } from "./anchors.js";
import {
  describePackage,
  detectionColumns,
  packageFacts,
  settingsOf,
  type DetectorLayout,
  type Laidout,
  type LayoutContext,
  type PackageRules,
} from "./detector.js";
import { decodeHead } from "./head.js";
import { floatData, requireOutput, requireRank, wrongNetwork } from "./outputs.js";

/** Mask prototypes, and so coefficients, of every YOLO and YOLACT. */
export const PROTOTYPES = 32;
/** Mask cells per network pixel when masks are cut to their boxes: a constant of the reference, also where prototypes are larger or smaller. */
const BOX_SCALE = 0.25;

/** One picture's share of the outputs. */
export interface SegmentedPicture {
  /** Instances, best first; `indices` are rows of the mask coefficients, or planes. */
  readonly select: (settings: DecodeSettings, decoder: Decoder) => Promise<DetectionRows>;
  readonly masks: Omit<MaskHead, "sigmoid">;
}

export interface SegmenterLayout {
  readonly defaults: SegmentationDefaults;
  readonly boxes: DetectorLayout["boxes"];
  /** Whether masks end at their boxes. */
  readonly cutsToBoxes: boolean;
  /** @throws CorruptedModelPackageError when the ports cannot belong to this layout. */
  check(outputs: readonly TensorPort[]): void;
  read(outputs: readonly Tensor[], image: number, geometry: Geometry): SegmentedPicture;
}

export function maskTarget(geometry: Geometry, mask: Pick<MaskHead, "width" | "height">, threshold: number): MaskTarget {
  const { trim, resize, paste } = maskGeometry(geometry, mask);
  return { trim, resize, left: paste?.left ?? 0, top: paste?.top ?? 0, picture: geometry.originalSize, threshold };
}

/** Outputs of one picture to columns in the original picture. */
export async function decodeSegmenter(
  layout: SegmenterLayout,
  outputs: readonly Tensor[],
  image: number,
  geometry: Geometry,
  options: ResolvedSegmentationOptions,
  decoder: Decoder,
): Promise<InstanceColumns> {
  const { select, masks } = layout.read(outputs, image, geometry);
  const rows = await select(settingsOf(options), decoder);
  const runs = await decoder.decodeMasks(
    { ...masks, sigmoid: options.smoothMasks },
    { indices: rows.indices, boxes: layout.cutsToBoxes ? rows.xyxy : null, boxScale: BOX_SCALE },
    maskTarget(geometry, masks, options.maskThreshold),
  );
  return { ...detectionColumns(rows, geometry, layout.boxes, options), masks: runs };
}

/** Prototypes `[batch, 32, height, width]` and one row of coefficients for each candidate. */
export function readPrototypes(
  outputs: readonly Tensor[],
  index: number,
  image: number,
  coefficients: HeadWithExtras["extras"],
): Omit<MaskHead, "sigmoid"> {
  const { data, dims } = floatData(outputs, index);
  const [, channels = 0, height = 0, width = 0] = requireRank(dims, 4, `[batch, ${PROTOTYPES}, height, width]`);
  const cells = width * height;
  const planes = { data, offset: image * channels * cells, candidateStride: 1, attributeStride: cells };
  return { width, height, channels, planes, coefficients };
}

/** A YOLO head with mask coefficients as its last attributes, and prototypes in another output. */
export function prototypeLayout(layout: {
  readonly defaults: SegmentationDefaults;
  readonly prototypes: number;
  readonly check: (outputs: readonly TensorPort[]) => void;
  readonly read: (outputs: readonly Tensor[], image: number) => HeadWithExtras;
}): SegmenterLayout {
  return {
    defaults: layout.defaults,
    boxes: "pixels",
    cutsToBoxes: true,
    check(outputs) {
      layout.check(outputs);
      const [, channels = null] = requireOutput(outputs, layout.prototypes, 4, `prototypes [batch, ${PROTOTYPES}, height, width]`);
      if (channels !== null && channels !== PROTOTYPES)
        throw wrongNetwork(`The network has ${channels} mask prototypes; ${PROTOTYPES} were expected.`);
    },
    read(outputs, image) {
      const { head, extras } = layout.read(outputs, image);
      return {
        select: (settings, decoder) => decodeHead(head, settings, decoder),
        masks: readPrototypes(outputs, layout.prototypes, image, extras),
      };
    },
  };
}

/** Masks whose making belongs to the network: callers cannot choose. */
export function fixedMasks(smoothMasks: boolean, maskThreshold: number) {
  return { smoothMasks, maskThreshold, masksAdjustable: false } as const;
}

export function segmenterFamily({
  layout,
  ...rules
}: PackageRules & { readonly layout: (context: LayoutContext) => SegmenterLayout }): InstanceSegmentationFamily<
  Laidout<SegmenterLayout> & { readonly defaults: SegmentationDefaults }
> {
  return {
    task: "instance-segmentation",
    ...packageFacts(rules),
    describe: (contents, network) => describePackage(layout, rules, contents, network),
    decode: (outputs, image, geometry, description, options, decoder) =>
      decodeSegmenter(description.layout, outputs, image, geometry, options, decoder),
  };
}
