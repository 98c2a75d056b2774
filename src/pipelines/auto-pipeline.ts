import { AutoModel, type AutoModelOptions } from "../auto/index.js";
import { ModelPipelineInitializationError } from "../errors.js";
import type { AnyModel } from "../models/index.js";
import { requireKnownOptions } from "../options.js";
import { findPipeline, PIPELINES, type AnyPipeline, type Pipelines } from "./registry.js";

/** A model of a pipeline: what `AutoModel.fromPretrained` takes, with options of its own, or one that is loaded already. */
export type PipelineModel = string | AnyModel | ({ readonly model: string } & AutoModelOptions);

export interface AutoModelPipelineOptions {
  /** In the pipeline's order; null or missing entries take the defaults. */
  readonly models?: readonly (PipelineModel | null)[];
  /** Stops loading; rejects with the signal's reason. */
  readonly signal?: AbortSignal;
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
  const entry = findPipeline(id);
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
