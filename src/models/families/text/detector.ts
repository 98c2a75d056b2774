/** PP-OCR's text detector: a probability map, from which lines of text are cut out as quadrilaterals. */
import type { Geometry, SideLimitPlan } from "../../../imaging/index.js";
import { sideLimitSize } from "../../../imaging/index.js";
import { ModelInputError } from "../../../errors.js";
import type { BoxesDescription, DetectionColumns, ObjectDetectionFamily } from "../../family.js";
import { denseMap } from "../semantic-segmentation.js";
import { requireImageInput, requireOutput, wrongNetwork } from "../outputs.js";
import { findTextRegions, type TextRegion } from "./regions.js";
import { parseTextDetectionSettings, type TextDetectionSettings } from "./settings.js";

const SETTINGS_FILE = "inference.yml";
const MEANING = "probabilities [batch, 1, height, width]";
/** Size for a square picture, which is what the model is described by and warmed up with. */
const TYPICAL_SIDE = 640;

interface TextDetectorDescription extends BoxesDescription {
  readonly settings: TextDetectionSettings;
}

export function textDetectionPlan(settings: TextDetectionSettings): SideLimitPlan {
  const { limitSideLength: limit, limitType, colorFormat, scale, mean, std } = settings;
  return Object.freeze({
    kind: "side-limit",
    defaultSize: sideLimitSize({ width: TYPICAL_SIDE, height: TYPICAL_SIDE }, limit, limitType),
    limit,
    limitType,
    colorFormat,
    normalization: Object.freeze({ divisor: null, factor: scale, mean, std }),
  });
}

function toColumns(regions: readonly TextRegion[], { originalSize }: Geometry): DetectionColumns {
  const boxes = regions.flatMap(({ polygon }) => {
    const [xs, ys] = [polygon.map(([x]) => x), polygon.map(([, y]) => y)];
    return [
      Math.min(...xs),
      Math.min(...ys),
      Math.min(Math.max(...xs), originalSize.width),
      Math.min(Math.max(...ys), originalSize.height),
    ];
  });
  return {
    xyxy: Float32Array.from(boxes),
    classId: new Int32Array(regions.length),
    confidence: Float32Array.from(regions, ({ score }) => score),
    data: regions.map(({ polygon }) => ({ polygon })),
  };
}

export const family: ObjectDetectionFamily<TextDetectorDescription> = {
  task: "object-detection",
  files: [SETTINGS_FILE],
  weights: "inference.onnx",
  resizeModes: null,
  describe({ texts }, network) {
    const file = texts[SETTINGS_FILE];
    if (file === undefined) throw new ModelInputError(`A text detector needs ${SETTINGS_FILE}.`);
    const settings = parseTextDetectionSettings(file.text, file);
    const plan = textDetectionPlan(settings);
    requireImageInput(network.inputs, plan.defaultSize);
    const [, channels] = requireOutput(network.outputs, 0, 4, MEANING);
    if (channels != null && channels !== 1) throw wrongNetwork(`The network has ${channels} maps; a text detector has one.`);
    return {
      settings,
      plan,
      classNames: ["text"],
      // Each picture has a size of its own.
      maximumDynamicBatch: 1,
      acceptsImageSize: false,
      defaults: { confidence: settings.boxThreshold, iouThreshold: null, maxDetections: null, classAgnosticNms: null },
    };
  },
  async decode(outputs, image, geometry, { settings }, { thresholds }) {
    const map = denseMap(outputs, image, MEANING);
    const boxThreshold = thresholds[0] ?? settings.boxThreshold;
    return toColumns(findTextRegions(map, geometry.originalSize, { ...settings, boxThreshold }), geometry);
  },
};
