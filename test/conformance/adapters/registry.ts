import { findImplementation, hasImplementation, REGISTRY, type RegistryEntry } from "../../../src/models/index.js";
import type { BackendType } from "../../../src/packages/index.js";
import { findPipeline, PIPELINES } from "../../../src/pipelines/registry.js";
import { NotCovered, type AdapterTable } from "../adapter.js";

const BACKENDS = new Set(REGISTRY.map(({ backend }) => backend));
const OWN_PIPELINES = new Set(["face-and-gaze-detection", "pp-ocr-latin"]);

interface Query {
  readonly model_architecture: string;
  readonly task_type: string | null;
  readonly backend: BackendType;
  readonly model_features?: readonly string[];
}

interface RegisteredModel extends Query {
  readonly supported_model_features: readonly string[] | null;
  readonly required_model_features: readonly string[] | null;
}

const toQuery = (input: Query) => ({
  architecture: input.model_architecture,
  task: input.task_type,
  backend: input.backend,
  features: input.model_features ?? [],
});

function toEntry(model: RegisteredModel): RegistryEntry {
  return {
    architecture: model.model_architecture,
    task: model.task_type as RegistryEntry["task"],
    backend: model.backend,
    supportedFeatures: model.supported_model_features ?? [],
    requiredFeatures: model.required_model_features ?? [],
    load: () => Promise.reject(new Error("A registry of the vectors names no code.")),
  };
}

export const adapters: AdapterTable = {
  "model-implementation-exists": {
    "": (input: Query & { readonly registered_models: readonly RegisteredModel[] }) => ({
      exists: hasImplementation(toQuery(input), input.registered_models.map(toEntry)),
    }),
  },
  "resolve-model-implementation": {
    "": (input: Query) => {
      // What runs on PyTorch there is not offered here; a query for it proves nothing either way.
      if (!BACKENDS.has(input.backend)) throw new NotCovered(`the backend ${input.backend} is not offered`);
      findImplementation(toQuery(input));
      return {};
    },
  },
  "resolve-pipeline": {
    "": ({ pipeline_id: id }: { readonly pipeline_id: string }) => {
      if (OWN_PIPELINES.has(id)) throw new NotCovered("the reference has no such pipeline");
      findPipeline(id);
      return {};
    },
  },
  "default-pipeline-parameters": {
    "": ({ pipeline_id: id }: { readonly pipeline_id: string }) => {
      if (OWN_PIPELINES.has(id)) throw new NotCovered("the reference has no such pipeline");
      return { parameters: Object.hasOwn(PIPELINES, id) ? findPipeline(id).models : null };
    },
  },
};
