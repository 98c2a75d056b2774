export type * from "./types.js";
export { artefactSizes, type ArtefactSizes } from "./artefact-sizes.js";
export {
  declareArtefacts,
  formatArtefactIdentities,
  parseArtefactIdentities,
  type ArtefactDeclaration,
  type ArtefactIdentity,
} from "./artefacts.js";
export { canonicalizeUnorderedValues, credentialHash, hashContent } from "./canonical-json.js";
export { parseDependencyPaths, formatDependencyPaths, type DependencyPath } from "./dependency-paths.js";
export { downloadFilesToDirectory, getModelPackageContents, verifyFileMd5, type DownloadFilesOptions } from "./download-files.js";
export { canonicalDownloadSource } from "./download-source.js";
export { probeFile, type FileProbe } from "./download/probe.js";
export { backoffSeconds } from "./download/retry.js";
export { targetPaths, type FileToDownload, type NameAfter } from "./download/target-paths.js";
export { withFileLock, type LockOptions } from "./files/lock.js";
export { writeFileDurably } from "./files/durable.js";
export { storeOwnPackage, type OwnPackage } from "./own-package.js";
export { humanReadableSize } from "./human-readable-size.js";
export { listCache, type CachedPackage, type CacheListing } from "./maintenance/list.js";
export { pruneCache, type PruneOptions } from "./maintenance/prune.js";
export { removeFromCache, type RemovalReport } from "./maintenance/remove.js";
export { verifyCache, type CacheProblem, type CacheVerification, type VerifyOptions } from "./maintenance/verify.js";
export { readManifest, type Manifest, type ManifestState } from "./manifest.js";
export { materializePackage } from "./materialize.js";
export { usePackage } from "./package-use.js";
export {
  FileResolutionCache,
  refuseEntry,
  resolutionCachePath,
  type AutoResolutionCache,
  type FileResolutionCacheOptions,
  type ResolutionRefusal,
} from "./resolution/cache.js";
export { CACHE_ATTRIBUTION_VERSION, type AutoResolutionCacheEntry } from "./resolution/entry.js";
export { resolutionKey, type ResolutionRequest } from "./resolution/key.js";
