import { AutoModel, type AutoModelOptions } from "../auto/index.js";
import { ModelPipelineInitializationError, ModelPipelineNotFound } from "../errors.js";
import type { AnyModel } from "../models/index.js";
import { closest, requireKnownOptions } from "../options.js";
import { TextReadingPipeline } from "./text-reading.js";

/** A model of a pipeline: what `AutoModel.fromPretrained` takes, with options of its own, or one that is loaded already. */
export type PipelineModel = string | AnyModel | ({ readonly model: string } & AutoModelOptions);

export interface AutoModelPipelineOptions {
  /** In the pipeline's order; null or missing entries take the defaults. */
  readonly models?: readonly (PipelineModel | null)[];
  /** Stops loading; rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

interface PipelineEntry {
  /** Ids of the default models, in order. */
  readonly models: readonly string[];
  readonly create: (models: readonly AnyModel[]) => TextReadingPipeline;
}

const PIPELINES: Readonly<Record<string, PipelineEntry>> = {
  "pp-ocrv6": {
    models: ["pp-ocrv6-det/small", "pp-ocrv6-rec/small"],
    create: (models) => TextReadingPipeline.withModels(models),
  },
  // The same with weights that need no download: they are in the package inference-models-pp-ocr.
  "pp-ocr-latin": {
    models: ["pp-ocr/det", "pp-ocr/rec-latin"],
    create: (models) => TextReadingPipeline.withModels(models),
  },
};

function entryOf(id: string): PipelineEntry {
  const entry = Object.hasOwn(PIPELINES, id) ? PIPELINES[id] : undefined;
  if (entry !== undefined) return entry;
  const known = Object.keys(PIPELINES);
  const suggestion = closest(id, known);
  throw new ModelPipelineNotFound(
    `No pipeline is called "${id}".${suggestion === null ? "" : ` Did you mean "${suggestion}"?`} Pipelines here: ${known.join(", ")}.`,
    { available: known },
  );
}

/** Loads what is not loaded yet. What was loaded is closed again when another model fails. */
async function loadAll(id: string, models: readonly PipelineModel[], signal: AbortSignal | undefined): Promise<readonly AnyModel[]> {
  const common = signal === undefined ? {} : { signal };
  const loading = models.map(async (entry): Promise<{ readonly model: AnyModel; readonly ours: boolean }> => {
    if (typeof entry === "string") return { model: await AutoModel.fromPretrained(entry, common), ours: true };
    if (!("model" in entry)) return { model: entry, ours: false };
    const { model, ...options } = entry;
    return { model: await AutoModel.fromPretrained(model, { ...common, ...options }), ours: true };
  });
  const settled = await Promise.allSettled(loading);
  const failed = settled.findIndex(({ status }) => status === "rejected");
  if (failed < 0) return settled.map((outcome) => (outcome as PromiseFulfilledResult<{ readonly model: AnyModel }>).value.model);
  const ours = settled.flatMap((outcome) => (outcome.status === "fulfilled" && outcome.value.ours ? [outcome.value.model] : []));
  await Promise.all(ours.map((model) => model.close()));
  signal?.throwIfAborted();
  const reason: unknown = (settled[failed] as PromiseRejectedResult).reason;
  throw new ModelPipelineInitializationError(
    `Model ${failed} of pipeline "${id}" could not be loaded: ${reason instanceof Error ? reason.message : String(reason)}`,
    { cause: reason },
  );
}

/** Several models used as one. */
export const AutoModelPipeline = {
  /** Ids that {@link AutoModelPipeline.fromPretrained} knows, sorted. */
  list: (): readonly string[] => Object.keys(PIPELINES).sort(),

  /** @throws ModelPipelineNotFound, ModelPipelineInitializationError, InvalidOptionError */
  async fromPretrained(id: string, options: AutoModelPipelineOptions = {}): Promise<TextReadingPipeline> {
    requireKnownOptions(options, ["models", "signal"], "AutoModelPipeline.fromPretrained");
    const entry = entryOf(id);
    const { models = [], signal } = options;
    if (models.length > entry.models.length) {
      throw new ModelPipelineInitializationError(`Pipeline "${id}" takes ${entry.models.length} models, but ${models.length} were given.`);
    }
    return entry.create(
      await loadAll(
        id,
        entry.models.map((standard, index) => models[index] ?? standard),
        signal,
      ),
    );
  },
} as const;
