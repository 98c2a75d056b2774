export type * from "./types.js";
export type * from "./metadata.js";
export { parseClassNames, prepareClassRemapping, requireBackgroundClass } from "./class-names.js";
export { readPackageFile, requirePackageFiles } from "./files.js";
export { parseInferenceConfig } from "./inference-config.js";
export { parseKeyPointsMetadata } from "./key-points-metadata.js";
export { parseModelConfig } from "./model-config.js";
export { parseTrtConfig, type TrtConfig } from "./trt-config.js";
