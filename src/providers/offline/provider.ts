import { ModelNotFoundError, ModelRetrievalError } from "../../errors.js";
import { inferenceHome, type ModelMetadata } from "../../packages/index.js";
import { presentPackages } from "./presence.js";
import { recordToMetadata } from "./record.js";
import { findOfflineRecord } from "./registry.js";

/** Answers from what was recorded, with the packages whose files are all there. @throws ModelNotFoundError without a record, else ModelRetrievalError */
export async function offlineProvider(modelId: string, home: string = inferenceHome()): Promise<ModelMetadata> {
  const record = await findOfflineRecord(modelId, home);
  const metadata = record === null ? null : recordToMetadata(record);
  if (record === null) throw new ModelNotFoundError(explain(modelId, "nothing was recorded about it"), { modelId });
  if (metadata === null) throw new ModelRetrievalError(explain(modelId, "its record is incomplete"), { modelId });
  const modelPackages = await presentPackages(record, home);
  if (modelPackages.length === 0) {
    throw new ModelRetrievalError(explain(modelId, "none of its recorded packages has all of its files in the cache"), { modelId });
  }
  return { ...metadata, modelPackages };
}

function explain(modelId: string, why: string): string {
  return (
    `Model "${modelId}" cannot be had offline: ${why}. ` +
    "Load it once with OFFLINE_MODE_WARM_UP=true while the network is there, with the same INFERENCE_HOME."
  );
}
