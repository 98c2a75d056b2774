/** From a pipeline's id to its default models and the code that joins them. */
import { ModelPipelineNotFound } from "../errors.js";
import type { AnyModel } from "../models/index.js";
import { closest } from "../options.js";
import { FaceAndGazePipeline } from "./face-and-gaze.js";
import { TextReadingPipeline } from "./text-reading.js";

/** What each id gives. */
export interface Pipelines {
  /** Finds faces and where they look. */
  readonly "face-and-gaze-detection": FaceAndGazePipeline;
  /** Finds and reads text, with weights of the provider. */
  readonly "pp-ocrv6": TextReadingPipeline;
  /** The same for Latin script, with weights that need no download: they are in the package inference-models-pp-ocr. */
  readonly "pp-ocr-latin": TextReadingPipeline;
}

export type AnyPipeline = Pipelines[keyof Pipelines];

interface PipelineEntry<Pipeline> {
  /** Ids of the default models, in order. */
  readonly models: readonly string[];
  readonly create: (models: readonly AnyModel[]) => Pipeline;
}

export const PIPELINES: { readonly [Id in keyof Pipelines]: PipelineEntry<Pipelines[Id]> } = {
  "face-and-gaze-detection": {
    models: ["mediapipe/face-detector", "l2cs-net/rn50"],
    create: (models) => FaceAndGazePipeline.withModels(models),
  },
  "pp-ocrv6": {
    models: ["pp-ocrv6-det/small", "pp-ocrv6-rec/small"],
    create: (models) => TextReadingPipeline.withModels(models),
  },
  "pp-ocr-latin": {
    models: ["pp-ocr/det", "pp-ocr/rec-latin"],
    create: (models) => TextReadingPipeline.withModels(models),
  },
};

/** @throws ModelPipelineNotFound */
export function findPipeline(id: string): PipelineEntry<AnyPipeline> {
  if (Object.hasOwn(PIPELINES, id)) return PIPELINES[id as keyof Pipelines];
  const known = Object.keys(PIPELINES);
  const suggestion = closest(id, known);
  throw new ModelPipelineNotFound(
    `No pipeline is called "${id}".${suggestion === null ? "" : ` Did you mean "${suggestion}"?`} Pipelines here: ${known.join(", ")}.`,
    { available: known },
  );
}
