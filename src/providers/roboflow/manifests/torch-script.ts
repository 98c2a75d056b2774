import * as z from "zod";

import { optional } from "../../../wire.js";
import { batchContents, batchFields, parseManifest, quantization, version, type ManifestReader } from "./common.js";

const schema = z.object({
  backendType: z.literal("torch-script"),
  ...batchFields,
  quantization,
  supportedDeviceTypes: z.array(z.string()),
  torchVersion: version,
  torchVisionVersion: optional(version),
});

export const readTorchScriptManifest: ManifestReader = (manifest) => {
  const raw = parseManifest(schema, manifest);
  return {
    backend: "torch-script",
    quantization: raw.quantization,
    ...batchContents(raw),
    torchScriptPackageDetails: {
      supportedDeviceTypes: [...new Set(raw.supportedDeviceTypes)].sort(),
      torchVersion: raw.torchVersion,
      torchVisionVersion: raw.torchVisionVersion,
    },
  };
};
