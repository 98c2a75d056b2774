/** Instance segmentation: a family is a layout of outputs, as for detectors, that also says where masks lie. */
import type { DetectionRequest, Tensor, TensorPort } from "../../engines/index.js";
import { maskGeometry, type Geometry } from "../../imaging/index.js";
import type { Decoder, MaskHead, MaskTarget } from "../decoding/index.js";
import type { InstanceColumns, InstanceSegmentationFamily, ResolvedSegmentationOptions, SegmentationDefaults } from "../family.js";
import {
  describePackage,
  detectionColumns,
  packageFacts,
  settingsOf,
  type DetectorLayout,
  type Laidout,
  type PackageRules,
  type SizedContext,
} from "./detector.js";
import { decodeHead, obstacleToDevice, readHead, type HeadLayout, type HeadPart } from "./head.js";
import { maskSize, obstacleToMasks, readMasks, type MasksLayout } from "./mask-planes.js";
import { requireOutput, wrongNetwork } from "./outputs.js";

/** Mask prototypes, and so coefficients, of every YOLO and YOLACT. */
export const PROTOTYPES = 32;
/** Mask cells per network pixel when masks are cut to their boxes: a constant of the reference, also where prototypes are larger or smaller. */
const BOX_SCALE = 0.25;

export interface SegmenterLayout {
  readonly defaults: SegmentationDefaults;
  readonly boxes: DetectorLayout["boxes"];
  /** @throws CorruptedModelPackageError when the ports cannot belong to this layout. */
  check(outputs: readonly TensorPort[]): void;
  readonly head: HeadLayout;
  readonly masks: MasksLayout;
  /** Whether masks end at their boxes. */
  readonly cutsToBoxes: boolean;
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
  const { head, cutsToBoxes } = layout;
  const masks = readMasks(layout.masks, outputs, image);
  const rows = await decodeHead(readHead(head, outputs, image), settingsOf(options), decoder);
  const runs = await decoder.decodeMasks(
    { ...masks, sigmoid: options.smoothMasks },
    { indices: rows.indices, boxes: cutsToBoxes ? rows.xyxy : null, boxScale: BOX_SCALE },
    maskTarget(geometry, masks, options.maskThreshold),
  );
  return { ...detectionColumns(rows, geometry, layout.boxes, options), masks: runs };
}

/** What the device is to make of pictures, to which there is no obstacle. */
function deviceRequest(
  { head, masks, cutsToBoxes }: SegmenterLayout,
  outputs: readonly TensorPort[],
  pictures: readonly Geometry[],
  options: ResolvedSegmentationOptions,
): Omit<DetectionRequest, "pictures"> {
  const size = maskSize(masks, outputs);
  const targets = pictures.map((geometry) => maskTarget(geometry, size, options.maskThreshold));
  return {
    head,
    settings: settingsOf(options),
    masks: { ...masks, sigmoid: options.smoothMasks, boxScale: cutsToBoxes ? BOX_SCALE : null, targets },
  };
}

/** A YOLO head with mask coefficients as its last attributes, and prototypes `[batch, 32, height, width]` in another output. */
export function prototypeLayout(layout: {
  readonly defaults: SegmentationDefaults;
  readonly check: (outputs: readonly TensorPort[]) => void;
  readonly head: HeadLayout;
  readonly coefficients: HeadPart;
  readonly prototypes: number;
}): SegmenterLayout {
  const { defaults, check, head, coefficients, prototypes } = layout;
  return {
    defaults,
    boxes: "pixels",
    check(outputs) {
      check(outputs);
      const [, channels = null] = requireOutput(outputs, prototypes, 4, `prototypes [batch, ${PROTOTYPES}, height, width]`);
      if (channels !== null && channels !== PROTOTYPES)
        throw wrongNetwork(`The network has ${channels} mask prototypes; ${PROTOTYPES} were expected.`);
    },
    head,
    masks: { planes: prototypes, channels: "first", coefficients },
    cutsToBoxes: true,
  };
}

/** Masks whose making belongs to the network: callers cannot choose. */
export function fixedMasks(smoothMasks: boolean, maskThreshold: number) {
  return { smoothMasks, maskThreshold, masksAdjustable: false } as const;
}

export function segmenterFamily({
  layout,
  ...rules
}: PackageRules & { readonly layout: (context: SizedContext) => SegmenterLayout }): InstanceSegmentationFamily<
  Laidout<SegmenterLayout> & { readonly defaults: SegmentationDefaults }
> {
  return {
    task: "instance-segmentation",
    ...packageFacts(rules),
    describe: (contents, network) => describePackage(layout, rules, contents, network),
    decode: (outputs, image, geometry, description, options, decoder) =>
      decodeSegmenter(description.layout, outputs, image, geometry, options, decoder),
    onDevice: {
      kind: "detections",
      obstacle: ({ layout: { head, masks } }, outputs) => obstacleToDevice(head, outputs) ?? obstacleToMasks(masks, outputs),
      request: ({ layout }, outputs, pictures, options) => deviceRequest(layout, outputs, pictures, options),
      finish: ({ rows, masks = null }, geometry, { layout: { boxes } }, options) =>
        masks === null ? null : { ...detectionColumns(rows, geometry, boxes, options), masks },
    },
  };
}
