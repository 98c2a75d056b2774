/** Single steps of detection post-processing, on the native decoder and on the reference one. */
import { mapBoxesBack, resolveThresholds, type Decoder } from "../../../src/models/decoding/index.js";
import { rfdetrLayout } from "../../../src/models/families/rfdetr.js";
import { PROTOTYPES } from "../../../src/models/families/segmenter.js";
import { decodeDetector } from "../../../src/models/families/detector.js";
import type { Tensor } from "../../../src/engines/index.js";
import { NotCovered, type Adapter, type AdapterTable } from "../adapter.js";
import { decodeArray, decodeGeometry, encodeArray, type VectorArray, type VectorGeometry } from "../values.js";
import { eachOnEachDecoder, floats, onEachDecoder } from "./shared.js";

const toThresholds = (confidence: number | readonly number[]): Float32Array =>
  Float32Array.from(typeof confidence === "number" ? [confidence] : confidence);

function columnsOf(array: VectorArray): { readonly rows: number; readonly columns: number; readonly data: Float32Array } {
  const [rows = 0, columns = 0] = array.shape;
  return { rows, columns, data: floats(array) };
}

type DecoderAdapter = (decoder: () => Decoder) => Adapter;

/** @param extrasOf attributes behind the class scores, which whole rows keep. */
const denseOutput =
  (extrasOf: (input: { readonly num_classes?: number; readonly key_points_slots?: number }) => number): DecoderAdapter =>
  (decoder) =>
  async (input: {
    readonly output: VectorArray;
    readonly confidence: number | readonly number[];
    readonly iou_threshold: number;
    readonly max_detections: number;
    readonly class_agnostic: boolean;
    readonly box_format?: "xywh" | "xyxy";
    readonly num_classes?: number;
    readonly key_points_slots?: number;
  }) => {
    const [batch = 0, attributes = 0, candidates = 0] = input.output.shape;
    const extras = extrasOf(input);
    const data = floats(input.output);
    const settings = {
      thresholds: toThresholds(input.confidence),
      iouThreshold: input.iou_threshold,
      classAgnostic: input.class_agnostic,
      maxDetections: input.max_detections,
    };
    const detections = await Promise.all(
      Array.from({ length: batch }, async (_, image) => {
        const offset = image * attributes * candidates;
        const matrix = { data, candidateStride: 1, attributeStride: candidates };
        const { xyxy, scores, classIds, indices } = await decoder().decodeDense(
          {
            candidates,
            classes: attributes - 4 - extras,
            boxes: { ...matrix, offset },
            boxFormat: input.box_format === "xyxy" ? "xyxy" : "cxcywh",
            scores: { ...matrix, offset: offset + 4 * candidates },
            objectness: null,
            objectnessUse: "none",
          },
          settings,
        );
        const rows = new Float32Array(indices.length * (6 + extras));
        indices.forEach((candidate, row) => {
          const behind = Array.from(
            { length: extras },
            (_, extra) => data[offset + (attributes - extras + extra) * candidates + candidate] ?? 0,
          );
          rows.set([...xyxy.subarray(4 * row, 4 * row + 4), scores[row] ?? 0, classIds[row] ?? 0, ...behind], row * (6 + extras));
        });
        return encodeArray(rows, [indices.length, 6 + extras]);
      }),
    );
    return { detections };
  };

const fusedOutput: DecoderAdapter =
  (decoder) => async (input: { readonly output: VectorArray; readonly confidence: number | readonly number[] }) => {
    const [batch = 0, rows = 0, columns = 0] = input.output.shape;
    const data = floats(input.output);
    const settings = { thresholds: toThresholds(input.confidence), iouThreshold: null, classAgnostic: false, maxDetections: null };
    const detections = await Promise.all(
      Array.from({ length: batch }, async (_, image) => {
        const offset = image * rows * columns;
        const { indices } = await decoder().decodeRows({ data, offset, rows, columns, inclusive: true }, settings);
        // Whole rows, with whatever a family adds behind the sixth column.
        const kept = new Float32Array(indices.length * columns);
        indices.forEach((index, row) => {
          kept.set(data.subarray(offset + index * columns, offset + (index + 1) * columns), row * columns);
        });
        return encodeArray(kept, [indices.length, columns]);
      }),
    );
    return { detections };
  };

const suppression: DecoderAdapter =
  (decoder) =>
  async (input: {
    readonly boxes: VectorArray;
    readonly scores: VectorArray;
    readonly class_ids: VectorArray;
    readonly iou_threshold: number;
  }) => {
    const classIds = Int32Array.from(decodeArray(input.class_ids) as Int32Array, Number);
    const keep = await decoder().nonMaximumSuppression(floats(input.boxes), floats(input.scores), classIds, input.iou_threshold);
    return { keep: [...keep] };
  };

/** Scores are probabilities in the vectors; the decoder takes logits. */
const logit = (probability: number): number => Math.log(probability / (1 - probability));

