/** Key points: single steps, and raw outputs of whole families. */
import { mapPointsBack } from "../../../src/imaging/index.js";
import { mapBoxesBack, pointCovariance, type Decoder } from "../../../src/models/decoding/index.js";
import { decodeKeyPoints, type KeyPointContext, type KeyPointLayout } from "../../../src/models/families/key-points.js";
import { rfdetrKeyPointsLayout } from "../../../src/models/families/rfdetr-key-points.js";
import { yolo26KeyPointsLayout } from "../../../src/models/families/yolo26-key-points.js";
import { yolov8KeyPointsLayout } from "../../../src/models/families/yolov8-key-points.js";
import type { KeyPointColumns, ResolvedKeyPointOptions } from "../../../src/models/family.js";
import { resolveKeyPointOptions } from "../../../src/models/options.js";
import { NotCovered, type Adapter, type AdapterTable } from "../adapter.js";
import { decodeGeometry, encodeArray, type VectorArray, type VectorGeometry } from "../values.js";
import { eachOnEachDecoder, floats, recommendedOf, remappingOf, toTensor, type VectorRecommended, type VectorRemapping } from "./shared.js";

const LAYOUTS: Readonly<Record<string, (context: KeyPointContext) => KeyPointLayout>> = {
  yolov8: yolov8KeyPointsLayout,
  yolov11: yolov8KeyPointsLayout,
  yolo26: yolo26KeyPointsLayout,
  rfdetr: rfdetrKeyPointsLayout,
};

/** So many points a class, without names or edges. */
const metadataOf = (counts: readonly number[]): KeyPointContext["keyPoints"] => ({
  names: counts.map((count) => Array.from({ length: count }, (_, point) => String(point))),
  skeletons: counts.map(() => []),
});

function encodeInstances({ points, pointConfidence, covariance, ...columns }: KeyPointColumns) {
  const count = columns.classId.length;
  const [slots, classId] = [count === 0 ? 0 : pointConfidence.length / count, encodeArray(columns.classId, [count])];
  const confidence = encodeArray(columns.confidence, [count]);
  return {
    slots,
    keyPoints: (slotsOfEmpty: number) => {
      const width = count === 0 ? slotsOfEmpty : slots;
      return {
        xy: encodeArray(points, [count, width, 2]),
        class_id: classId,
        confidence: encodeArray(pointConfidence, [count, width]),
        ...(covariance === null ? {} : { covariance: encodeArray(covariance, [count, width, 2, 2]), detection_confidence: confidence }),
      };
    },
    detections: { xyxy: encodeArray(columns.xyxy, [count, 4]), class_id: classId, confidence },
  };
}

async function runLayout(
  layout: KeyPointLayout,
  outputs: readonly VectorArray[],
  metadata: readonly VectorGeometry[],
  options: ResolvedKeyPointOptions,
  counts: readonly number[],
  decoder: Decoder,
) {
  const tensors = outputs.map(toTensor);
  const results = await Promise.all(
    metadata.map(async (one, image) =>
      encodeInstances(await decodeKeyPoints(layout, tensors, image, decodeGeometry(one), options, decoder)),
    ),
  );
  return {
    key_points: results.map(({ keyPoints }) => keyPoints(Math.max(...counts))),
    detections: results.map(({ detections }) => detections),
  };
}

