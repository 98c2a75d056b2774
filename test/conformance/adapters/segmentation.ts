/** Masks: single steps, and raw outputs of whole families. */
import { mapBoxesBack, type Decoder, type MaskHead } from "../../../src/models/decoding/index.js";
import { cellsOf, regionOfBox } from "../../../src/models/decoding/reference-masks.js";
import type { SizedContext } from "../../../src/models/families/detector.js";
import { rfdetrSegmentationLayout } from "../../../src/models/families/rfdetr-segmentation.js";
import { decodeSegmenter, maskTarget, type SegmenterLayout } from "../../../src/models/families/segmenter.js";
import { yolactLayout } from "../../../src/models/families/yolact.js";
import { yolo26SegmentationLayout } from "../../../src/models/families/yolo26-segmentation.js";
import { yolov5SegmentationLayout } from "../../../src/models/families/yolov5-segmentation.js";
import { yolov7SegmentationLayout } from "../../../src/models/families/yolov7-segmentation.js";
import { yolov8SegmentationLayout } from "../../../src/models/families/yolov8-segmentation.js";
import { resolveSegmentationOptions } from "../../../src/models/options.js";
import type { InstanceColumns, ResolvedSegmentationOptions } from "../../../src/models/family.js";
import { convertMasks, createMasks, decodeRle, encodeRle, type Masks } from "../../../src/results/index.js";
import { NotCovered, type Adapter, type AdapterTable } from "../adapter.js";
import { decodeArray, decodeGeometry, encodeArray, type VectorArray, type VectorGeometry, type VectorRleMasks } from "../values.js";
import { floats, eachOnEachDecoder, recommendedOf, remappingOf, toTensor, type VectorRecommended, type VectorRemapping } from "./shared.js";

const LAYOUTS: Readonly<Record<string, (context: SizedContext) => SegmenterLayout>> = {
  yolov5: yolov5SegmentationLayout,
  yolov7: yolov7SegmentationLayout,
  yolov8: yolov8SegmentationLayout,
  yolov11: yolov8SegmentationLayout,
  yolo26: yolo26SegmentationLayout,
  yolact: yolactLayout,
  rfdetr: rfdetrSegmentationLayout,
};

function encodeMasks(masks: Masks, format: "dense" | "rle"): VectorArray | VectorRleMasks {
  const { width, height, length } = masks;
  if (format === "rle") return { image_size: { width, height }, counts: Array.from(masks, (mask) => mask.toRle().counts) };
  return encodeArray(convertMasks(masks, "dense").data, [length, height, width]);
}

function encodeInstances(columns: InstanceColumns, metadata: VectorGeometry, format: "dense" | "rle") {
  const count = columns.classId.length;
  return {
    xyxy: encodeArray(columns.xyxy, [count, 4]),
    class_id: encodeArray(columns.classId, [count]),
    confidence: encodeArray(columns.confidence, [count]),
    mask: encodeMasks(createMasks({ format: "rle", ...metadata.original_size, ...columns.masks }), format),
  };
}

interface SegmentationCase {
  readonly model_architecture: string;
  readonly model_outputs: readonly VectorArray[];
  readonly class_names: readonly string[];
  readonly metadata: readonly VectorGeometry[];
  readonly nms_fused?: boolean;
  readonly parameters: {
    readonly confidence?: number | "best" | "default";
    readonly iou_threshold?: number;
    readonly max_detections?: number;
    readonly class_agnostic_nms?: boolean;
    readonly mask_format?: "dense" | "rle";
    readonly masks_smoothing_enabled?: boolean;
    readonly masks_binarization_threshold?: number;
  };
  readonly recommended_parameters?: VectorRecommended;
  readonly classes_re_mapping?: VectorRemapping;
}

const OPTION_NAMES = {
  confidence: "confidence",
  iou_threshold: "iouThreshold",
  max_detections: "maxDetections",
  class_agnostic_nms: "classAgnosticNms",
  mask_format: "maskFormat",
  masks_smoothing_enabled: "smoothMasks",
  masks_binarization_threshold: "maskThreshold",
} as const;

const wholeFamily =
  (decoder: () => Decoder): Adapter =>
  async (input: SegmentationCase) => {
    const makeLayout = LAYOUTS[input.model_architecture];
    if (makeLayout === undefined) throw new NotCovered(`${input.model_architecture} is not offered`);
    const layout = makeLayout({
      classNames: input.class_names,
      remapping: remappingOf(input.classes_re_mapping),
      nmsFused: input.nms_fused ?? null,
      // Of all pictures of a batch.
      inputSize: input.metadata[0]?.inference_size ?? { width: 1, height: 1 },
    });
    const given = Object.entries(input.parameters).map(([name, value]) => [OPTION_NAMES[name as keyof typeof OPTION_NAMES], value]);
    const options = resolveSegmentationOptions(Object.fromEntries(given) as object, layout.defaults, {
      task: "instance-segmentation",
      acceptsImageSize: false,
      classNames: input.class_names,
      recommended: recommendedOf(input.recommended_parameters),
      strict: false,
      warned: new Set(),
    });
    const outputs = input.model_outputs.map(toTensor);
    const detections = await Promise.all(
      input.metadata.map(async (metadata, image) =>
        encodeInstances(
          await decodeSegmenter(layout, outputs, image, decodeGeometry(metadata), options, decoder()),
          metadata,
          input.parameters.mask_format ?? "dense",
        ),
      ),
    );
    return { detections };
  };

