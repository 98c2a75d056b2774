/** What a package says about the input of its network: an engine takes that, where the network itself would take anything. */
import { join } from "node:path";

import { parseInferenceConfig, type InferenceConfig, type ResizeModeRules } from "../packages/index.js";

/** How pictures are prepared does not matter here. */
const ANY_MODE: ResizeModeRules = {
  allowed: ["stretch", "letterbox", "center-crop", "fit-longer-edge", "letterbox-reflect-edges"],
  substitutions: {},
  maximumInputSize: null,
};

export interface NetworkInput {
  /** Pixels; null when the package does not say. */
  readonly imageSize: { readonly width: number; readonly height: number } | null;
  /** Pictures at once; null when the package does not say. */
  readonly maximumBatch: number | null;
}

/** @throws CorruptedModelPackageError */
export function networkInputOf(directory: string, descriptions: Readonly<Record<string, Uint8Array>>): NetworkInput {
  const bytes = descriptions["inference_config.json"];
  if (bytes === undefined) return { imageSize: null, maximumBatch: null };
  const path = join(directory, "inference_config.json");
  const { networkInput, forwardPass }: InferenceConfig = parseInferenceConfig(new TextDecoder().decode(bytes), ANY_MODE, { path });
  return { imageSize: networkInput.trainingInputSize, maximumBatch: forwardPass.maxDynamicBatchSize };
}
