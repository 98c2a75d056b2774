/** Caches and packages for the tests of the store. */
import { mkdtemp, readdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { ArtefactSpecs, ModelPackageMetadata } from "../../src/packages/index.js";
import type { MaterializeRequest } from "../../src/store/index.js";

export async function temporaryHome(): Promise<string> {
  return mkdtemp(join(tmpdir(), "store-"));
}

export function packageMetadata(
  packageArtefacts: readonly ArtefactSpecs[],
  changes: Partial<ModelPackageMetadata> = {},
): ModelPackageMetadata {
  return {
    packageId: "package1",
    backend: "onnx",
    packageArtefacts,
    packageSource: "platform",
    quantization: "fp32",
    dynamicBatchSizeSupported: false,
    staticBatchSize: 1,
    trtPackageDetails: null,
    onnxPackageDetails: { opset: 17, incompatibleProviders: null },
    torchScriptPackageDetails: null,
    trustedSource: true,
    environmentRequirements: null,
    modelFeatures: null,
    recommendedParameters: null,
    cacheModelId: null,
    ...changes,
  };
}

export function materializeRequest(
  home: string,
  metadata: ModelPackageMetadata,
  changes: Partial<MaterializeRequest> = {},
): MaterializeRequest {
  return {
    home,
    cacheModelId: "workspace/model/1",
    canonicalModelId: "workspace/model/1",
    architecture: "yolov8",
    taskType: "object-detection",
    package: metadata,
    recommendedParameters: null,
    dependencies: [],
    ...changes,
  };
}

/** All paths below a folder, relative to it. */
export async function filesUnder(folder: string): Promise<readonly string[]> {
  return (await readdir(folder, { recursive: true })).sort();
}
