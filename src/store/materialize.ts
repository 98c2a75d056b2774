/**
 * From what a provider announces to a folder that a model can be constructed from. The files are verified, the manifest is written last,
 * and nothing is held afterwards but a mark that the package is in use.
 */
import { mkdir } from "node:fs/promises";

import { configuration } from "../configuration.js";
import { CacheStorageError, CorruptedModelPackageError, UntrustedFileError } from "../errors.js";
import { logger } from "../logger.js";
import type { FileDownloadSpecs } from "../packages/index.js";
import { declareArtefacts, type ArtefactDeclaration } from "./artefacts.js";
import { withBlob } from "./blobs.js";
import { dependencyPaths, linkDependencies } from "./dependency-links.js";
import { all, withinBudget } from "./download/budget.js";
import { fetchFile, type FetchOptions } from "./download/fetch-file.js";
import { callProgress, type CallProgress } from "./download/progress.js";
import { sweepTemporaryFiles, writeFileDurably } from "./files/durable.js";
import { withFileLock, type LockOptions } from "./files/lock.js";
import { makeFolderInside, placeBlob, placementOf } from "./files/place-file.js";
import { guardStorage } from "./files/storage-errors.js";
import { verifiedFiles } from "./files/verified-files.js";
import { composeManifest, manifestPath, readManifest, requireSameIdentity, type ManifestState } from "./manifest.js";
import { pruneCache } from "./maintenance/prune.js";
import {
  artefactPath,
  inspectFile,
  inspectPackage,
  placementsOf,
  type PackageContext,
  type PackageState,
  type RightFile,
} from "./package-state.js";
import { usePackage } from "./package-use.js";
import { storeLayout } from "./store-layout.js";
import type { MaterializedPackage, MaterializeOptions, MaterializeRequest } from "./types.js";

/**
 * However many processes ask for a package, one fetches it; the others wait for as long as that one lives.
 *
 * @throws CorruptedModelPackageError (the announcement, or the cached package, contradicts itself), UntrustedFileError,
 * InsecureModelIdentifierError, FileHashSumMismatchError, RetryError, ModelRetrievalError and subclasses (DownloadLinkExpiredError: ask the
 * provider for new addresses, once), CacheStorageError, FileLockTimeoutError, the signal's reason.
 */
export async function materializePackage(request: MaterializeRequest, options: MaterializeOptions = {}): Promise<MaterializedPackage> {
  const { signal, onProgress } = options;
  signal?.throwIfAborted();
  const { package: announced, cacheModelId, home } = request;
  const layout = storeLayout(home);
  const declarations = declareArtefacts(announced.packageArtefacts);
  requireTrusted(declarations, announced.packageId, options);
  const directory = layout.packageDirectory(cacheModelId, announced.packageId);
  // Before anything is looked at: what is seen from here on is not evicted.
  const lease = await usePackage(layout.home, cacheModelId, announced.packageId);
  try {
    const context: PackageContext = {
      request,
      layout,
      verified: verifiedFiles(layout.home),
      directory,
      declarations,
      dependencyPaths: await dependencyPaths(request.dependencies),
      signal,
      onVerify: (file) => onProgress?.({ type: "verifying", file }),
    };
    const files = Object.fromEntries(declarations.map(({ fileHandle }) => [fileHandle, artefactPath(directory, fileHandle)]));
    const state = await inspect(context);
    const cached: MaterializedPackage = { directory, files, bytesDownloaded: 0, fromCache: true, lease };
    if (state.isComplete) return cached;
    const lock: LockOptions = {
      timeoutSeconds: options.lockTimeoutSeconds ?? configuration().cache.lockTimeoutSeconds,
      signal,
    };
    const path = layout.packageLock(cacheModelId, announced.packageId);
    const onWait = waitListener(path, options);
    const completing = withFileLock(path, { ...lock, onWait }, () => complete(context, options, lock));
    const bytesDownloaded = await completing.catch((error: unknown) => {
      // A cache that may only be read, brought from elsewhere: what is out of date in its manifest keeps nobody from loading.
      if (CacheStorageError.is(error) && state.isUsable) return null;
      throw error;
    });
    if (bytesDownloaded === null) return cached;
    if (bytesDownloaded > 0) await evict(layout.home);
    return { directory, files, bytesDownloaded, fromCache: false, lease };
  } catch (error) {
    lease.release();
    throw error;
  }
}

function waitListener(path: string, { onProgress }: MaterializeOptions): (holder: { readonly pid: number | null }) => void {
  return ({ pid }) => onProgress?.({ type: "waiting-for-lock", path, pid });
}

function requireTrusted(
  declarations: readonly ArtefactDeclaration[],
  packageId: string,
  { downloadFilesWithoutHash = false }: MaterializeOptions,
): void {
  const files = declarations.filter(({ md5Hash }) => md5Hash === null).map(({ fileHandle }) => fileHandle);
  if (files.length === 0 || downloadFilesWithoutHash) return;
  throw new UntrustedFileError(
    `The package ${packageId} has files without a hash, so nobody could tell whether they arrive intact: ${files.join(", ")}. ` +
      "Ask the provider to publish hashes, or allow such files with downloadFilesWithoutHash.",
    { files },
  );
}

async function inspect(context: PackageContext): Promise<PackageState> {
  const manifest = await readManifest(context.directory);
  requireSameIdentity(manifest, context.request, context.directory);
  return inspectPackage(context, manifest);
}

