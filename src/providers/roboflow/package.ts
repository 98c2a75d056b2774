import * as z from "zod";

import { ModelMetadataConsistencyError, ModelMetadataHandlerNotImplementedError, ModelRetrievalError } from "../../errors.js";
import { logger } from "../../logger.js";
import type { ModelPackageMetadata } from "../../packages/index.js";
import { optional, recommendedParameters } from "../../wire.js";
import { describeIssues } from "../issues.js";
import type { ManifestReader } from "./manifests/common.js";
import { readHuggingFaceManifest } from "./manifests/hugging-face.js";
import { readOnnxManifest } from "./manifests/onnx.js";
import { readTorchManifest } from "./manifests/torch.js";
import { readTorchScriptManifest } from "./manifests/torch-script.js";
import { readTrtManifest, TRT_MANIFEST } from "./manifests/trt.js";
import { readUltralyticsManifest } from "./manifests/ultralytics.js";

const MANIFEST_READERS: ReadonlyMap<string, ManifestReader> = new Map([
  ["onnx-model-package-v1", readOnnxManifest],
  [TRT_MANIFEST, readTrtManifest],
  ["torch-model-package-v1", readTorchManifest],
  ["hf-model-package-v1", readHuggingFaceManifest],
  ["torch-script-model-package-v1", readTorchScriptManifest],
  ["ultralytics-model-package-v1", readUltralyticsManifest],
]);

/** Packages for other products: that they are not for us is nothing to warn of. */
const FOR_OTHERS = ["oak-model-package-v1", "tfjs-model-package-v1", "mediapipe-model-package-v1"];

const schema = z.object({
  type: z.literal("external-model-package-v1"),
  packageId: z.string(),
  packageManifest: z.looseObject({ type: z.string() }),
  packageFiles: z.array(z.object({ fileHandle: z.string(), downloadUrl: z.string(), md5Hash: optional(z.string()) })),
  trustedSource: z.boolean().default(false),
  modelFeatures: optional(z.record(z.string(), z.unknown())),
  recommendedParameters: optional(recommendedParameters),
});

/** @throws ModelMetadataConsistencyError, ModelMetadataHandlerNotImplementedError */
function parse(raw: object): ModelPackageMetadata {
  const outcome = schema.safeParse(raw);
  if (!outcome.success) throw new ModelMetadataConsistencyError(`The package is malformed: ${describeIssues(outcome.error)}.`);
  const { packageId, packageManifest, packageFiles, trustedSource, modelFeatures, recommendedParameters: recommended } = outcome.data;
  const readManifest = MANIFEST_READERS.get(packageManifest.type);
  if (readManifest === undefined) {
    throw new ModelMetadataHandlerNotImplementedError(`Its manifest of type ${shown(packageManifest.type)} is not known.`, {
      manifestType: packageManifest.type,
    });
  }
  return {
    packageId,
    packageSource: "platform",
    packageArtefacts: packageFiles.map((file) => ({ kind: "download", ...file })),
    trustedSource,
    modelFeatures,
    recommendedParameters: recommended,
    cacheModelId: null,
    dynamicBatchSizeSupported: null,
    staticBatchSize: null,
    trtPackageDetails: null,
    onnxPackageDetails: null,
    torchScriptPackageDetails: null,
    environmentRequirements: null,
    ...readManifest(packageManifest),
  };
}

const shown = (value: unknown): string => (typeof value === "string" ? JSON.stringify(value.slice(0, 80)) : "without a name");

/**
 * One entry of an answer's `modelPackages`. What cannot be understood is skipped with a line in the log: others may still fit, and newer
 * servers describe packages that this version does not know.
 * @throws ModelRetrievalError for an entry that is no object: then the answer as a whole is not what was promised
 */
export function parseProviderPackage(raw: unknown): ModelPackageMetadata | null {
  if (typeof raw !== "object" || raw === null || Array.isArray(raw)) {
    throw new ModelRetrievalError("An entry of the model's packages is not an object. Report it to the provider.");
  }
  try {
    return parse(raw);
  } catch (error) {
    const name = `Package ${shown("packageId" in raw ? raw.packageId : undefined)}`;
    if (ModelMetadataHandlerNotImplementedError.is(error)) {
      const line = `${name} is skipped. ${error.message}`;
      if (FOR_OTHERS.includes(error.manifestType ?? "")) logger().debug(line);
      else logger().warn(`${line} A newer version of this library may know it.`);
    } else if (ModelMetadataConsistencyError.is(error)) logger().warn(`${name} is skipped. ${error.message}`);
    else throw error;
    return null;
  }
}
