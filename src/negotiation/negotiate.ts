/** From what a provider announced to what is tried, in order; every package that is not says why. */
import { ModelPackageNegotiationError } from "../errors.js";
import type { ModelPackageMetadata } from "../packages/index.js";
import { nothingAnnounced, nothingLeft, selectPackageById } from "./selection.js";
import { backendFilter, batchFilter, implementationFilter, quantizationFilter, trustFilter, type Filter } from "./filters.js";
import { nmsFusionFilter, parseNmsFusionPreferences } from "./nms-fusion.js";
import { rankModelPackages } from "./ranking.js";
import { defaultQuantizations, parseBackends, parseBatchSize, parseDevice, parseQuantizations } from "./request.js";
import { runtimeFilter } from "./runtime/index.js";
import type { Device, DiscardedPackage, Negotiation, NegotiationInput, NegotiationRequest, Refusal } from "./types.js";

/** A request that asks for nothing in particular. */
export const NEGOTIATION_DEFAULTS: NegotiationRequest = {
  modelPackageId: null,
  backend: null,
  batchSize: null,
  quantization: null,
  device: null,
  onnxExecutionProviders: null,
  allowUntrustedPackages: false,
  trtEngineHostCodeAllowed: true,
  nmsFusionPreferences: null,
};

/** In the order in which they refuse. */
function filtersFor(input: NegotiationInput, device: Device | null): readonly Filter[] {
  const { backend, batchSize, quantization, allowUntrustedPackages, nmsFusionPreferences } = input.request;
  const filters = [implementationFilter(input)];
  if (!allowUntrustedPackages) filters.push(trustFilter);
  if (backend !== null) filters.push(backendFilter(parseBackends(backend)));
  if (batchSize !== null) filters.push(batchFilter(parseBatchSize(batchSize)));
  if (quantization === null) filters.push(quantizationFilter(defaultQuantizations(device, input.environment), "default"));
  else {
    const allowed = parseQuantizations(quantization, input.rules);
    if (allowed.size > 0) filters.push(quantizationFilter(allowed, "caller"));
  }
  return [...filters, runtimeFilter(input, device), nmsFusionFilter(parseNmsFusionPreferences(nmsFusionPreferences))];
}

function firstRefusal(candidate: ModelPackageMetadata, filters: readonly Filter[]): DiscardedPackage | null {
  for (const filter of filters) {
    const refusal = filter(candidate);
    if (refusal !== null) return { packageId: candidate.packageId, ...refusal };
  }
  return null;
}

/** A package asked for by its id is taken whatever the machine says; what speaks against it becomes warnings. */
function takeById(input: NegotiationInput, packageId: string, device: Device | null): Negotiation {
  const chosen = selectPackageById(input.packages, packageId);
  const untrusted = input.request.allowUntrustedPackages ? null : trustFilter(chosen);
  if (untrusted !== null) throw nothingLeft(input, [{ packageId, ...untrusted }]);
  const against = [implementationFilter(input)(chosen), runtimeWarning(chosen, runtimeFilter(input, device))];
  return {
    ranked: [{ package: chosen, key: [], why: "It was asked for by its id." }],
    discarded: [],
    warnings: against.filter((refusal) => refusal !== null).map((refusal) => ({ packageId, ...refusal })),
  };
}

/** A GPU that does not exist ends a negotiation, but says nothing yet about a package that somebody insists on. */
function runtimeWarning(chosen: ModelPackageMetadata, filter: Filter): Refusal | null {
  try {
    return filter(chosen);
  } catch (error) {
    if (!ModelPackageNegotiationError.is(error)) throw error;
    return { code: "TRT_DEVICE_MISMATCH", message: error.message, details: {} };
  }
}

/**
 * Pure: equal inputs give equal answers, and the order of the packages does not matter.
 *
 * @throws NoModelPackagesAvailableError with a reason for each package, AmbiguousModelPackageResolutionError,
 *   UnknownBackendTypeError, UnknownQuantizationError, InvalidRequestedBatchSizeError, InvalidParameterError (device, preferences),
 *   ModelPackageNegotiationError (no such GPU).
 */
export function negotiateModelPackages(input: NegotiationInput): Negotiation {
  const { packages, request, environment } = input;
  if (packages.length === 0) throw nothingAnnounced(input);
  const device = request.device === null ? null : parseDevice(request.device);
  if (request.modelPackageId !== null) return takeById(input, request.modelPackageId, device);
  const filters = filtersFor(input, device);
  const discarded: DiscardedPackage[] = [];
  const survivors = packages.filter((candidate) => {
    const refusal = firstRefusal(candidate, filters);
    if (refusal !== null) discarded.push(refusal);
    return refusal === null;
  });
  if (survivors.length === 0) throw nothingLeft(input, discarded);
  const ranked = rankModelPackages(survivors, { environment, device, nmsFusionPreferences: request.nmsFusionPreferences });
  return { ranked, discarded, warnings: [] };
}