/** Makes the package whole, alone. Bytes fetched. */
async function complete(context: PackageContext, options: MaterializeOptions, lock: LockOptions): Promise<number> {
  const { directory, declarations, request } = context;
  const manifest = await readManifest(directory);
  requireSameIdentity(manifest, request, directory);
  const { wanting, isComplete: isWhole } = await inspectPackage(context, manifest);
  // Another process has done it meanwhile.
  if (isWhole) return 0;
  if (manifest.kind === "malformed") logger().warn(`${manifestPath(directory)} is malformed; it is built anew from the package's files.`);
  await guardStorage(directory, async () => {
    await mkdir(directory, { recursive: true });
    await sweepTemporaryFiles(directory);
  });
  const progress = callProgress(wanting.length, options.onProgress);
  const made = await all(declarations, options.signal, async (declaration, signal) =>
    makeFile({ ...context, signal }, declaration, { manifest, progress, options: { ...options, signal }, lock: { ...lock, signal } }),
  );
  await guardStorage(directory, () => linkDependencies(directory, context.dependencyPaths, options.observer));
  const files = made.map(({ file }) => file);
  const content = {
    artefacts: files.map(({ identity }) => identity),
    dependencyPaths: context.dependencyPaths,
    placements: placementsOf(files),
  };
  const earlier = manifest.kind === "current" || manifest.kind === "older" ? manifest.raw : {};
  await writeFileDurably(manifestPath(directory), `${JSON.stringify(composeManifest(request, content, earlier), null, 2)}\n`);
  options.observer?.onFileCreated?.(manifestPath(directory));
  return made.reduce((sum, { bytes }) => sum + bytes, 0);
}

interface Making {
  readonly manifest: ManifestState;
  readonly progress: CallProgress;
  readonly options: MaterializeOptions;
  readonly lock: LockOptions;
}

interface MadeFile {
  readonly file: RightFile;
  readonly bytes: number;
}

/** One file of the package, right and in its place. */
async function makeFile(context: PackageContext, declaration: ArtefactDeclaration, making: Making): Promise<MadeFile> {
  const { fileHandle } = declaration;
  const recorded = making.manifest.kind === "current" ? making.manifest.artefacts.find((one) => one.fileHandle === fileHandle) : undefined;
  const there = await inspectFile(context, declaration, recorded);
  if (there !== null) return { file: there, bytes: 0 };
  const specs = context.request.package.packageArtefacts.find((one) => one.fileHandle === fileHandle);
  if (specs?.kind !== "download") throw wrongFile(context, fileHandle, "is missing, or does not have the announced content");
  return declaration.md5Hash === null
    ? makeUnhashedFile(context, specs, making)
    : makeSharedFile(context, declaration.md5Hash, specs, making);
}

function wrongFile({ directory }: PackageContext, handle: string, what: string): CorruptedModelPackageError {
  const path = artefactPath(directory, handle);
  return new CorruptedModelPackageError(`The file ${path} ${what}. Remove ${directory}, or put the right file there, and load again.`, {
    path,
    kind: "artefact",
  });
}

function fetchOptions(file: string, { progress, options }: Making): FetchOptions {
  return {
    signal: options.signal,
    progress: progress.file(file),
    hashWhileDownloading: options.verifyHashWhileDownload ?? true,
    observer: options.observer,
  };
}

async function makeSharedFile(context: PackageContext, md5: string, specs: FileDownloadSpecs, making: Making): Promise<MadeFile> {
  const { layout, verified, directory } = context;
  const { fileHandle: file, downloadUrl: url } = specs;
  const path = await guardStorage(directory, () => makeFolderInside(directory, file));
  // What somebody has put there, and is not what was announced, is not ours to remove.
  if (["copy", "other"].includes(await placementOf(path, layout.blob(md5))))
    throw wrongFile(context, file, "is no link, and does not have the announced content");
  const lock = { ...making.lock, onWait: waitListener(layout.blobLock(md5), making.options) };
  const fetch = (): FetchOptions => fetchOptions(file, making);
  const onVerify = (): void => context.onVerify(file);
  const { bytes, used: placement } = await withBlob({ layout, verified }, { md5, url, file }, { lock, fetch, onVerify }, async (blob) => {
    const now = await placementOf(path, blob);
    const placement =
      now === "symlink" || now === "hard-link" ? now : await guardStorage(path, () => placeBlob(blob, path, making.options.observer));
    if (placement !== "symlink") await verified.remember(path, { md5 });
    return placement;
  });
  const identity = { fileHandle: file, storage: "shared_blob", md5Hash: md5, sourceHash: null, sha256Hash: null } as const;
  return { file: { identity, placement }, bytes };
}

/** Known by its own hash from now on, which the manifest keeps. */
async function makeUnhashedFile(context: PackageContext, specs: FileDownloadSpecs, making: Making): Promise<MadeFile> {
  const { directory, verified, declarations } = context;
  const { fileHandle: file, downloadUrl: url } = specs;
  const target = await guardStorage(directory, () => makeFolderInside(directory, file));
  const { bytes, digest } = await withinBudget(() => fetchFile({ file, url, target, md5: null }, fetchOptions(file, making)));
  await verified.remember(target, { sha256: digest });
  const sourceHash = declarations.find((one) => one.fileHandle === file)?.sourceHash ?? "";
  return {
    file: { identity: { fileHandle: file, storage: "package_file", md5Hash: null, sourceHash, sha256Hash: digest }, placement: null },
    bytes,
  };
}

/** Keeps the cache within its size; what fails here fails nobody's load. */
async function evict(home: string): Promise<void> {
  const { maxBytes } = configuration().cache;
  if (maxBytes <= 0) return;
  try {
    await pruneCache({ home, maxBytes });
  } catch (error) {
    logger().warn(
      `The cache in ${home} could not be kept within ${maxBytes} bytes: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}
