import * as z from "zod";

import { ModelMetadataConsistencyError } from "../../../errors.js";
import type { EnvironmentRequirements } from "../../../packages/index.js";
import { boolean, integer, optional } from "../../../wire.js";
import {
  batchFields,
  parseManifest,
  quantization,
  requireConsistentBatch,
  version,
  type ManifestContents,
  type ManifestReader,
} from "./common.js";

export const TRT_MANIFEST = "trt-model-package-v1";

const machineSpecs = z.discriminatedUnion("type", [
  z.object({ type: z.literal("gpu-server-specs-v1"), driverVersion: version, osVersion: z.string() }),
  z.object({ type: z.literal("jetson-machine-specs-v1"), l4tVersion: version, deviceName: z.string(), driverVersion: version }),
]);

const schema = z.object({
  type: z.literal(TRT_MANIFEST),
  backendType: z.literal("trt"),
  ...batchFields,
  minBatchSize: optional(integer),
  optBatchSize: optional(integer),
  maxBatchSize: optional(integer),
  quantization,
  cudaDeviceType: z.string(),
  cudaDeviceCC: version,
  cudaVersion: version,
  trtVersion: version,
  sameCCCompatible: boolean.default(false),
  trtForwardCompatible: boolean.default(false),
  trtLeanRuntimeExcluded: boolean.default(false),
  machineType: z.enum(["gpu-server", "jetson"]),
  machineSpecs,
});

type Raw = z.output<typeof schema>;

/** The machine that an engine was built on, and so runs on. @throws ModelMetadataConsistencyError when its two descriptions disagree */
function environmentRequirements({ machineType, machineSpecs: specs, ...raw }: Raw): EnvironmentRequirements {
  const common = {
    cudaDeviceCc: raw.cudaDeviceCC,
    cudaDeviceName: raw.cudaDeviceType,
    driverVersion: specs.driverVersion,
    cudaVersion: raw.cudaVersion,
    trtVersion: raw.trtVersion,
  };
  if (machineType === "gpu-server" && specs.type === "gpu-server-specs-v1") {
    return { kind: "gpu-server", ...common, osVersion: specs.osVersion };
  }
  if (machineType === "jetson" && specs.type === "jetson-machine-specs-v1") {
    return { kind: "jetson", ...common, l4tVersion: specs.l4tVersion, jetsonProductName: specs.deviceName };
  }
  throw new ModelMetadataConsistencyError(`The machine is a ${machineType}, and described as ${specs.type}.`);
}

function contentsOf(raw: Raw): ManifestContents {
  return {
    backend: "trt",
    quantization: raw.quantization,
    dynamicBatchSizeSupported: raw.dynamicBatchSize,
    staticBatchSize: raw.staticBatchSize,
    trtPackageDetails: {
      minDynamicBatchSize: raw.minBatchSize,
      optDynamicBatchSize: raw.optBatchSize,
      maxDynamicBatchSize: raw.maxBatchSize,
      sameCcCompatible: raw.sameCCCompatible,
      trtForwardCompatible: raw.trtForwardCompatible,
      trtLeanRuntimeExcluded: raw.trtLeanRuntimeExcluded,
    },
    environmentRequirements: environmentRequirements(raw),
  };
}

export const readTrtManifest: ManifestReader = (manifest) => {
  const raw = parseManifest(schema, manifest);
  requireConsistentBatch(raw.dynamicBatchSize, raw.staticBatchSize);
  if (raw.dynamicBatchSize && [raw.minBatchSize, raw.optBatchSize, raw.maxBatchSize].includes(null)) {
    throw new ModelMetadataConsistencyError("The batch size is dynamic, but its smallest, best and largest value are not all given.");
  }
  return contentsOf(raw);
};

/** Of an engine that was compiled on this machine: whoever compiled it answers for its batch sizes. */
export const readLocalTrtManifest: ManifestReader = (manifest) => contentsOf(parseManifest(schema, manifest));
