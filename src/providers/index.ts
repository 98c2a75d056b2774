export type * from "./types.js";
export { effectiveApiKey } from "./api-key.js";
export { discoverLocalTrtPackages } from "./local-trt/discovery.js";
export { checkLocalEngine, type EngineGpu } from "./local-trt/origin.js";
export { DESCRIPTIONS as LOCAL_TRT_DESCRIPTIONS, MANIFEST as LOCAL_TRT_MANIFEST } from "./local-trt/layout.js";
export { localTrtPackageId, writeLocalTrtPackage, type EngineMachine, type LocalTrtPackage } from "./local-trt/write.js";
export { requireRemoteModelId } from "./model-id.js";
export { forgetOfflineMode, offlineMode, type OfflineMode } from "./offline/mode.js";
export {
  listOfflineModels,
  verifyOfflineModel,
  type OfflineArtefactStatus,
  type OfflineModelStatus,
  type OfflinePackageStatus,
  type PackagePresence,
  type VerifyOptions,
} from "./offline/presence.js";
export type { OfflineLoad, OfflineSource } from "./offline/record.js";
export { recordOfflineLoad, type RecordOptions } from "./offline/registry.js";
export { getModelFromProvider, registerModelProvider, unregisterModelProvider, type ProviderOptions } from "./registry.js";
