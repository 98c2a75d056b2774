/** Raw outputs of whole families, through the layouts that models use. */
import type { Tensor } from "../../../src/engines/index.js";
import { decodeDetector, type DetectorLayout, type LayoutContext } from "../../../src/models/families/detector.js";
import { rfdetrLayout } from "../../../src/models/families/rfdetr.js";
import { yolo26Layout } from "../../../src/models/families/yolo26.js";
import { yololiteLayout } from "../../../src/models/families/yololite.js";
import { yolonasLayout } from "../../../src/models/families/yolonas.js";
import { yolov10Layout } from "../../../src/models/families/yolov10.js";
import { yolov5Layout } from "../../../src/models/families/yolov5.js";
import { yolov8Layout } from "../../../src/models/families/yolov8.js";
import type { Decoder } from "../../../src/models/decoding/index.js";
import { resolveDetectionOptions } from "../../../src/models/options.js";
import { NotCovered, type Adapter, type AdapterTable } from "../adapter.js";
import { decodeGeometry, encodeArray, type VectorArray, type VectorGeometry } from "../values.js";
import { eachOnEachDecoder, remappingOf, toTensor, type VectorRecommended, type VectorRemapping } from "./shared.js";

const LAYOUTS: Readonly<Record<string, (context: LayoutContext) => DetectorLayout>> = {
  yolov5: yolov5Layout,
  yolov8: yolov8Layout,
  yolov9: yolov8Layout,
  yolov10: yolov10Layout,
  yolov11: yolov8Layout,
  yolov12: yolov8Layout,
  yolo26: yolo26Layout,
  yolonas: yolonasLayout,
  yololite: yololiteLayout,
  rfdetr: rfdetrLayout,
};

interface DetectionCase {
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
  };
  readonly recommended_parameters?: VectorRecommended;
  readonly classes_re_mapping?: VectorRemapping;
}

function toTensors(architecture: string, outputs: readonly VectorArray[]): readonly Tensor[] {
  const tensors = outputs.map(toTensor);
  const [first] = tensors;
  if (architecture !== "yolonas" || tensors.length !== 1 || first === undefined) return tensors;
  // The vectors hold the two outputs side by side.
  const [batch = 0, anchors = 0, attributes = 0] = first.dims;
  const data = first.data as Float32Array;
  const columns = (from: number, to: number): Tensor => {
    const values: number[] = [];
    for (let row = 0; row < batch * anchors; row++) values.push(...data.subarray(row * attributes + from, row * attributes + to));
    return { type: "float32", dims: [batch, anchors, to - from], data: Float32Array.from(values) };
  };
  return [columns(0, 4), columns(4, attributes)];
}

function detectionAdapter(decoder: () => Decoder): Adapter {
  return async (input: DetectionCase) => {
    const makeLayout = LAYOUTS[input.model_architecture];
    if (makeLayout === undefined) throw new NotCovered(`${input.model_architecture} is not offered`);
    const layout = makeLayout({
      classNames: input.class_names,
      remapping: remappingOf(input.classes_re_mapping),
      nmsFused: input.nms_fused ?? null,
    });
    const {
      confidence,
      iou_threshold: iouThreshold,
      max_detections: maxDetections,
      class_agnostic_nms: classAgnosticNms,
    } = input.parameters;
    const recommended = input.recommended_parameters;
    const options = resolveDetectionOptions(
      {
        ...(confidence === undefined ? {} : { confidence }),
        ...(iouThreshold === undefined ? {} : { iouThreshold }),
        ...(maxDetections === undefined ? {} : { maxDetections }),
        ...(classAgnosticNms === undefined ? {} : { classAgnosticNms }),
      },
      layout.defaults,
      {
        task: "object-detection",
        acceptsImageSize: false,
        classNames: input.class_names,
        recommended:
          recommended === undefined ? null : { confidence: recommended.confidence, perClassConfidence: recommended.per_class_confidence },
        strict: false,
        warned: new Set(),
      },
    );
    const outputs = toTensors(input.model_architecture, input.model_outputs);
    const detections = await Promise.all(
      input.metadata.map(async (metadata, image) => {
        const columns = await decodeDetector(layout, outputs, image, decodeGeometry(metadata), options, decoder());
        return {
          xyxy: encodeArray(columns.xyxy, [columns.classId.length, 4]),
          class_id: encodeArray(columns.classId, [columns.classId.length]),
          confidence: encodeArray(columns.confidence, [columns.confidence.length]),
        };
      }),
    );
    return { detections };
  };
}

/** The functions of the vectors that decode boxes, for any decoder. */
export const decoding = { "post-process-object-detection": detectionAdapter };

export const adapters: AdapterTable = eachOnEachDecoder(decoding);
