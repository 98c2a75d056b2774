/** Hooks of whoever decides which caller may use which model: servers that hold models of several customers. */
import type { AnyModel } from "../models/index.js";
import type { StoreObserver } from "../store/types.js";

export interface AccessIdentifiers {
  readonly modelId: string;
  readonly packageId: string;
  readonly apiKey: string | null;
}

type Answer<T> = T | Promise<T>;

/** Every method is optional; what is left out forbids nothing, grants everything, returns no instance and ignores events. */
export interface ModelAccessManager {
  /** Asked first, also for folders and checkpoints. true ends the load with UnauthorizedModelAccessError. */
  isModelAccessForbidden?(modelId: string, apiKey: string | null): Answer<boolean>;
  /** Asked before a remembered resolution is used; false sends the load to the provider. */
  isModelPackageAccessGranted?(modelId: string, packageId: string, apiKey: string | null): Answer<boolean>;
  /** A live instance instead of a new one. `digest` is equal for equal requests on equal machines. The manager owns what it returns. */
  retrieveModelInstance?(modelId: string, packageId: string | null, apiKey: string | null, digest: string): Answer<AnyModel | null>;
  /** The provider answered 401 or 403. */
  onModelAccessForbidden?(modelId: string, apiKey: string | null): Answer<void>;
  /** Once for each package that the provider announced. */
  onModelPackageAccessGranted?(identifiers: AccessIdentifiers): Answer<void>;
  onModelAliasDiscovered?(alias: string, modelId: string): Answer<void>;
  onModelDependencyDiscovered?(baseModelId: string, baseModelPackageId: string | null, dependentModelId: string): Answer<void>;
  /** After a load that asked the provider; not for remembered resolutions. `storagePath` is the folder of the package. */
  onModelLoaded?(model: AnyModel, identifiers: AccessIdentifiers, storagePath: string): Answer<void>;

  // What happens on disk, in the order in which it happens.
  onFileCreated?(path: string, modelId: string, packageId: string): void;
  onFileRenamed?(from: string, to: string, modelId: string, packageId: string): void;
  onSymlinkCreated?(target: string, link: string, modelId: string, packageId: string): void;
  onSymlinkDeleted?(link: string, modelId: string, packageId: string): void;
  onFileDeleted?(path: string, modelId: string, packageId: string): void;
  onDirectoryDeleted?(path: string, modelId: string, packageId: string): void;
}

/** The store's view of a manager: what happens on disk, with the package it happens to. */
export function observerOf(access: ModelAccessManager, modelId: string, packageId: string): StoreObserver {
  return {
    onFileCreated: (path) => access.onFileCreated?.(path, modelId, packageId),
    onFileRenamed: (from, to) => access.onFileRenamed?.(from, to, modelId, packageId),
    onSymlinkCreated: (target, link) => access.onSymlinkCreated?.(target, link, modelId, packageId),
    onSymlinkDeleted: (link) => access.onSymlinkDeleted?.(link, modelId, packageId),
    onFileDeleted: (path) => access.onFileDeleted?.(path, modelId, packageId),
    onDirectoryDeleted: (path) => access.onDirectoryDeleted?.(path, modelId, packageId),
  };
}

/** Lets everybody do everything: what counts when no manager is given. Base class for managers that override a few methods. */
export class LiberalModelAccessManager implements ModelAccessManager {
  isModelAccessForbidden(_modelId: string, _apiKey: string | null): Answer<boolean> {
    return false;
  }
  isModelPackageAccessGranted(_modelId: string, _packageId: string, _apiKey: string | null): Answer<boolean> {
    return true;
  }
  retrieveModelInstance(_modelId: string, _packageId: string | null, _apiKey: string | null, _digest: string): Answer<AnyModel | null> {
    return null;
  }
}
