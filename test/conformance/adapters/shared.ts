/** What several adapters share: decoders to run, outputs as tensors, and what vectors leave out about pictures. */
import type { Tensor } from "../../../src/engines/index.js";
import type { Geometry } from "../../../src/imaging/index.js";
import { cpuDecoder, referenceDecoder, type Decoder } from "../../../src/models/decoding/index.js";
import { loadAddon } from "../../../src/native/index.js";
import type { ClassRemapping, RecommendedParameters } from "../../../src/packages/index.js";
import { NotCovered, type Adapter, type AdapterTable, type AdapterVariants } from "../adapter.js";
import { decodeArray, type VectorArray } from "../values.js";

/** The same adapter on the addon's decoder and on the reference's. */
export const onEachDecoder = (make: (decoder: () => Decoder) => Adapter): AdapterVariants => ({
  cpu: make(() => {
    const addon = loadAddon();
    if (addon === null) throw new NotCovered("the addon is not available");
    return cpuDecoder(addon);
  }),
  reference: make(() => referenceDecoder),
});

/** The same of a table of them. */
export function eachOnEachDecoder(table: Readonly<Record<string, (decoder: () => Decoder) => Adapter>>): AdapterTable {
  return Object.fromEntries(Object.entries(table).map(([name, make]) => [name, onEachDecoder(make)]));
}

export const floats = (array: VectorArray): Float32Array => Float32Array.from(decodeArray(array) as Float32Array);
export const toTensor = (array: VectorArray): Tensor => ({ type: "float32", dims: array.shape, data: floats(array) });

export interface VectorRemapping {
  readonly remaining_class_ids: readonly number[];
  readonly class_mapping: readonly number[];
}

export function remappingOf(remapping: VectorRemapping | undefined): ClassRemapping | null {
  if (remapping === undefined) return null;
  return { remainingClassIds: remapping.remaining_class_ids, classMapping: remapping.class_mapping };
}

export const NO_IMAGE = { width: 1, height: 1, exifOrientation: 1, orientationApplied: false } as const;

const ONE = { width: 1, height: 1 };
export const NO_GEOMETRY: Geometry = {
  padLeft: 0,
  padTop: 0,
  padRight: 0,
  padBottom: 0,
  originalSize: ONE,
  sizeAfterPreProcessing: ONE,
  inferenceSize: ONE,
  scaleWidth: 1,
  scaleHeight: 1,
  staticCropOffset: { offsetX: 0, offsetY: 0, cropWidth: 1, cropHeight: 1 },
  nonsquareIntermediateSize: null,
};

export interface VectorRecommended {
  readonly confidence: number | null;
  readonly per_class_confidence: Readonly<Record<string, number>> | null;
}

export function recommendedOf(recommended: VectorRecommended | null | undefined): RecommendedParameters | null {
  if (recommended == null) return null;
  return { confidence: recommended.confidence, perClassConfidence: recommended.per_class_confidence };
}