const rfdetr =
  (decoder: () => Decoder): Adapter =>
  async (input: {
    readonly boxes: VectorArray;
    readonly logits: VectorArray;
    readonly masks: VectorArray;
    readonly metadata: readonly VectorGeometry[];
    readonly threshold: number | readonly number[];
    readonly num_classes: number;
    readonly classes_re_mapping?: VectorRemapping;
    readonly mask_format: "dense" | "rle";
    readonly max_detections?: number;
  }) => {
    const classNames = Array.from({ length: input.num_classes }, (_, id) => String(id));
    const layout = rfdetrSegmentationLayout({ classNames, remapping: remappingOf(input.classes_re_mapping), nmsFused: null });
    const options: ResolvedSegmentationOptions = {
      confidence: "default",
      thresholds: Float32Array.from([input.threshold].flat()),
      iouThreshold: null,
      maxDetections: input.max_detections ?? null,
      classAgnosticNms: false,
      rounding: "half-even",
      maskFormat: input.mask_format,
      smoothMasks: false,
      maskThreshold: 0,
    };
    const outputs = [input.boxes, input.logits, input.masks].map(toTensor);
    const detections = await Promise.all(
      input.metadata.map(async (metadata, image) =>
        encodeInstances(
          await decodeSegmenter(layout, outputs, image, decodeGeometry(metadata), options, decoder()),
          metadata,
          input.mask_format,
        ),
      ),
    );
    return { detections };
  };

/** Planes `[n, h, w]`, each a mask. */
function planesOf(masks: VectorArray): MaskHead {
  const [channels = 0, height = 0, width = 0] = masks.shape;
  const planes = { data: floats(masks), offset: 0, candidateStride: 1, attributeStride: width * height };
  return { width, height, channels, planes, coefficients: null, sigmoid: false };
}

const alignMasks =
  (format: "dense" | "rle") =>
  (decoder: () => Decoder): Adapter =>
  async (input: {
    readonly boxes: VectorArray;
    readonly masks: VectorArray;
    readonly metadata: VectorGeometry;
    readonly binarization_threshold?: number;
  }) => {
    const geometry = decodeGeometry(input.metadata);
    const head = planesOf(input.masks);
    const [rows = 0, columns = 0] = input.boxes.shape;
    const boxes = floats(input.boxes);
    const xyxy = Float32Array.from({ length: rows * 4 }, (_, place) => boxes[Math.floor(place / 4) * columns + (place % 4)] ?? 0);
    const mapped = mapBoxesBack({ xyxy }, geometry, { rounding: "none", clamp: true });
    for (let row = 0; row < rows; row++) boxes.set(mapped.subarray(4 * row, 4 * row + 4), row * columns);
    const indices = Int32Array.from({ length: head.channels }, (_, index) => index);
    const runs =
      head.channels === 0
        ? { runs: new Uint32Array(), offsets: Uint32Array.of(0) }
        : await decoder().decodeMasks(
            head,
            { indices, boxes: null, boxScale: 1 },
            maskTarget(geometry, head, input.binarization_threshold ?? 0),
          );
    const masks = createMasks({ format: "rle", ...input.metadata.original_size, ...runs });
    return { boxes: encodeArray(boxes, input.boxes.shape), masks: encodeMasks(masks, format) };
  };

/** The functions of the vectors that make masks, for any decoder. */
export const aligning = { "align-instance-masks": alignMasks("dense"), "align-instance-masks-to-rle": alignMasks("rle") };
/** Those that decode boxes. */
export const decoding = { "post-process-instance-segmentation": wholeFamily, "rfdetr-instance-segmentation": rfdetr };

export const adapters: AdapterTable = {
  ...eachOnEachDecoder({ ...decoding, ...aligning }),
  "combine-mask-prototypes": {
    reference: (input: { readonly protos: VectorArray; readonly coefficients: VectorArray }) => {
      const [channels = 0, height = 0, width = 0] = input.protos.shape;
      const [candidates = 0] = input.coefficients.shape;
      const head: MaskHead = {
        ...planesOf(input.protos),
        coefficients: { data: floats(input.coefficients), offset: 0, candidateStride: channels, attributeStride: 1, candidates },
      };
      const whole = { left: 0, top: 0, right: width, bottom: height };
      const masks = new Float32Array(candidates * width * height);
      for (let index = 0; index < candidates; index++) masks.set(cellsOf(head, index, whole), index * width * height);
      return { masks: encodeArray(masks, [candidates, height, width]) };
    },
  },
  "crop-masks-to-boxes": {
    reference: (input: { readonly boxes: VectorArray; readonly masks: VectorArray; readonly scaling?: number }) => {
      const head = planesOf(input.masks);
      const boxes = floats(input.boxes);
      const cropped = new Float32Array(head.planes.data.length);
      for (let index = 0; index < head.channels; index++) {
        const region = regionOfBox(boxes.subarray(4 * index, 4 * index + 4), input.scaling ?? 0.25, head);
        const cells = cellsOf(head, index, region);
        const width = region.right - region.left;
        for (let row = region.top; row < region.bottom; row++) {
          const from = (row - region.top) * width;
          if (width > 0) cropped.set(cells.subarray(from, from + width), (index * head.height + row) * head.width + region.left);
        }
      }
      return { masks: encodeArray(cropped, input.masks.shape) };
    },
  },
  "rle-encode": {
    "": (input: { readonly mask: VectorArray }) => {
      const [height = 0, width = 0] = input.mask.shape;
      return { image_size: { width, height }, counts: encodeRle(decodeArray(input.mask) as Uint8Array, width, height).counts };
    },
  },
  "rle-decode": {
    "": (input: { readonly masks: VectorRleMasks }) => {
      const { width, height } = input.masks.image_size;
      const masks = input.masks.counts.map((counts) => decodeRle({ size: [height, width], counts }));
      return { masks: encodeArray(new Uint8Array(Buffer.concat(masks)), [masks.length, height, width]) };
    },
  },
};
