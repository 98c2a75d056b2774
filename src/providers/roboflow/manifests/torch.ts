import * as z from "zod";

import { batchContents, batchFields, parseManifest, quantization, type ManifestReader } from "./common.js";

const schema = z.object({ backendType: z.literal("torch"), ...batchFields, quantization });

export const readTorchManifest: ManifestReader = (manifest) => {
  const raw = parseManifest(schema, manifest);
  return { backend: "torch", quantization: raw.quantization, ...batchContents(raw) };
};
