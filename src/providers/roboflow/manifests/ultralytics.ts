import type { ManifestReader } from "./common.js";

export const readUltralyticsManifest: ManifestReader = () => ({ backend: "ultralytics", quantization: "unknown" });
