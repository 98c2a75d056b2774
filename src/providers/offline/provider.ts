import { ModelRetrievalError } from "../../errors.js";
import { inferenceHome, type ModelMetadata } from "../../packages/index.js";
import { presentPackages } from "./presence.js";
import { recordToMetadata } from "./record.js";
import { findOfflineRecord } from "./registry.js";

/** Answers from what was recorded, with the packages whose files are all there. @throws ModelRetrievalError */
export async function offlineProvider(modelId: string, home: string = inferenceHome()): Promise<ModelMetadata> {
  const record = await findOfflineRecord(modelId, home);
  const metadata = record === null ? null : recordToMetadata(record);
  if (record === null || metadata === null) throw unavailable(modelId, "nothing was recorded about it");
  const modelPackages = await presentPackages(record, home);
  if (modelPackages.length === 0) throw unavailable(modelId, "none of its recorded packages has all of its files in the cache");
  return { ...metadata, modelPackages };
}

function unavailable(modelId: string, why: string): ModelRetrievalError {
  return new ModelRetrievalError(
    `Model "${modelId}" cannot be had offline: ${why}. Load it once with OFFLINE_MODE_WARM_UP=true while the network is there, with the same INFERENCE_HOME.`,
    { modelId },
  );
}
