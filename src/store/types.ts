import type { ModelDependency, ModelPackageMetadata, RecommendedParameters } from "../packages/index.js";

/** Bytes of one file, and of all files of the call so far as their sizes are known. */
export interface DownloadTotals {
  readonly file: string;
  readonly bytes: number;
  /** null until the server has said. */
  readonly totalBytes: number | null;
  readonly overall: { readonly bytes: number; readonly totalBytes: number | null; readonly files: number; readonly finishedFiles: number };
}

/** What a load is doing, for progress bars and logs. */
export type ProgressEvent =
  | ({ readonly type: "download-started"; readonly resumedFrom: number } & DownloadTotals)
  | ({ readonly type: "download-progress" } & DownloadTotals)
  | ({ readonly type: "download-finished" } & DownloadTotals)
  | { readonly type: "download-retry"; readonly file: string; readonly waitSeconds: number; readonly reason: string }
  | { readonly type: "waiting-for-lock"; readonly path: string; readonly pid: number | null }
  | { readonly type: "verifying"; readonly file: string };

export type ProgressListener = (event: ProgressEvent) => void;

/** Bookkeeping of what happens on disk, for access managers that keep their own records. Paths are absolute. */
export interface StoreObserver {
  onFileCreated?(path: string): void;
  onFileRenamed?(from: string, to: string): void;
  onSymlinkCreated?(target: string, link: string): void;
  onSymlinkDeleted?(link: string): void;
  onFileDeleted?(path: string): void;
  onDirectoryDeleted?(path: string): void;
}

/** A dependency that has been materialised already. */
export interface MaterializedDependency extends ModelDependency {
  /** Absolute package folder. */
  readonly directory: string;
  readonly cacheModelId: string;
  readonly canonicalModelId: string;
  readonly packageId: string;
}

export interface MaterializeRequest {
  readonly home: string;
  /** Whose cache folder holds the package. */
  readonly cacheModelId: string;
  readonly canonicalModelId: string;
  readonly architecture: string | null;
  readonly taskType: string | null;
  readonly package: ModelPackageMetadata;
  /** The package's own, or else the model's. */
  readonly recommendedParameters: RecommendedParameters | null;
  readonly dependencies: readonly MaterializedDependency[];
}

export interface MaterializeOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ProgressListener | undefined;
  /** Hash files while they arrive (true), or read them again afterwards. They are verified either way. Default true. */
  readonly verifyHashWhileDownload?: boolean;
  /** Accept files that nobody published a hash of. Default false. */
  readonly downloadFilesWithoutHash?: boolean;
  /** Default: configuration. */
  readonly lockTimeoutSeconds?: number;
  readonly observer?: StoreObserver | undefined;
}

/** Keeps a package from being evicted while it is used; ends with the process at the latest. */
export interface PackageLease {
  release(): void;
}

export interface MaterializedPackage {
  /** Absolute. */
  readonly directory: string;
  /** File handle to absolute path. */
  readonly files: Readonly<Record<string, string>>;
  /** Fetched by this call; 0 when another process fetched everything. */
  readonly bytesDownloaded: number;
  /** Whether the package was complete before this call. */
  readonly fromCache: boolean;
  readonly lease: PackageLease;
}
