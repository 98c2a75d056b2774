/** From what a provider announced to what is tried, in order; every package that is not says why. */
import { AmbiguousModelPackageResolutionError, NoModelPackagesAvailableError } from "../errors.js";
import type { ModelPackageMetadata } from "../packages/index.js";
import { backendFilter, batchFilter, implementationFilter, quantizationFilter, trustFilter, type Filter } from "./filters.js";
import { nmsFusionFilter } from "./nms-fusion.js";
import { rankModelPackages } from "./ranking.js";
import { defaultQuantizations, parseBackends, parseBatchSize, parseDevice, parseQuantizations } from "./request.js";
import { runtimeFilter } from "./runtime/index.js";
import type { Device, DiscardedPackage, Negotiation, NegotiationInput } from "./types.js";

/** In the order in which they refuse. */
function filtersFor(input: NegotiationInput, device: Device | null): readonly Filter[] {
  const { backend, batchSize, quantization, allowUntrustedPackages, nmsFusionPreferences } = input.request;
  const filters = [implementationFilter(input)];
  if (!allowUntrustedPackages) filters.push(trustFilter);
  if (backend !== null) filters.push(backendFilter(parseBackends(backend)));
  if (batchSize !== null) filters.push(batchFilter(parseBatchSize(batchSize)));
  if (quantization === null) filters.push(quantizationFilter(defaultQuantizations(device, input.environment), "default"));
  else {
    const allowed = parseQuantizations(quantization);
    if (allowed.size > 0) filters.push(quantizationFilter(allowed, "caller"));
  }
  return [...filters, runtimeFilter(input, device), nmsFusionFilter(nmsFusionPreferences)];
}

function firstRefusal(candidate: ModelPackageMetadata, filters: readonly Filter[]): DiscardedPackage | null {
  for (const filter of filters) {
    const refusal = filter(candidate);
    if (refusal !== null) return { packageId: candidate.packageId, ...refusal };
  }
  return null;
}

/** Each distinct reason with its count, most frequent first. */
function summary(discarded: readonly DiscardedPackage[]): string {
  const counts = new Map<string, number>();
  for (const { code, message } of discarded) {
    const reason = `${code}: ${message}`;
    counts.set(reason, (counts.get(reason) ?? 0) + 1);
  }
  return [...counts]
    .sort(([, a], [, b]) => b - a)
    .map(([reason, count]) => `\n  ${count} x ${reason}`)
    .join("");
}

/**
 * @throws NoModelPackagesAvailableError, AmbiguousModelPackageResolutionError
 */
export function selectPackageById(packages: readonly ModelPackageMetadata[], packageId: string): ModelPackageMetadata {
  const found = packages.filter((candidate) => candidate.packageId === packageId);
  const [only] = found;
  if (only === undefined) {
    const known = packages.map((candidate) => candidate.packageId).join(", ") || "none";
    throw new NoModelPackagesAvailableError(`The model has no package "${packageId}". Announced packages: ${known}.`);
  }
  if (found.length > 1) {
    throw new AmbiguousModelPackageResolutionError(
      `The provider announced ${found.length} packages with the id "${packageId}". Choose by backend, batchSize and quantization instead, and tell the provider.`,
      { packageId, count: found.length },
    );
  }
  return only;
}

/** A package asked for by its id is taken whatever the machine says; what speaks against it becomes warnings. */
function takeById(input: NegotiationInput, packageId: string, device: Device | null): Negotiation {
  const chosen = selectPackageById(input.packages, packageId);
  const untrusted = input.request.allowUntrustedPackages ? null : trustFilter(chosen);
  if (untrusted !== null) {
    const discarded = [{ packageId, ...untrusted }];
    throw new NoModelPackagesAvailableError(`The package "${packageId}" cannot be used: ${untrusted.message}`, { discarded });
  }
  const against = [implementationFilter(input)(chosen), runtimeFilter(input, device)(chosen)].filter((refusal) => refusal !== null);
  return {
    ranked: [{ package: chosen, rank: [], decidedBy: null }],
    discarded: [],
    warnings: against.map((refusal) => ({ packageId, ...refusal })),
  };
}

/**
 * Pure: equal inputs give equal answers, and the order of the packages does not matter.
 *
 * @throws NoModelPackagesAvailableError with a reason for each package, AmbiguousModelPackageResolutionError,
 *   UnknownBackendTypeError, UnknownQuantizationError, InvalidRequestedBatchSizeError, InvalidParameterError (device),
 *   ModelPackageNegotiationError (no such GPU).
 */
export function negotiateModelPackages(input: NegotiationInput): Negotiation {
  const { packages, request, architecture, task } = input;
  if (packages.length === 0) {
    throw new NoModelPackagesAvailableError(
      "The provider announced no package of this model that this version understands. A newer version may, or the model is still being prepared.",
    );
  }
  const device = request.device === null ? null : parseDevice(request.device);
  if (request.modelPackageId !== null) return takeById(input, request.modelPackageId, device);
  const filters = filtersFor(input, device);
  const discarded: DiscardedPackage[] = [];
  const survivors = packages.filter((candidate) => {
    const refusal = firstRefusal(candidate, filters);
    if (refusal !== null) discarded.push(refusal);
    return refusal === null;
  });
  if (survivors.length === 0) {
    throw new NoModelPackagesAvailableError(
      `None of the ${packages.length} packages of this model (${architecture}, ${task ?? "no task"}) can be used here:${summary(discarded)}\nRelax the options that are named, or install what is missing.`,
      { discarded },
    );
  }
  const { environment } = input;
  const ranked = rankModelPackages(survivors, { environment, device, nmsFusionPreferences: request.nmsFusionPreferences });
  return { ranked, discarded, warnings: [] };
}
