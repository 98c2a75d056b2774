/** Maps of whole pictures, on the native decoder and on the reference one. */
import { insertBackground, resolveThresholds, type Decoder } from "../../../src/models/decoding/index.js";
import { decodeDepth } from "../../../src/models/families/depth.js";
import { decodeSegmentation } from "../../../src/models/families/semantic-segmentation.js";
import { resolveScoreOptions } from "../../../src/models/options.js";
import { NotCovered, type AdapterTable } from "../adapter.js";
import { decodeArray, decodeGeometry, encodeArray, type VectorArray, type VectorGeometry } from "../values.js";
import { contentsWith, familyOf, networkWith } from "./family.js";
import { eachOnEachDecoder, recommendedOf, toTensor, type VectorRecommended } from "./shared.js";

interface LogitsCase {
  readonly logits: VectorArray;
  readonly metadata: readonly VectorGeometry[];
  readonly class_names: readonly string[];
  readonly background_class_id: number;
  readonly confidence: number | "best" | "default";
  readonly default_confidence: number;
  readonly recommended_parameters?: VectorRecommended | null;
}

interface FamilyCase {
  readonly model_architecture: string;
  readonly model_outputs: readonly VectorArray[];
  readonly metadata: readonly VectorGeometry[];
}

interface SegmentationCase extends FamilyCase {
  readonly class_names: readonly string[];
  readonly parameters: { readonly confidence?: number | "best" | "default" };
}

const sizeOf = ({ original_size: { width, height } }: VectorGeometry): readonly number[] => [height, width];

function encodeClassMap(
  { classMap, confidence }: { readonly classMap: Uint8Array | Uint16Array; readonly confidence: Float32Array },
  shape: readonly number[],
) {
  return { segmentation_map: encodeArray(Int32Array.from(classMap), shape), confidence: encodeArray(confidence, shape) };
}

/** Of a decoder. */
export const decoding = {
  "semantic-segmentation-from-logits": (decoder: () => Decoder) => async (input: LogitsCase) => {
    const { class_names: classNames, background_class_id: backgroundId } = input;
    if (backgroundId < 0) throw new NotCovered("class lists without a background are refused when a package is loaded");
    const thresholds = resolveThresholds({
      confidence: input.confidence,
      defaultConfidence: input.default_confidence,
      recommended: recommendedOf(input.recommended_parameters),
      classNames,
    });
    const outputs = [toTensor(input.logits)];
    const results = await Promise.all(
      input.metadata.map(async (metadata, image) => {
        const description = { classNames, backgroundId };
        const map = await decodeSegmentation(outputs, image, decodeGeometry(metadata), description, { thresholds }, decoder());
        return encodeClassMap(map, sizeOf(metadata));
      }),
    );
    return { results };
  },
  "post-process-semantic-segmentation": (decoder: () => Decoder) => async (input: SegmentationCase) => {
    const family = await familyOf(input.model_architecture, "semantic-segmentation");
    const outputs = input.model_outputs.map(toTensor);
    const { class_names: classNames } = input;
    const description = family.describe(contentsWith(classNames), networkWith(outputs));
    const options = resolveScoreOptions(input.parameters, description.defaults, {
      task: "semantic-segmentation",
      acceptsImageSize: false,
      classNames,
      recommended: null,
      strict: false,
      warned: new Set(),
    });
    const results = await Promise.all(
      input.metadata.map(async (metadata, image) =>
        encodeClassMap(await family.decode(outputs, image, decodeGeometry(metadata), description, options, decoder()), sizeOf(metadata)),
      ),
    );
    return { results };
  },
  "depth-map-from-output":
    (decoder: () => Decoder) => async (input: { readonly output: VectorArray; readonly metadata: readonly VectorGeometry[] }) => {
      const outputs = [toTensor(input.output)];
      const maps = input.metadata.map(async (metadata, image) =>
        encodeArray(await decodeDepth(outputs, image, decodeGeometry(metadata), "triangle", decoder()), sizeOf(metadata)),
      );
      return { depth_maps: await Promise.all(maps) };
    },
  "post-process-depth-estimation": (decoder: () => Decoder) => async (input: FamilyCase) => {
    const family = await familyOf(input.model_architecture, "depth-estimation");
    const outputs = input.model_outputs.map(toTensor);
    const description = family.describe(contentsWith(null), networkWith(outputs));
    const maps = input.metadata.map(async (metadata, image) =>
      encodeArray(await family.decode(outputs, image, decodeGeometry(metadata), description, {}, decoder()), sizeOf(metadata)),
    );
    return { depth_maps: await Promise.all(maps) };
  },
};

export const adapters: AdapterTable = {
  ...eachOnEachDecoder(decoding),
  "insert-background-class": {
    "": (input: { readonly class_ids: VectorArray; readonly background_class_id: number }) => ({
      class_ids: encodeArray(
        insertBackground(Int32Array.from(decodeArray(input.class_ids)), input.background_class_id),
        input.class_ids.shape,
      ),
    }),
  },
};
