import * as z from "zod";

import { parseManifest, quantization, type ManifestReader } from "./common.js";

const schema = z.object({ backendType: z.literal("hf"), quantization });

export const readHuggingFaceManifest: ManifestReader = (manifest) => ({
  backend: "hugging-face",
  quantization: parseManifest(schema, manifest).quantization,
});
