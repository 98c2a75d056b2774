/** Where the store keeps what only it needs, beside what the Python library knows as well. */
import { join } from "node:path";

import { cacheLayout, modelIdSlug, requirePackageId, type CacheLayout } from "../packages/index.js";

export interface StoreLayout extends CacheLayout {
  blob(md5: string): string;
  /** Lock of a blob; locks of the Python library are files of other names, so that neither gets in the other's way. */
  blobLock(md5: string): string;
  packageLock(modelId: string, packageId: string): string;
  /** Marks of the processes that use a package, and when it was last used. */
  packageUse(modelId: string, packageId: string): string;
  /** Wrong blobs, moved out of the way for whoever wants to look at them. */
  readonly quarantine: string;
  readonly locks: string;
  readonly uses: string;
}

export function storeLayout(home: string): StoreLayout {
  const layout = cacheLayout(home);
  const locks = join(layout.home, "locks");
  const uses = join(layout.home, "package-uses");
  // Two folders rather than one name: together the parts may be longer than a file name can be.
  const packageKey = (modelId: string, packageId: string): string => join(modelIdSlug(modelId), requirePackageId(packageId));
  return {
    ...layout,
    locks,
    uses,
    quarantine: join(layout.home, "quarantine"),
    blob: (md5) => join(layout.sharedBlobs, md5),
    blobLock: (md5) => join(locks, "blobs", md5),
    packageLock: (modelId, packageId) => join(locks, "packages", packageKey(modelId, packageId)),
    packageUse: (modelId, packageId) => join(uses, packageKey(modelId, packageId)),
  };
}
