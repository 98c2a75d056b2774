/** Into the cache, without loading: for container images, CI, and machines that are offline later. */
import { InvalidParameterError } from "../errors.js";
import type { RankedPackage } from "../negotiation/index.js";
import { createContext } from "./context.js";
import { declaredDependencies, optionsForDeclared } from "./dependencies.js";
import { checkAutoModelOptions, type AutoModelOptions } from "./options.js";
import { askProvider, negotiate } from "./resolution.js";
import { resolveSource } from "./source.js";
import { storePackage } from "./store-package.js";

export interface DownloadedModel {
  readonly modelId: string;
  readonly packageId: string;
  /** Folder of the package. */
  readonly directory: string;
  /** 0 when everything was in the cache. */
  readonly bytesDownloaded: number;
  /** Models that this one needs. */
  readonly dependencies: readonly DownloadedModel[];
}

async function download(id: string, options: AutoModelOptions): Promise<DownloadedModel> {
  const context = await createContext(id, options);
  const metadata = await askProvider(context);
  const { ranked } = negotiate(metadata, context);
  const chosen = (ranked[0] as RankedPackage).package;
  const declared = declaredDependencies(context, metadata);
  const dependencies = await Promise.all(declared.map((one) => download(one.modelId, optionsForDeclared(context, one))));
  const materialized = declared.map((dependency, index) => {
    const { directory, packageId, modelId } = dependencies[index] as DownloadedModel;
    return { ...dependency, directory, packageId, cacheModelId: modelId, canonicalModelId: modelId };
  });
  const { directory, bytesDownloaded, lease } = await storePackage(context, metadata, chosen, materialized);
  lease.release();
  return { modelId: metadata.modelId, packageId: chosen.packageId, directory, bytesDownloaded, dependencies };
}

/**
 * Fetches and verifies the package that `fromPretrained` would try first with the same options.
 * @throws what fromPretrained would throw, but for the loading itself; InvalidParameterError for a path.
 */
export async function downloadModel(modelId: string, options: AutoModelOptions = {}): Promise<DownloadedModel> {
  checkAutoModelOptions(options);
  const source = await resolveSource(modelId);
  if (source.kind === "id") return download(source.id, options);
  throw new InvalidParameterError(`"${modelId}" is on this machine already; there is nothing to download.`, { parameter: "modelId" });
}
