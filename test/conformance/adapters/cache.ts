import {
  cacheLayout,
  isMd5,
  modelIdSlug,
  requireArtefactHandle,
  requirePackageId,
  requirePortableName,
} from "../../../src/packages/index.js";
import { requireRemoteModelId } from "../../../src/providers/index.js";
import type { AdapterTable } from "../adapter.js";

interface Value {
  readonly value: unknown;
}

export const adapters: AdapterTable = {
  "model-id-cache-slug": { "": (input: { readonly model_id: string }) => ({ slug: modelIdSlug(input.model_id) }) },
  "cache-layout-paths": {
    "": (input: { readonly inference_home: string }) => {
      const { modelsCache, sharedBlobs, offlineRegistry } = cacheLayout(input.inference_home);
      return { models_cache: modelsCache, shared_blobs: sharedBlobs, offline_registry: offlineRegistry };
    },
  },
  "package-cache-path": {
    "": (input: { readonly inference_home: string; readonly model_id: string; readonly package_id: string }) => ({
      path: cacheLayout(input.inference_home).packageDirectory(input.model_id, input.package_id),
    }),
  },
  "is-valid-md5": { "": ({ value }: Value) => ({ valid: isMd5(value) }) },
  "validate-artefact-handle": { "": ({ value }: Value) => ({ value: requireArtefactHandle(value) }) },
  "validate-portable-name": { "": ({ value }: Value) => ({ value: requirePortableName(value) }) },
  "validate-package-id": {
    "": (input: { readonly package_id: unknown }) => {
      requirePackageId(input.package_id);
      return { ok: true };
    },
  },
  "validate-remote-model-id": { "": (input: { readonly model_id: unknown }) => ({ model_id: requireRemoteModelId(input.model_id) }) },
};
