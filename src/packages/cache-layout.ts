/** Where things lie in the cache. Names are computed from ids, never searched, and shared with the Python library's cache. */
import { homedir } from "node:os";
import { isAbsolute, join, resolve } from "node:path";

import { configuration } from "../configuration.js";
import { blake2s } from "./blake2s.js";
import { requirePackageId } from "./portable-names.js";

const DIGEST_BYTES = 16;
const MAXIMUM_PREFIX = 48;

/** Folder name of a model: a readable beginning, and a digest of the whole id that tells similar ids apart. */
export function modelIdSlug(modelId: string): string {
  const readable = modelId.replace(/[^A-Za-z0-9_-]+/gu, "-").replace(/[_-]{2,}/g, "-");
  const prefix = (readable || "special-char-only-model-id").slice(0, MAXIMUM_PREFIX);
  return `v2-${prefix}-${blake2s(Buffer.from(modelId, "utf8"), DIGEST_BYTES)}`;
}

export interface CacheLayout {
  /** Absolute path of the cache itself. */
  readonly home: string;
  /** A folder per model, in it a folder per package. */
  readonly modelsCache: string;
  /** Files of packages by their MD5, each stored once. */
  readonly sharedBlobs: string;
  /** What requests were resolved to. */
  readonly autoResolutionCache: string;
  /** What offline mode knows about models. */
  readonly offlineRegistry: string;
  modelDirectory(modelId: string): string;
  /** @throws InsecureModelIdentifierError */
  packageDirectory(modelId: string, packageId: string): string;
  offlineRecord(modelId: string): string;
}

/** `home`: absolute, or relative to the working directory. */
export function cacheLayout(home: string): CacheLayout {
  const root = resolve(home);
  const modelsCache = join(root, "models-cache");
  const offlineRegistry = join(root, "offline-weights-registry");
  return {
    home: root,
    modelsCache,
    sharedBlobs: join(root, "shared-blobs"),
    autoResolutionCache: join(root, "auto-resolution-cache"),
    offlineRegistry,
    modelDirectory: (modelId) => join(modelsCache, modelIdSlug(modelId)),
    packageDirectory: (modelId, packageId) => join(modelsCache, modelIdSlug(modelId), requirePackageId(packageId)),
    offlineRecord: (modelId) => join(offlineRegistry, `${modelIdSlug(modelId)}.json`),
  };
}

/** Folder of the cache: `INFERENCE_HOME`, else `MODEL_CACHE_DIR`, else the user's own cache folder. */
export function inferenceHome(): string {
  const { home, legacyHome } = configuration().cache;
  return resolve(home || legacyHome || join(userCacheFolder(), "inference-models"));
}

/** Per user, unlike the reference's /tmp/cache: files in a folder that everybody may write to could be anybody's. */
function userCacheFolder(): string {
  const { xdgCacheHome, localAppData } = configuration().cache;
  if (process.platform === "darwin") return join(homedir(), "Library", "Caches");
  if (process.platform === "win32") return localAppData || join(homedir(), "AppData", "Local");
  // The XDG base directory specification: a relative path is to be ignored.
  return isAbsolute(xdgCacheHome) ? xdgCacheHome : join(homedir(), ".cache");
}