const topQueries: DecoderAdapter = (decoder) => async (input: { readonly scores: VectorArray; readonly boxes: VectorArray }) => {
  const [queries = 0, classes = 0] = input.scores.shape;
  const scores = floats(input.scores);
  const rows = await decoder().decodeQueries(
    {
      boxes: floats(input.boxes),
      boxesOffset: 0,
      logits: scores.map(logit),
      logitsOffset: 0,
      queries,
      classes,
      classMapping: Int32Array.from({ length: classes }, (_, id) => id),
    },
    // Nothing is below this threshold: only the selection is wanted.
    { thresholds: Float32Array.of(-1), iouThreshold: null, classAgnostic: false, maxDetections: null },
  );
  const boxes = floats(input.boxes);
  return {
    scores: encodeArray(rows.scores, [rows.scores.length]),
    class_ids: encodeArray(rows.classIds, [rows.classIds.length]),
    boxes: encodeArray(Float32Array.from([...rows.indices].flatMap((query) => [...boxes.subarray(4 * query, 4 * query + 4)])), [
      rows.indices.length,
      4,
    ]),
    query_indices: encodeArray(rows.indices, [rows.indices.length]),
  };
};

const rfdetr: DecoderAdapter =
  (decoder) =>
  async (input: {
    readonly boxes: VectorArray;
    readonly logits: VectorArray;
    readonly metadata: readonly VectorGeometry[];
    readonly threshold: number | readonly number[];
    readonly num_classes: number;
    readonly classes_re_mapping?: { readonly remaining_class_ids: readonly number[]; readonly class_mapping: readonly number[] };
  }) => {
    const remapping =
      input.classes_re_mapping === undefined
        ? null
        : { remainingClassIds: input.classes_re_mapping.remaining_class_ids, classMapping: input.classes_re_mapping.class_mapping };
    const classNames = Array.from({ length: input.num_classes }, (_, id) => String(id));
    const layout = rfdetrLayout({ classNames, remapping, nmsFused: null });
    const outputs = [input.boxes, input.logits].map((array): Tensor => ({ type: "float32", dims: array.shape, data: floats(array) }));
    const options = {
      confidence: "default",
      thresholds: toThresholds(input.threshold),
      iouThreshold: null,
      maxDetections: null,
      classAgnosticNms: false,
      rounding: "half-even",
    } as const;
    const detections = await Promise.all(
      input.metadata.map(async (metadata, image) => {
        const columns = await decodeDetector(layout, outputs, image, decodeGeometry(metadata), options, decoder());
        const count = columns.classId.length;
        return {
          xyxy: encodeArray(columns.xyxy, [count, 4]),
          class_id: encodeArray(columns.classId, [count]),
          confidence: encodeArray(columns.confidence, [count]),
        };
      }),
    );
    return { detections };
  };

/** The functions of the vectors that decode boxes, for any decoder. */
export const decoding = {
  "nms-object-detection": denseOutput(() => 0),
  "nms-instance-segmentation": denseOutput(() => PROTOTYPES),
  "nms-key-points": denseOutput(({ key_points_slots: slots = 0 }) => 3 * slots),
  "rfdetr-select-top-k": topQueries,
  "rfdetr-object-detection": rfdetr,
};

export const adapters: AdapterTable = {
  ...eachOnEachDecoder(decoding),
  "filter-fused-nms-output": onEachDecoder(fusedOutput),
  "batched-nms": onEachDecoder(suppression),
  "confidence-threshold": {
    "": (input: {
      readonly confidence: number | "best" | "default";
      readonly class_names: readonly string[];
      readonly recommended_parameters: {
        readonly confidence: number | null;
        readonly per_class_confidence: Readonly<Record<string, number>> | null;
      } | null;
      readonly default_confidence?: number;
    }) => {
      if (typeof input.confidence === "string" && !["best", "default"].includes(input.confidence))
        throw new NotCovered("other words are refused on purpose");
      const recommended = input.recommended_parameters;
      const thresholds = resolveThresholds({
        confidence: input.confidence,
        defaultConfidence: input.default_confidence ?? 0.4,
        recommended:
          recommended === null ? null : { confidence: recommended.confidence, perClassConfidence: recommended.per_class_confidence },
        classNames: input.class_names,
      });
      return { threshold: thresholds.length === 1 ? thresholds[0] : [...thresholds] };
    },
  },
  "rescale-detections": {
    "": (input: { readonly detections: readonly VectorArray[]; readonly metadata: readonly VectorGeometry[] }) => ({
      detections: input.detections.map((array, index) => {
        const { rows, columns, data } = columnsOf(array);
        const xyxy = Float32Array.from(
          { length: rows * 4 },
          (_, position) => data[Math.floor(position / 4) * columns + (position % 4)] ?? 0,
        );
        const mapped = mapBoxesBack({ xyxy }, decodeGeometry(input.metadata[index] as VectorGeometry), { rounding: "none", clamp: true });
        const result = data.slice();
        for (let row = 0; row < rows; row++) result.set(mapped.subarray(4 * row, 4 * row + 4), row * columns);
        return encodeArray(result, array.shape);
      }),
    }),
  },
};
