/** What a package with an engine that was compiled on this machine consists of. */
export const PREFIX = "localtrt";
export const MANIFEST = "local_trt_package_manifest.json";
export const MAXIMUM_MANIFEST_BYTES = 1024 * 1024;
export const ENGINE = "engine.plan";
/** Files that describe the model, beside the engine. */
export const DESCRIPTIONS = ["inference_config.json", "class_names.txt", "keypoints_metadata.json"] as const;
export const ALLOWED_FILES: readonly string[] = [...DESCRIPTIONS, "trt_config.json", ENGINE];
