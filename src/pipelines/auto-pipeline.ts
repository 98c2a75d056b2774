import { AutoModel, type AutoModelOptions } from "../auto/index.js";
import { ModelPipelineInitializationError, ModelPipelineNotFound } from "../errors.js";
import type { AnyModel } from "../models/index.js";
import { closest, requireKnownOptions } from "../options.js";
import { FaceAndGazePipeline } from "./face-and-gaze.js";
import { TextReadingPipeline } from "./text-reading.js";

/** A model of a pipeline: what `AutoModel.fromPretrained` takes, with options of its own, or one that is loaded already. */
export type PipelineModel = string | AnyModel | ({ readonly model: string } & AutoModelOptions);

export interface AutoModelPipelineOptions {
  /** In the pipeline's order; null or missing entries take the defaults. */
  readonly models?: readonly (PipelineModel | null)[];
  /** Stops loading; rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

/** What each id gives. */
export interface Pipelines {
  /** Finds faces and where they look. */
  readonly "face-and-gaze-detection": FaceAndGazePipeline;
  /** Finds and reads text, with weights of the provider. */
  readonly "pp-ocrv6": TextReadingPipeline;
  /** The same for Latin script, with weights that need no download: they are in the package inference-models-pp-ocr. */
  readonly "pp-ocr-latin": TextReadingPipeline;
}

type AnyPipeline = Pipelines[keyof Pipelines];

interface PipelineEntry<Pipeline> {
  /** Ids of the default models, in order. */
  readonly models: readonly string[];
  readonly create: (models: readonly AnyModel[]) => Pipeline;
}

const PIPELINES: { readonly [Id in keyof Pipelines]: PipelineEntry<Pipelines[Id]> } = {
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

function entryOf(id: string): PipelineEntry<AnyPipeline> {
  if (Object.hasOwn(PIPELINES, id)) return PIPELINES[id as keyof Pipelines];
  const known = Object.keys(PIPELINES);
  const suggestion = closest(id, known);
  throw new ModelPipelineNotFound(
    `No pipeline is called "${id}".${suggestion === null ? "" : ` Did you mean "${suggestion}"?`} Pipelines here: ${known.join(", ")}.`,
    { available: known },
  );
}

interface LoadedModels {
  readonly models: readonly AnyModel[];
  /** Closes those that were loaded here. */
  close(): Promise<void>;
}

/** Loads what is not loaded yet. What was loaded is closed again when another model fails. */
async function loadAll(id: string, models: readonly PipelineModel[], signal: AbortSignal | undefined): Promise<LoadedModels> {
  const common = signal === undefined ? {} : { signal };
  const loading = models.map(async (entry): Promise<{ readonly model: AnyModel; readonly ours: boolean }> => {
    if (typeof entry === "string") return { model: await AutoModel.fromPretrained(entry, common), ours: true };
    if (!("model" in entry)) return { model: entry, ours: false };
    const { model, ...options } = entry;
    return { model: await AutoModel.fromPretrained(model, { ...common, ...options }), ours: true };
  });
  const settled = await Promise.allSettled(loading);
  const loaded = settled.flatMap((outcome) => (outcome.status === "fulfilled" ? [outcome.value] : []));
  const close = async (): Promise<void> => {
    await Promise.all(loaded.filter(({ ours }) => ours).map(({ model }) => model.close()));
  };
  const failed = settled.findIndex(({ status }) => status === "rejected");
  if (failed < 0) return { models: loaded.map(({ model }) => model), close };
  await close();
  signal?.throwIfAborted();
  const reason: unknown = (settled[failed] as PromiseRejectedResult).reason;
  throw new ModelPipelineInitializationError(
    `Model ${failed} of pipeline "${id}" could not be loaded: ${reason instanceof Error ? reason.message : String(reason)}`,
    { cause: reason },
  );
}

/** @throws ModelPipelineNotFound, ModelPipelineInitializationError, InvalidOptionError */
async function fromPretrained<Id extends keyof Pipelines>(id: Id, options?: AutoModelPipelineOptions): Promise<Pipelines[Id]>;
async function fromPretrained(id: string, options?: AutoModelPipelineOptions): Promise<AnyPipeline>;
async function fromPretrained(id: string, options: AutoModelPipelineOptions = {}): Promise<AnyPipeline> {
  requireKnownOptions(options, ["models", "signal"], "AutoModelPipeline.fromPretrained");
  const entry = entryOf(id);
  const { models = [], signal } = options;
  if (models.length > entry.models.length) {
    throw new ModelPipelineInitializationError(`Pipeline "${id}" takes ${entry.models.length} models, but ${models.length} were given.`);
  }
  const loaded = await loadAll(
    id,
    entry.models.map((standard, index) => models[index] ?? standard),
    signal,
  );
  try {
    return entry.create(loaded.models);
  } catch (error) {
    await loaded.close();
    throw error;
  }
}

/** Several models used as one. */
export const AutoModelPipeline = {
  /** Ids that {@link AutoModelPipeline.fromPretrained} knows, sorted. */
  list: (): readonly string[] => Object.keys(PIPELINES).sort(),

  fromPretrained,
} as const;
