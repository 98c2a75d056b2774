/** Filters that look at the package and at what was asked for, not at the machine. Each gives a reason against, or null. */
import type { ImplementationQuery } from "../models/index.js";
import type { BackendType, ModelPackageMetadata, Quantization } from "../packages/index.js";
import { quote, quotedList } from "./text.js";
import type { BatchRange, NegotiationInput, Refusal } from "./types.js";

/** Reasons against a package, by whatever criterion. */
export type Filter = (candidate: ModelPackageMetadata) => Refusal | null;

const featuresOf = ({ modelFeatures }: ModelPackageMetadata): readonly string[] => Object.keys(modelFeatures ?? {});

const list = (values: Iterable<string>): string => [...values].join(", ") || "none";

export function implementationFilter({
  architecture,
  task,
  implementationExists,
}: Pick<NegotiationInput, "architecture" | "task" | "implementationExists">): Filter {
  return (candidate) => {
    const query: ImplementationQuery = { architecture, task, backend: candidate.backend, features: featuresOf(candidate) };
    if (implementationExists(query)) return null;
    const features = query.features.length === 0 ? "" : ` with the features ${quotedList(query.features)}`;
    return {
      code: "NO_IMPLEMENTATION",
      message: `There is no code for architecture ${quote(architecture)}, task ${quote(task ?? "none")}, backend "${candidate.backend}"${features}. An upgrade may help: a newer version of this package may have it.`,
      details: { ...query },
    };
  };
}

export const trustFilter: Filter = ({ trustedSource }) =>
  trustedSource
    ? null
    : {
        code: "UNTRUSTED_SOURCE",
        message: "The package does not come from a trusted source. Pass allowUntrustedPackages: true if you trust it.",
        details: {},
      };

export function backendFilter(requested: ReadonlySet<BackendType>): Filter {
  return ({ backend }) =>
    requested.has(backend)
      ? null
      : {
          code: "BACKEND_NOT_REQUESTED",
          message: `The package's backend is ${backend}; asked for: ${list(requested)}.`,
          details: { backend, requested: [...requested] },
        };
}

/** Smallest and largest batch that a package with dynamic batch declares; null when it declares no limits. */
export function dynamicBatchBoundaries(candidate: ModelPackageMetadata): BatchRange | null {
  const { dynamicBatchSizeSupported, trtPackageDetails } = candidate;
  if (dynamicBatchSizeSupported !== true || trtPackageDetails === null) return null;
  const { minDynamicBatchSize, optDynamicBatchSize, maxDynamicBatchSize } = trtPackageDetails;
  const declared = [minDynamicBatchSize, optDynamicBatchSize, maxDynamicBatchSize].filter((size) => size !== null);
  return declared.length === 0 ? null : { min: Math.min(...declared), max: Math.max(...declared) };
}

/** Whether the inner closed range lies inside the outer one; an inverted inner range does not. */
export function isWithin(inner: BatchRange, outer: BatchRange): boolean {
  return inner.min <= inner.max && outer.min <= inner.min && inner.max <= outer.max;
}

/** A dynamic package must cover what is asked for, a static one must lie inside it. */
export function servesBatch(candidate: ModelPackageMetadata, requested: BatchRange): boolean {
  const { dynamicBatchSizeSupported, staticBatchSize } = candidate;
  if (dynamicBatchSizeSupported === true) {
    const boundaries = dynamicBatchBoundaries(candidate);
    return boundaries === null || isWithin(requested, boundaries);
  }
  // Hugging Face and Ultralytics packages declare nothing; they take what they get.
  if (staticBatchSize === null) return true;
  return requested.min <= staticBatchSize && staticBatchSize <= requested.max;
}

const rangeText = ({ min, max }: BatchRange): string => (min === max ? String(min) : `${min} to ${max}`);

export function batchFilter(requested: BatchRange): Filter {
  return (candidate) => {
    if (servesBatch(candidate, requested)) return null;
    const boundaries = dynamicBatchBoundaries(candidate);
    const declared = boundaries === null ? `exactly ${candidate.staticBatchSize ?? "?"}` : rangeText(boundaries);
    return {
      code: "BATCH_SIZE_MISMATCH",
      message: `The package runs batches of ${declared}; asked for: ${rangeText(requested)}.`,
      details: { declared: boundaries ?? candidate.staticBatchSize, requested },
    };
  };
}

/** @param source who chose the allowed set. */
export function quantizationFilter(allowed: ReadonlySet<Quantization>, source: "caller" | "default"): Filter {
  return ({ quantization }) => {
    if (quantization !== null && allowed.has(quantization)) return null;
    const chosen = source === "caller" ? "asked for" : "allowed by default on this device (see the option quantization)";
    return {
      code: "QUANTIZATION_MISMATCH",
      message: `The package's quantization is ${quantization ?? "not declared"}; ${chosen}: ${list(allowed)}.`,
      details: { quantization, allowed: [...allowed], source },
    };
  };
}