const wholeFamily =
  (decoder: () => Decoder): Adapter =>
  (input: {
    readonly model_architecture: string;
    readonly model_outputs: readonly VectorArray[];
    readonly class_names: readonly string[];
    readonly metadata: readonly VectorGeometry[];
    readonly nms_fused?: boolean;
    readonly key_points_per_class: readonly number[];
    readonly parameters: {
      readonly confidence?: number | "best" | "default";
      readonly iou_threshold?: number;
      readonly max_detections?: number;
      readonly class_agnostic_nms?: boolean;
      readonly key_points_threshold?: number;
    };
    readonly recommended_parameters?: VectorRecommended;
    readonly classes_re_mapping?: VectorRemapping;
  }) => {
    const makeLayout = LAYOUTS[input.model_architecture];
    if (makeLayout === undefined) throw new NotCovered(`${input.model_architecture} is not offered`);
    const layout = makeLayout({
      classNames: input.class_names,
      remapping: remappingOf(input.classes_re_mapping),
      nmsFused: input.nms_fused ?? null,
      keyPoints: metadataOf(input.key_points_per_class),
    });
    const names = {
      confidence: "confidence",
      iou_threshold: "iouThreshold",
      max_detections: "maxDetections",
      class_agnostic_nms: "classAgnosticNms",
      key_points_threshold: "keyPointThreshold",
    } as const;
    const given = Object.entries(input.parameters).map(([name, value]) => [names[name as keyof typeof names], value]);
    const options = resolveKeyPointOptions(Object.fromEntries(given) as object, layout.defaults, {
      task: "keypoint-detection",
      acceptsImageSize: false,
      classNames: input.class_names,
      recommended: recommendedOf(input.recommended_parameters),
      strict: false,
      warned: new Set(),
    });
    return runLayout(layout, input.model_outputs, input.metadata, options, input.key_points_per_class, decoder());
  };

const queriesWithPoints =
  (decoder: () => Decoder): Adapter =>
  (input: {
    readonly boxes: VectorArray;
    readonly logits: VectorArray;
    readonly key_points: VectorArray;
    readonly metadata: readonly VectorGeometry[];
    readonly threshold: number | readonly number[];
    readonly key_points_threshold: number;
    readonly num_classes: number;
    readonly key_points_per_class: readonly number[];
    readonly classes_re_mapping?: VectorRemapping;
  }) => {
    const layout = rfdetrKeyPointsLayout({
      classNames: Array.from({ length: input.num_classes }, (_, id) => String(id)),
      remapping: remappingOf(input.classes_re_mapping),
      nmsFused: null,
      keyPoints: metadataOf(input.key_points_per_class),
    });
    const options: ResolvedKeyPointOptions = {
      confidence: "default",
      thresholds: Float32Array.from([input.threshold].flat()),
      iouThreshold: null,
      maxDetections: null,
      classAgnosticNms: false,
      rounding: "half-even",
      keyPointThreshold: input.key_points_threshold,
    };
    const outputs = [input.boxes, input.logits, input.key_points];
    return runLayout(layout, outputs, input.metadata, options, input.key_points_per_class, decoder());
  };

/** The functions of the vectors that decode boxes, for any decoder. */
export const decoding = { "post-process-key-points": wholeFamily, "rfdetr-key-points": queriesWithPoints };

export const adapters: AdapterTable = {
  ...eachOnEachDecoder(decoding),
  "rfdetr-key-point-covariance": {
    "": (input: { readonly precision_cholesky: VectorArray; readonly width: number; readonly height: number }) => {
      const [instances = 0, slots = 0] = input.precision_cholesky.shape;
      const factors = floats(input.precision_cholesky);
      const covariance = Array.from({ length: instances * slots }, (_, point) => {
        const [a = 0, b = 0, c = 0] = factors.subarray(3 * point, 3 * point + 3);
        return pointCovariance(a, b, c, input.width, input.height);
      });
      return { covariance: encodeArray(Float32Array.from(covariance.flat()), [instances, slots, 2, 2]) };
    },
  },
  "rescale-key-points-detections": {
    "": (input: {
      readonly detections: readonly VectorArray[];
      readonly metadata: readonly VectorGeometry[];
      readonly key_points_slots: number;
    }) => ({
      detections: input.detections.map((array, index) => {
        const geometry = decodeGeometry(input.metadata[index] as VectorGeometry);
        const [rows = 0, columns = 0] = array.shape;
        const data = floats(array);
        for (let row = 0; row < rows; row++) {
          const own = data.subarray(row * columns, (row + 1) * columns);
          own.set(mapBoxesBack({ xyxy: own.slice(0, 4) }, geometry, { rounding: "none", clamp: true }));
          for (let slot = 0; slot < input.key_points_slots; slot++) {
            const place = 6 + 3 * slot;
            own.set(mapPointsBack(own.slice(place, place + 2), geometry, { clamp: false }), place);
          }
        }
        return encodeArray(data, array.shape);
      }),
    }),
  },
};
