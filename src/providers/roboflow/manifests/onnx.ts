import * as z from "zod";

import { integer, optional } from "../../../wire.js";
import { batchContents, batchFields, parseManifest, quantization, type ManifestReader } from "./common.js";

const schema = z.object({
  backendType: z.literal("onnx"),
  ...batchFields,
  quantization,
  opset: integer,
  incompatibleProviders: optional(z.array(z.string())),
});

export const readOnnxManifest: ManifestReader = (manifest) => {
  const raw = parseManifest(schema, manifest);
  return {
    backend: "onnx",
    quantization: raw.quantization,
    ...batchContents(raw),
    onnxPackageDetails: { opset: raw.opset, incompatibleProviders: raw.incompatibleProviders },
  };
};
